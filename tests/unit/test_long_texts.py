"""Of a long text as much is read as settles its tokens: the answer is what the library gives for the whole."""

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as LibraryTokenizer

from encoderfile.errors import InputError
from encoderfile.manifest import TokenizerSpec
from encoderfile.model import reading
from encoderfile.model.pairs import Known
from encoderfile.model.reading import UnsettledError
from encoderfile.model.tokenizer import Tokenizer
from support.library import replace_methods
from support.models import EXAMPLES, MODELS

Encode = Callable[..., Any]

LIMIT = 21
LENGTH = 6000
FAR = 2500
"""Characters that are read at a time, here: every way of reading is gone within `LENGTH`."""


def folders() -> Iterator[tuple[str, Path]]:
    """Every tokenizer there is, each once: ours and those beside ENCODERFILE_TEST_MODELS (a folder)."""
    roots = [MODELS, EXAMPLES]
    more = os.environ.get("ENCODERFILE_TEST_MODELS")
    if more:
        roots += [Path(more), Path(more).parent / "kinds", Path(more).parent / "reports"]
    seen = set()
    for root in roots:
        for path in sorted(root.rglob("tokenizer.json")):
            data = path.read_bytes()
            if data not in seen:
                seen.add(data)
                yield f"{root.name}-{path.parent.relative_to(root)}", path


PATHS = dict(folders())
each_tokenizer = pytest.mark.parametrize("name", PATHS)


