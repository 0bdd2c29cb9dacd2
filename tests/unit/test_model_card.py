"""What a model's card gives to people: licence, languages and examples; a card at fault never stops a build."""

from pathlib import Path

import pytest

from encoderfile.builder.model_card import card_text, read_card
from encoderfile.manifest import Card
from encoderfile.types import Example


def card_of(folder: Path, text: str | bytes) -> tuple[Card, list[str]]:
    data = text.encode() if isinstance(text, str) else text
    (folder / "README.md").write_bytes(data)
    return read_card(folder)


def examples(folder: Path, matter: str) -> tuple[Example, ...]:
    card, notes = card_of(folder, f"---\n{matter}\n---\n# A model\n")
    assert notes == []
    return card.examples


def test_a_folder_without_a_card_has_an_empty_one(tmp_path: Path) -> None:
    assert read_card(tmp_path) == (Card(), [])


def test_a_card_has_title_licence_and_languages(tmp_path: Path) -> None:
    text = "---\nlicense: apache-2.0\nlanguage:\n- en\n- de\n---\n\n# My *model* #\n\n# Another heading\n"
    card, notes = card_of(tmp_path, text)
    assert (card.title, card.license, card.languages, notes) == ("My *model*", "apache-2.0", ("en", "de"), [])


def test_a_licence_of_its_own_has_a_name(tmp_path: Path) -> None:
    card, _ = card_of(tmp_path, "---\nlicense: other\nlicense_name: my-licence\nlanguage: fr\n---\n")
    assert (card.license, card.languages) == ("my-licence", ("fr",))


def test_a_card_without_front_matter_has_its_title(tmp_path: Path) -> None:
    assert card_of(tmp_path, "# Only a title\n\ntext\n") == (Card(title="Only a title"), [])


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_a_comment_in_code_is_no_title(fence: str, tmp_path: Path) -> None:
    text = f"{fence}python\n# pip install x\n{fence}\n\n# A title\n"
    assert card_of(tmp_path, text)[0].title == "A title"


def test_norwegian_is_a_language(tmp_path: Path) -> None:
    assert card_of(tmp_path, "---\nlanguage: no\n---\n")[0].languages == ("no",)
    assert card_of(tmp_path, "---\nlanguage: [en, no]\n---\n")[0].languages == ("en", "no")


def test_a_heading_is_read_in_one_pass(tmp_path: Path) -> None:
    """This card took most of an hour, for every length that a pattern might have was tried."""
    assert len(card_of(tmp_path, "# a" + " #" * 400_000 + "x\n")[0].title) == 120


def test_line_ends_of_other_systems_and_a_mark_at_the_beginning_are_read(tmp_path: Path) -> None:
    card, notes = card_of(tmp_path, b"\xef\xbb\xbf---\r\nlicense: mit\r\n---\r\n# A title\r\n")
    assert (card.license, card.title, notes) == ("mit", "A title", [])


def test_texts_of_the_widget_are_examples(tmp_path: Path) -> None:
    found = examples(tmp_path, "widget:\n- text: I like it\n  example_title: Praise\n- text: 'It broke.'")
    assert found == (Example(title="Praise", texts=("I like it",)), Example(texts=("It broke.",)))


def test_a_pair_is_an_example(tmp_path: Path) -> None:
    found = examples(tmp_path, "widget:\n- text: It rains.\n  text_pair: It is wet.")
    assert found == (Example(texts=("It rains.",), second="It is wet."),)


@pytest.mark.parametrize(
    "matter",
    [
        "widget:\n- source_sentence: a query\n  sentences: [one, two]",
        "widget:\n- inputs:\n    source_sentence: a query\n    sentences:\n    - one\n    - two",
    ],
    ids=["as it is now", "as it was"],
)
def test_sentences_to_compare_are_an_example(matter: str, tmp_path: Path) -> None:
    assert examples(tmp_path, matter) == (Example(query="a query", texts=("one", "two")),)


