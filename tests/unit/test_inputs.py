"""`infer -i`: a file is read as what it is, or refused with a sentence; never as lines of text by mistake."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from encoderfile.errors import ConfigError, InputError
from encoderfile.runtime.inputs import texts
from encoderfile.runtime.rows import READERS
from encoderfile.settings import INPUT_FORMATS
from support.refusals import one_sentence


def read(folder: Path, name: str, content: str | bytes, form: str | None = None, column: str | None = None) -> Any:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return texts((), str(path), form, column)


def refusal(folder: Path, name: str, content: str | bytes, form: str | None = None, column: str | None = None) -> str:
    with pytest.raises((InputError, ConfigError)) as refused:
        read(folder, name, content, form, column)
    return one_sentence(refused.value).replace(f"{folder}/", "")


def test_every_format_has_its_reader() -> None:
    assert tuple(READERS) == INPUT_FORMATS


CSV = 'id,text\n1,"good, really"\n2,"two\nlines"\n3,"say ""yes"""\n'


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.txt", "good\nbad\n", ["good", "bad"]),
        ("a", "\ufeffgood\r\nbad\r\n\r\n", ["good", "bad"]),
        ("a.text", "one, two\nthree, four", ["one, two", "three, four"]),
        ("a.txt", "[INFO] good\nbad", ["[INFO] good", "bad"]),
        ("a.txt", "{name} is here", ["{name} is here"]),
        ("a.txt", '"quoted" he said\n5', ['"quoted" he said', "5"]),
        ("a.csv", CSV, ["good, really", "two\nlines", 'say "yes"']),
        ("A.CSV", "\ufefftext\r\ngood\r\n", ["good"]),
        ("a.csv", "text,text_pair\ngood,bad\n", [("good", "bad")]),
        ("a.tsv", "id\ttext\n1\tgood, really\n", ["good, really"]),
        ("a.json", '["good",\n "bad"]', ["good", "bad"]),
        ("a.json", '[{"text": "good", "id": 1}, "bad"]', ["good", "bad"]),
        ("a.json", '{\n "text": "good"\n}', ["good"]),
        ("a.json", '{"text": "good"}\n{"text": "bad"}\n', ["good", "bad"]),
        ("a.jsonl", '{"text": "good"}\n"bad"\n', ["good", "bad"]),
        ("a.ndjson", '{"text": "good", "text_pair": "bad"}\n', [("good", "bad")]),
        ("a.jsonl", '{"text": "good", "text_pair": null}\n', ["good"]),
        ("a.txt", '["good", "bad"]', ["good", "bad"]),
        ("a", '{"text": "good"}\n{"text": "bad"}\n\n', ["good", "bad"]),
        ("a", '\n {"text": "good"}', ["good"]),
    ],
)
def test_the_kind_is_told_by_the_name_or_by_the_content(
    name: str, content: str, found: list[Any], tmp_path: Path
) -> None:
    assert read(tmp_path, name, content) == found


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", "id,text\n1,good\n", "a.txt looks like CSV, its first line names a column text"),
        ("a", "text\tlabel\ngood\t1\n", "a looks like TSV"),
        ("a", '"id","Text"\n1,good\n', "a looks like CSV"),
        ("a", '[\n  "good",\n  "bad"\n', "a begins like JSON, but is not"),
        ("a", '{"text": "good"\n{"text": "bad"}\n', "a begins like JSON, but is not"),
        ("a.txt", '["good", "bad"]\n["good"]\n', "line 1 is not a JSON object with a text"),
        ("a.txt", '{"inputs": ["good"]}', "the one entry is not a JSON object with a text"),
        ("a.txt", "[1, 2]", "entry 1 is not a JSON object with a text"),
        ("a.json", "good\nbad", "the file is not JSON ("),
        ("a.json", "[" * 100_000, "the file is not JSON ("),
        ("a.json", "null", "the one entry is not a JSON object with a text"),
        ("a.json", "[]", "a.json holds no text"),
        ("a.jsonl", "good\n", "line 1 is not a JSON object with a text"),
        ("a.jsonl", '{"text": "good"}\n\n{"text": "bad"}', "line 2 is not a JSON object with a text"),
        ("a.jsonl", '{"text": "good"}\n{"word": "bad"}', "line 2 is not a JSON object with a text"),
        ("a.jsonl", '{"text": ""}', "line 1 is not a JSON object with a text"),
        ("a.jsonl", '{"text": "good", "text_pair": 1}', "line 1 has a text_pair that is not a string"),
        ("a.csv", "good\nbad\n", "the first line has no column text, only good: choose the texts with --column"),
        ("a.csv", "id;text\n1;good\n", "the first line has no column text, only id;text"),
        ("a.csv", "text,text\ngood,bad\n", "the first line has the column text more than once"),
        ("a.csv", "id,text\n1,good\n2,bad,worse\n", "line 3 has 3 fields and the first line 2"),
        ("a.csv", "id,text\n1,good\n\n2,bad\n", "line 3 is empty"),
        ("a.csv", "id,text\n1,\n", "line 2 has no text in text"),
        ("a.csv", 'id,text\n1,"good\n', "line 2 is not what the format has (unexpected end of data)"),
        ("a.csv", "id,text\n", "a.csv holds no text"),
        ("a.csv", "", "the first line has no column text"),
        ("a.txt", "", "a.txt holds no text"),
        ("a.txt", "good\n\nbad", "line 2 is empty"),
        (
            "a.xml",
            "<a/>",
            "a.xml has a name that tells no kind of file that is read here (.xml): say what it is with",
        ),
        ("a.md", "# a", "a.md has a name that tells no kind of file"),
        ("a.csv.gz", gzip.compress(b"text\ngood\n", mtime=0), "a.csv.gz is packed with gzip: unpack it"),
        ("a.txt", gzip.compress(b"good\n", mtime=0), "a.txt is packed with gzip"),
        ("a.parquet", b"PAR1\x15\x04", "a.parquet is a Parquet file: convert it"),
        ("a.xlsx", b"PK\x03\x04", "a.xlsx is a ZIP file (as those of Word and Excel are): convert it"),
        ("a.txt", "good".encode("utf-16"), "a.txt is text in UTF-16: convert it to UTF-8"),
        ("a", b"\x7fELF\0", "a is a binary file (byte 4 is zero)"),
        ("a", b"good\xff", "a is not UTF-8 text (byte 4)"),
    ],
)
def test_what_cannot_be_read_as_it_is_is_refused(name: str, content: str | bytes, words: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, name, content).removeprefix("Invalid input: ").startswith(words)


