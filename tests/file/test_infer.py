"""`infer`: texts from everywhere, the reference's numbers, and nothing on stdout but the result."""

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.files import BuiltFile, Done, sentence
from support.models import DEMO, expected

TEXTS = ["What a wonderful film!", "What a terrible film!"]


def results(done: Done) -> list[dict[str, Any]]:
    """The results of a command that must have gone well and silently."""
    assert (done.returncode, done.stderr) == (0, "")
    body = json.loads(done.stdout)
    assert set(body) == {"results", "model_id"}
    found: list[dict[str, Any]] = body["results"]
    return found


@pytest.mark.parametrize("name", DEMO)
def test_the_numbers_are_those_of_the_reference(name: str, files: Any, tmp_path: Path) -> None:
    entries = [each for each in expected(DEMO[name])["inputs"] if each["text"] and each["text_pair"] is None]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": each["text"]}) + "\n" for each in entries))
    done = files[name].run("infer", "-i", texts)
    assert done.returncode == 0
    answers = json.loads(done.stdout)["results"]
    assert len(answers) == len(entries)
    for answer, entry in zip(answers, entries, strict=True):
        agree(name, answer, entry)


def agree(name: str, answer: dict[str, Any], entry: dict[str, Any]) -> None:
    tolerance = 1e-4
    if name == "embed":
        assert answer["embedding"] == pytest.approx(entry["sentence"], abs=tolerance)
        return
    if name == "sentiment":
        assert answer["logits"] == pytest.approx(entry["logits"], abs=tolerance)
        assert answer["scores"] == pytest.approx(entry["softmax"], abs=tolerance)
        assert answer["predicted_label"] == entry["label"]
        return
    kept = [index for index, special in enumerate(entry["special_tokens_mask"]) if not special]
    assert len(answer["tokens"]) == len(kept)
    for token, index in zip(answer["tokens"], kept, strict=True):
        info = token["token_info"]
        assert [info["start"], info["end"]] == entry["offsets"][index]
        assert (info["token_id"], info["token"]) == (entry["input_ids"][index], entry["tokens"][index])
        assert (token["label"], token["score"]) == (
            entry["labels"][index],
            pytest.approx(entry["scores"][index], abs=tolerance),
        )
        assert token["logits"] == pytest.approx(entry["logits"][index], abs=tolerance)


def test_texts_come_as_arguments(sentiment: BuiltFile) -> None:
    answers = results(sentiment.run("infer", *TEXTS))
    assert [each["predicted_label"] for each in answers] == ["POSITIVE", "NEGATIVE"]


