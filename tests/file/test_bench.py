"""`bench` in a real file: a table, and the flags that suit this machine."""

import re
from pathlib import Path

from support.files import BuiltFile, sentence


def test_bench_tries_settings_on_built_in_texts_and_advises_one_of_them(sentiment: BuiltFile) -> None:
    done = sentiment.run("bench", "--threads", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("200 texts of ")
    tried = [line.split()[:2] for line in lines if re.match(r" +1 ", line)]
    assert tried == [["1", budget] for budget in ("256", "512", "1024", "2048", "4096")]
    advised = re.fullmatch(r"--threads (\d+) --max-batch-tokens (\d+)", lines[-1])
    assert advised is not None
    assert list(advised.groups()) in tried


def test_bench_measures_the_texts_of_a_file_under_the_settings_given(sentiment: BuiltFile, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\nthree more words\n")
    done = sentiment.run("bench", "-i", texts, "--threads", "1", "--max-batch-tokens", "64")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 texts of 3 to 16 characters on cpu")
    assert done.stdout.endswith("\n--threads 1 --max-batch-tokens 64\n")


def test_bench_needs_texts(sentiment: BuiltFile) -> None:
    done = sentiment.run("bench", "-i", "-", stdin="")
    assert done.returncode == 1
    assert sentence(done) == "Invalid input: standard input holds no text"


def test_bench_reads_a_file_as_what_it_is(sentiment: BuiltFile, tmp_path: Path) -> None:
    texts = tmp_path / "texts.csv"
    texts.write_text("id,text\n1,one\n2,three more words\n")
    done = sentiment.run("bench", "-i", texts, "--threads", "1", "--max-batch-tokens", "64", "--max-queue", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 texts of 3 to 3 characters on cpu")