@pytest.mark.parametrize(
    "matter",
    [
        "widget:\n- text: a text\n  candidate_labels: 'cat, dog,cat'",
        "widget:\n- text: a text\n  candidate_labels: [cat, dog]",
        "widget:\n- text: a text\ninference:\n  parameters:\n    candidate_labels: cat, dog",
    ],
    ids=["in one string", "in a list", "for all"],
)
def test_labels_belong_to_an_example(matter: str, tmp_path: Path) -> None:
    assert examples(tmp_path, matter) == (Example(texts=("a text",), labels=("cat", "dog")),)


@pytest.mark.parametrize(
    "matter",
    [
        "widget:\n- src: https://example.com/cat.png",
        "widget: false",
        "widget: [1, null, [text]]",
        "widget:\n- text: {a: b}",
        "widget:\n- text: ''",
        "widget:\n- source_sentence: alone",
        "inference: false",
        "- a\n- list",
        "text",
        "",
    ],
    ids=["picture", "off", "others", "object", "empty", "nothing to compare", "no inference", "list", "text", "none"],
)
def test_what_is_no_example_of_texts_is_left_out(matter: str, tmp_path: Path) -> None:
    assert examples(tmp_path, matter) == ()


def test_examples_are_bounded_in_number_and_length(tmp_path: Path) -> None:
    matter = "widget:\n" + "".join(f"- text: number {index}\n" for index in range(100)) + f"- text: {'x' * 5000}\n"
    assert len(examples(tmp_path, matter)) == 8
    assert examples(tmp_path, f"widget:\n- text: {'x' * 5000}") == ()
    (found,) = examples(
        tmp_path, f"widget:\n- text: a\n  example_title: {'t' * 500}\n  candidate_labels: {'l,' * 500}"
    )
    assert (len(found.title), found.labels) == (120, ("l",))


def test_words_of_a_card_hold_no_control_characters(tmp_path: Path) -> None:
    card, _ = card_of(tmp_path, '---\nlicense: "a\\e[31m\\nb"\n---\n# Ti\u202etle\x1b[0m\n')
    assert (card.license, card.title) == ("a [31m b", "Ti tle [0m")


@pytest.mark.parametrize(
    ("matter", "reason"),
    [
        ("a: [", "not YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not YAML"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "merge keys"),
        ("[" * 5000, "nested too deep"),
    ],
    ids=["broken", "python", "merges", "deep"],
)
def test_a_broken_card_is_told_and_left_out(matter: str, reason: str, tmp_path: Path) -> None:
    card, notes = card_of(tmp_path, f"---\n{matter}\n---\n# A title\n")
    assert card == Card(title="A title")
    (note,) = notes
    assert note.startswith("README.md is not read for examples: ")
    assert reason in note


def test_a_card_without_end_is_left_out(tmp_path: Path) -> None:
    card, (note,) = card_of(tmp_path, "x" * (2 << 20))
    assert (card, note) == (Card(), "README.md is not read for examples: it has 2048 KB")


def test_a_card_that_leads_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("# A secret\n")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "README.md").symlink_to(tmp_path / "secret")
    card, (note,) = read_card(tmp_path / "model")
    assert card == Card()
    assert "outside the model's folder" in note


def test_a_folder_in_the_place_of_a_card_is_none(tmp_path: Path) -> None:
    (tmp_path / "README.md").mkdir()
    assert read_card(tmp_path) == (Card(), [])


HARD = 'a: "b" # c\n\n- d\\e 😀 \u2028 \x7f {x} [y] `z`'


@pytest.mark.parametrize(
    "card",
    [
        Card(),
        Card(title="A title"),
        Card(license="mit", languages=("en", "no")),
        Card(
            title='Ti: "tle" # here',
            license="a: b",
            examples=(
                Example(title="yes", texts=(HARD,), labels=("no", "null", "1")),
                Example(texts=(HARD,), second=HARD),
                Example(query=HARD, texts=(HARD, "on")),
            ),
        ),
    ],
    ids=["empty", "title", "facts", "examples"],
)
def test_a_card_is_read_as_it_was_written(card: Card, tmp_path: Path) -> None:
    assert card_of(tmp_path, card_text(card)) == (card, [])


def test_a_number_without_end_is_no_word(tmp_path: Path) -> None:
    card, _ = card_of(tmp_path, f"---\nlicense: 0x{'f' * 5000}\n---\n# A title\n")
    assert (card.license, card.title) == ("", "A title")