@pytest.mark.parametrize(
    "content",
    [
        "What a wonderful film!\nWhat a terrible film!\n",
        "What a wonderful film!\r\nWhat a terrible film!",
        '{"text": "What a wonderful film!", "id": 1}\n{"text": "What a terrible film!"}\n',
        "\ufeffWhat a wonderful film!\nWhat a terrible film!\n\n\n",
    ],
    ids=["lines", "other line ends", "JSONL", "a byte order mark and blank lines at the end"],
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_texts_come_from_a_file_or_from_stdin(content: str, way: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    source = tmp_path / "texts"
    source.write_bytes(content.encode())
    done = sentiment.run("infer", "-i", source) if way == "file" else sentiment.run("infer", "-i", "-", stdin=content)
    assert results(done) == results(sentiment.run("infer", *TEXTS))


def test_a_text_that_begins_with_a_dash_stands_behind_two(sentiment: BuiltFile) -> None:
    assert len(results(sentiment.run("infer", "--", "--help", "-x"))) == 2


def test_jsonl_is_one_result_a_line(sentiment: BuiltFile) -> None:
    lines = sentiment.run("infer", "-f", "jsonl", *TEXTS).stdout.splitlines()
    assert [json.loads(line) for line in lines] == results(sentiment.run("infer", *TEXTS))


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_an_output_file_gets_what_stdout_would_have_had(form: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    target = tmp_path / "new" / "answer"
    done = sentiment.run("infer", "-f", form, "-o", target, *TEXTS)
    assert (done.returncode, done.stdout) == (0, "")
    (said,) = done.stderr.splitlines()
    assert said.endswith(f" INFO made the folder {target.parent}")
    assert target.read_text() == sentiment.run("infer", "-f", form, *TEXTS).stdout
    assert [path.name for path in target.parent.iterdir()] == ["answer"]


def test_an_output_file_stays_as_it_was_when_the_command_fails(sentiment: BuiltFile, tmp_path: Path) -> None:
    target = tmp_path / "answer"
    target.write_text("older")
    sentence(sentiment.run("infer", "-o", target, "fine", ""))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("answer", "older")]


def test_sentences_are_normalised_as_the_model_says_unless_told(files: Any) -> None:
    def length(*flags: str) -> float:
        (answer,) = results(files["embed"].run("infer", *flags, "hello world"))
        return math.hypot(*answer["embedding"])

    assert length() == pytest.approx(1, abs=1e-6)
    assert length("--normalize") == pytest.approx(1, abs=1e-6)
    assert abs(length("--no-normalize") - 1) > 0.01


def test_many_texts_keep_their_order(sentiment: BuiltFile) -> None:
    texts = [f"{word} number {number}" for number in range(300) for word in ("wonderful", "terrible")]
    answers = results(sentiment.run("infer", "-i", "-", stdin="\n".join(texts)))
    assert [each["predicted_label"] for each in answers] == ["POSITIVE", "NEGATIVE"] * 300


@pytest.mark.proves("ENC Beyond the page", "A text longer than the model's limit")
def test_truncated_texts_are_warned_of_on_stderr(sentiment: BuiltFile) -> None:
    done = sentiment.run("infer", "word " * 400, "short")
    assert (done.returncode, len(json.loads(done.stdout)["results"])) == (0, 2)
    assert done.stderr.endswith("WARNING 1 of 2 texts were truncated at 256 tokens\n")


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_with_overflow_error_a_long_text_is_refused(how: str, sentiment: BuiltFile) -> None:
    flags, env = (["--overflow", "error"], {}) if how == "flag" else ([], {"ENCODERFILE_OVERFLOW": "error"})
    reason = sentence(sentiment.run("infer", *flags, "word " * 400, env=env))
    assert reason.startswith("Invalid input: inputs[0] has more than 256 tokens")


@pytest.mark.parametrize(
    ("stdin", "reason"),
    [
        (b"", "Invalid input: standard input holds no text"),
        (b"\n\n", "Invalid input: standard input holds no text"),
        (b"one\n\ntwo\n", "Invalid input: line 2 is empty"),
        (b'{"text": "one"}\n{"word": "two"}\n', "Invalid input: line 2 is not a JSON object with a text"),
        (b'{"text": "one"}\nplain\n', "Invalid input: line 2 is not a JSON object with a text"),
        (b"one\n\xff\xfe\n", "Invalid input: standard input is not UTF-8 text (byte 4)"),
        (b'{"text": "\\ud800"}\n', "Invalid input: inputs[0] holds a lone surrogate, which is not valid Unicode"),
    ],
    ids=["nothing", "blank lines", "an empty line", "no text", "no JSON", "no UTF-8", "a lone surrogate"],
)
def test_input_without_texts_is_one_sentence(stdin: bytes, reason: str, sentiment: BuiltFile) -> None:
    assert sentence(sentiment.run("infer", "-i", "-", stdin=stdin)) == reason


def test_an_empty_argument_is_refused_as_over_the_wires(sentiment: BuiltFile) -> None:
    assert sentence(sentiment.run("infer", "one", "")) == "Invalid input: empty text sequence (inputs[1])"


def test_a_file_that_is_not_there_is_one_sentence(sentiment: BuiltFile, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert sentence(sentiment.run("infer", "-i", missing)) == f"cannot read {missing}: No such file or directory"


def test_a_text_too_long_is_counted_from_the_start_of_the_file(sentiment: BuiltFile, tmp_path: Path) -> None:
    source = tmp_path / "texts.txt"
    source.write_text("short\n" * 300 + "long " * 300)
    done = sentiment.run("infer", "-i", source, "--overflow", "error")
    assert done.returncode == 1
    assert "inputs[300] has more than 256 tokens" in done.stderr


def test_a_first_line_whose_text_is_not_a_string_is_named(sentiment: BuiltFile) -> None:
    done = sentiment.run("infer", "-i", "-", stdin='{"text": 1}\n{"text": "fine"}\n')
    assert done.returncode == 1
    assert "line 1 is not a JSON object with a text" in done.stderr


def test_a_full_stdout_is_one_sentence(sentiment: BuiltFile) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sentiment.path, "infer", "good"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=sentiment.environment(),
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode() == "error: cannot use the output: No space left on device\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.csv", "id,text\n1,What a wonderful film!\n2,What a terrible film!\n"),
        ("texts.tsv", "text\tid\nWhat a wonderful film!\t1\nWhat a terrible film!\t2\n"),
        ("texts.json", json.dumps(TEXTS)),
        ("texts.txt", json.dumps([{"text": text} for text in TEXTS])),
    ],
)
def test_a_file_is_read_as_what_it_is(name: str, content: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert results(sentiment.run("infer", "-i", tmp_path / name)) == results(sentiment.run("infer", *TEXTS))


def test_what_is_piped_in_is_never_read_as_lines_of_another_kind(sentiment: BuiltFile) -> None:
    content = "id,text\n1,What a wonderful film!\n2,What a terrible film!\n"
    assert "standard input looks like CSV" in sentence(sentiment.run("infer", "-i", "-", stdin=content))
    done = sentiment.run("infer", "-i", "-", "--input-format", "csv", stdin=content)
    assert results(done) == results(sentiment.run("infer", *TEXTS))


def test_pairs_come_from_a_file(sentiment: BuiltFile, files: Any, tmp_path: Path) -> None:
    source = tmp_path / "pairs.jsonl"
    source.write_text('{"text": "What a film", "text_pair": "It was terrible."}\n{"text": "What a film"}\n')
    pair, single = results(sentiment.run("infer", "-i", source))
    assert pair["logits"] != single["logits"]
    assert "inputs[0] is a text pair" in sentence(files["embed"].run("infer", "-i", source))
    assert "inputs[0] is a text pair" in sentence(files["ner"].run("infer", "--entities", "-i", source))
    assert len(results(files["embed"].run("infer", "-i", source, "--column", "text"))) == 2


@pytest.mark.parametrize("flags", [("--max-inputs", "1"), ("--max-queue", "1"), ("--max-inputs", "2")])
def test_any_limits_of_a_server_are_enough(flags: tuple[str, ...], sentiment: BuiltFile) -> None:
    texts = [*TEXTS, *TEXTS, TEXTS[0]]
    answers = results(sentiment.run("infer", *flags, *texts))
    assert [each["predicted_label"] for each in answers] == ["POSITIVE", "NEGATIVE"] * 2 + ["POSITIVE"]


def test_a_strategy_that_is_taken_as_a_text_is_warned_of(files: Any) -> None:
    done = files["ner"].run("infer", "--entities", "max", "Anna lives in Paris")
    assert (done.returncode, len(json.loads(done.stdout)["results"])) == (0, 2)
    assert done.stderr.endswith("WARNING max is taken as a text: for the strategy write --entities=max\n")
    assert files["ner"].run("infer", "--entities=max", "max").stderr == ""


def test_a_file_that_is_taken_as_a_text_is_warned_of(sentiment: BuiltFile, tmp_path: Path) -> None:
    source = tmp_path / "texts.txt"
    source.touch()
    done = sentiment.run("infer", source)
    assert (done.returncode, len(json.loads(done.stdout)["results"])) == (0, 1)
    assert done.stderr.endswith(f"WARNING {source} is taken as a text: for the file write -i {source}\n")


def test_a_prompt_is_put_before_every_text(files: Any) -> None:
    def vectors(*arguments: str) -> list[Any]:
        return [each["embedding"] for each in results(files["embed"].run("infer", *arguments))]

    assert vectors("--prompt", "query: ", "a", "b") == vectors("query: a", "query: b")
    reason = sentence(files["embed"].run("infer", "--prompt-name", "query", "a"))
    assert reason.startswith("Invalid input: the prompt_name 'query' is not a prompt of this model")


@pytest.mark.parametrize("flags", [("--normalize",), ("--no-normalize",), ("--prompt", "a"), ("--prompt-name", "a")])
def test_a_flag_for_vectors_is_refused_by_a_model_of_labels(flags: tuple[str, ...], sentiment: BuiltFile) -> None:
    assert flags[0] in sentence(sentiment.run("infer", *flags, "a"))