def nasty(specials: list[str]) -> dict[str, str]:
    """Texts for which a number of characters says little of the number of tokens."""
    rng = random.Random(11)
    mark = specials[-1] if specials else "..."
    words = "the of a 12 3,456.78 don't (so) e-mail é 東京 naïve ... 👨‍👩‍👧 été ﬁne İI Σς".split()
    alphabet = "ab,. \n\t1é漢\u0301\u200b😀-'\x00\u00a0" + "".join(specials)
    return {
        "words": " ".join(rng.choices(words, k=LENGTH // 4)),
        "random": "".join(rng.choices(alphabet, k=LENGTH)),
        "commas": "," * LENGTH,
        "one-word": "a" * LENGTH,
        "other-word": "".join(rng.choices("abcdefgh", k=LENGTH)),
        "digits": "1" * LENGTH,
        "spaces-before": " " * LENGTH + "one two three, " * 50,
        "spaces-within": "a" + " " * LENGTH + "one two three, " * 50,
        "spaces-then-commas": " " * LENGTH + "," * LENGTH,
        "deleted-then-words": "\u200b\x01" * (LENGTH // 2) + "one two three, " * 300,
        "accents": "a" + "\u0301" * LENGTH + " one two three" * 60,
        "accented": "a\u0301\u0323 " * (LENGTH // 4),
        "emoji": "👨‍👩‍👧" * (LENGTH // 5),
        "no-spaces": "".join(rng.choices("漢字かな東京", k=LENGTH)),
        "lines": "one two\r\n\r\n" * (LENGTH // 11),
        "specials": "".join(f"a {each} b{each} " for each in specials) * (LENGTH // 40),
        "specials-in-spaces": "a" + " " * LENGTH + (specials[-1] if specials else "b") + " b c" * 99,
        "tabs": "\t" * LENGTH,
        # So few tokens that the last one kept stands where the text is cut.
        **{f"sparse-{gap}": f"{' ' * gap}ab {mark}" * 300 for gap in range(20, 36, 3)},
        **{f"sparse-words-{gap}": f"{'a' * gap}{mark} " * 300 for gap in range(20, 36, 3)},
    }


class Both:
    """Our tokenizer and the library's, cut at the same limit."""

    def __init__(self, path: Path, limit: int = LIMIT, **spec: Any) -> None:
        self.ours = Tokenizer(path.read_bytes(), TokenizerSpec(max_length=limit, **spec))
        self.library = LibraryTokenizer.from_file(str(path))
        self.library.no_padding()
        self.specials = [token.content for token in self.library.get_added_tokens_decoder().values()]
        self.library.enable_truncation(
            limit,
            strategy=spec.get("truncation_strategy", "longest_first"),
            direction=spec.get("truncation_side", "right"),
        )

    def differ(self, text: str | tuple[str, str]) -> str:
        """What is not the same, in one word."""
        wanted = self.library.encode_batch([text])[0]
        fast = self.ours([text], with_tokens=False)[0]
        found = self.ours([text], with_tokens=True)[0]
        if found.input_ids.tolist() != wanted.ids or fast.input_ids.tolist() != wanted.ids:
            return "ids"
        if found.token_type_ids.tolist() != wanted.type_ids or fast.token_type_ids.tolist() != wanted.type_ids:
            return "types"
        if found.special_tokens_mask.tolist() != wanted.special_tokens_mask:
            return "mask"
        if [each.token for each in found.tokens] != wanted.tokens:
            return "tokens"
        if [(each.start, each.end) for each in found.tokens] != wanted.offsets:
            return "offsets"
        return "" if found.truncated == fast.truncated == bool(wanted.overflowing) else "truncated"


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FAR", FAR)


@each_tokenizer
@pytest.mark.usefixtures("small_steps")
def test_a_long_text_has_the_tokens_of_the_whole(name: str) -> None:
    both = Both(PATHS[name])
    wrong = {each: both.differ(text) for each, text in nasty(both.specials).items()}
    assert {each: what for each, what in wrong.items() if what} == {}


@each_tokenizer
@pytest.mark.usefixtures("small_steps")
def test_a_long_text_that_is_truncated_on_the_left_has_the_last_tokens_of_the_whole(name: str) -> None:
    both = Both(PATHS[name], truncation_side="left")
    texts = nasty(both.specials)
    wrong = {each: both.differ(text) for each, text in texts.items()}
    wrong |= {f"{each} reversed": both.differ(text[::-1]) for each, text in texts.items()}
    assert {each: what for each, what in wrong.items() if what} == {}


WORDS = "one two three, four 5.5 six seven eight. Nine ten's eleven twelve"


@each_tokenizer
@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.usefixtures("small_steps")
def test_a_pair_has_the_tokens_that_the_library_gives_it(name: str, side: str) -> None:
    wrong = {}
    for strategy in ("longest_first", "only_first", "only_second"):
        for limit in (20, 21):
            both = Both(PATHS[name], limit, truncation_side=side, truncation_strategy=strategy)
            long = WORDS + "".join(both.specials)
            for pair in [
                ("a", "b"),
                ("", WORDS),
                (WORDS, ""),
                ("", ""),
                (" ", "\n"),
                ("a", long),
                (long, "a"),
                (long, WORDS),
            ]:
                if fails(both.library, pair):
                    with pytest.raises(InputError):
                        both.ours([pair], with_tokens=False)
                    continue
                what = both.differ(pair)
                if what:
                    wrong[strategy, limit, pair] = what
    assert wrong == {}


def fails(library: LibraryTokenizer, pair: tuple[str, str]) -> bool:
    try:
        library.encode_batch([pair])
    except Exception:
        return True
    return False


@pytest.mark.parametrize("limit", [40, 41])
@pytest.mark.usefixtures("small_steps")
def test_of_two_long_texts_the_longer_one_keeps_the_odd_token(limit: int) -> None:
    both = Both(MODELS / "bert-cls" / "tokenizer.json", limit)
    shorter, longer = "one two " * 220, "three " * 500
    for pair in [(shorter, longer), (longer, shorter), (longer, longer)]:
        assert both.differ(pair) == ""


def test_a_pair_without_room_for_the_text_that_may_be_truncated_is_refused_in_a_sentence() -> None:
    ours = Both(MODELS / "bert-cls" / "tokenizer.json", 20, truncation_strategy="only_second").ours
    with pytest.raises(InputError) as refusal:
        ours([("a", "b"), (WORDS * 3, "a")], with_tokens=False)
    assert str(refusal.value) == (
        "Invalid input: inputs[1] has a first text of 17 tokens or more, which is never truncated here and leaves no "
        "room for the other: shorten it"
    )


def changed(tmp_path: Path, **parts: Any) -> Path:
    """The tokenizer of bert-cls with other parts."""
    content = json.loads((MODELS / "bert-cls" / "tokenizer.json").read_bytes()) | parts
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content))
    return path


@each_tokenizer
def test_the_special_tokens_of_every_tokenizer_follow_a_template(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, bool]] = []

    def encode(library: Encode, texts: list[str], **options: bool) -> Any:
        asked.append(options)
        return library(texts, **options)

    replace_methods(monkeypatch, encode_batch=encode, encode_batch_fast=encode)
    Both(PATHS[name]).ours(["a", ("a", "b")], with_tokens=True)
    assert asked
    assert all(options == {"add_special_tokens": False} for options in asked), "the library is not asked for any"


@pytest.mark.usefixtures("small_steps")
def test_special_tokens_that_follow_no_template_are_left_to_the_library(tmp_path: Path) -> None:
    def piece(kind: str, name: str) -> dict[str, Any]:
        return {kind: {"id": name, "type_id": 0}}

    twice = {
        "type": "TemplateProcessing",
        "single": [piece("SpecialToken", "[CLS]"), piece("Sequence", "A"), piece("Sequence", "A")],
        "pair": [
            piece("Sequence", "A"),
            piece("Sequence", "B"),
            piece("SpecialToken", "[SEP]"),
            piece("Sequence", "B"),
        ],
        "special_tokens": {
            name: {"id": name, "ids": [index], "tokens": [name]} for name, index in (("[CLS]", 2), ("[SEP]", 3))
        },
    }
    both = Both(changed(tmp_path, post_processor=twice))
    for text in ("a b c", WORDS * 9, ("a", "b c"), (WORDS, WORDS * 9)):
        assert both.differ(text) == ""


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.usefixtures("small_steps")
def test_a_tokenizer_that_counts_from_the_other_end_of_a_number_reads_all_of_it(tmp_path: Path, side: str) -> None:
    thousands = {
        "type": "Split",
        "pattern": {"Regex": r"\d{1,3}(?=(\d{3})*(\D|$))"},
        "behavior": "Isolated",
        "invert": False,
    }
    both = Both(changed(tmp_path, pre_tokenizer=thousands), truncation_side=side)
    digits = "".join(random.Random(5).choices("123456789", k=LENGTH // 2))
    for text in (digits, digits[1:], digits[2:]):
        assert both.differ(text) == ""


@pytest.mark.usefixtures("small_steps")
def test_a_tokenizer_that_counts_characters_from_the_beginning_reads_all_where_the_left_side_is_truncated(
    tmp_path: Path,
) -> None:
    sevens = {"type": "Split", "pattern": {"Regex": ".{1,7}"}, "behavior": "Isolated", "invert": False}
    # No run of `_RUNS` has two letters, so none has another token where it is cut elsewhere.
    words = {letter: index for index, letter in enumerate(["[UNK]", "x", "y"])}
    merged = {
        "type": "BPE",
        "vocab": words | {"xy": 3, "yx": 4},
        "merges": [["x", "y"], ["y", "x"]],
        "unk_token": "[UNK]",
    }
    parts = {"normalizer": None, "post_processor": None, "added_tokens": [], "model": merged, "pre_tokenizer": sevens}
    both = Both(changed(tmp_path, **parts), truncation_side="left")
    for length in range(LENGTH, LENGTH + 7):
        assert both.differ(("xyx" * length)[:length]) == ""


def test_only_a_text_that_must_be_read_far_asks_for_patience() -> None:
    ours = Tokenizer((MODELS / "bert-cls" / "tokenizer.json").read_bytes(), TokenizerSpec(max_length=8))
    for quick in ("," * (1 << 20), "one two " * 100_000, "a" * reading.FAR):
        assert ours([quick], with_tokens=False, patient=False)[0].input_ids.size
    for slow in ("a" * (1 << 17), " " * (1 << 17)):
        with pytest.raises(UnsettledError):
            ours([slow], with_tokens=False, patient=False)


def test_little_of_a_long_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def encode(library: Encode, texts: list[str], **options: bool) -> Any:
        read.extend(map(len, texts))
        return library(texts, **options)

    replace_methods(monkeypatch, encode_batch=encode, encode_batch_fast=encode)
    ours = Tokenizer((MODELS / "bert-cls" / "tokenizer.json").read_bytes(), TokenizerSpec(max_length=8))
    ours(["one two " * 10_000], with_tokens=False)  # tried once for all texts
    read.clear()
    ours(["," * (1 << 20)], with_tokens=False)
    assert sum(read) < 2000
    read.clear()
    ours([" " * (1 << 18) + "," * (1 << 20)], with_tokens=False)
    assert max(read) < (1 << 18) + 2 * reading.FAR


def test_a_text_that_pairs_share_is_tokenised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def encode(library: Encode, texts: list[str], **options: bool) -> Any:
        read.extend(texts)
        return library(texts, **options)

    replace_methods(monkeypatch, encode_batch_fast=encode)
    ours = Tokenizer((MODELS / "bert-cls" / "tokenizer.json").read_bytes(), TokenizerSpec(max_length=8))
    known = Known()
    for part in ("bc", "cd"):
        ours([("query", each) for each in part], with_tokens=False, known=known)
    assert read == ["query", "b", "c", "d"]


@pytest.mark.parametrize("name", ["roberta-cls", "bert-cls", "xlmr-tok"])
def test_windows_have_the_offsets_of_their_tokens_in_the_text(name: str) -> None:
    path = MODELS / name / "tokenizer.json"
    whole = LibraryTokenizer.from_file(str(path))
    whole.no_truncation()
    whole.no_padding()
    encoding = whole.encode(WORDS * 3, add_special_tokens=False)
    wanted = list(zip(encoding.ids, encoding.offsets, strict=True))
    found: list[tuple[int, tuple[int, int]]] = []
    for window in Tokenizer(path.read_bytes(), TokenizerSpec(max_length=12)).windows(WORDS * 3, 0):
        assert window.special_tokens_mask.tolist()[0] == window.special_tokens_mask.tolist()[-1] == 1
        found += [(each.token_id, (each.start, each.end)) for each in window.tokens[1:-1]]
    assert found == wanted