@pytest.mark.parametrize(
    ("name", "content", "form", "found"),
    [
        ("a.md", "# a\n", "text", ["# a"]),
        ("a.csv", "one, two\n", "text", ["one, two"]),
        ("a.json", '["a"]\n', "text", ['["a"]']),
        ("a.txt", "text\ngood\n", "csv", ["good"]),
        ("a.log", "text\ta\ngood\t1\n", "tsv", ["good"]),
        ("a.dat", '"good"', "json", ["good"]),
        ("a.txt", '{"text": "good"}', "jsonl", ["good"]),
    ],
)
def test_the_flag_wins_over_name_and_content(
    name: str, content: str, form: str, found: list[str], tmp_path: Path
) -> None:
    assert read(tmp_path, name, content, form) == found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "id,body,text_pair\n1,good,x\n"),
        ("a.tsv", "id\t body \n1\tgood\n"),
        ("a.jsonl", '{"text": "x", "body": "good", "text_pair": "x"}\n'),
        ("a.json", '[{"body": "good"}]'),
    ],
)
def test_a_column_is_chosen_by_its_name(name: str, content: str, tmp_path: Path) -> None:
    assert read(tmp_path, name, content, column="body") == ["good"]
    assert "nowhere" in refusal(tmp_path, name, content, column="nowhere")


def test_lines_of_text_have_no_columns(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.txt", "good\n", column="text") == (
        "--column is for JSON and CSV, and a.txt is read as one text a line: leave it out"
    )


def test_arguments_are_texts_whatever_they_look_like() -> None:
    assert texts(("a.csv", '["a"]'), None, None, None) == ["a.csv", '["a"]']
