"""A built file at a terminal: answers, addresses and measurements for eyes, and JSON as ever in a pipe."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from encoderfile.runtime.widths import width
from support.files import PATIENCE, BuiltFile
from support.kinds import KINDS
from support.terminals import OnTerminal, plain

ATTACK = "\x1b]0;owned\x07\x1b[2J \u202e日本語 שלום"
TYPES = {
    "sentiment": (),
    "ner": (),
    "embed": (),
    "gliclass": ("--labels", "travel,sport"),
    "gliner-span": ("--labels", "person,city", "--threshold", "0.1"),
    "colbert": (),
}
"""Of every shape of an answer one file, and the flags that it needs."""


def on_terminal(file: BuiltFile, *arguments: str | Path, columns: int = 80, **env: str) -> OnTerminal:
    assert file.run("--version").returncode == 0  # the first start unpacks the runtime, and shows how far it is
    return OnTerminal([file.path, *arguments], file.environment(**env), columns, file.path.parent)


@pytest.fixture(scope="module")
def built(files: Any) -> Any:
    """`built("gliclass")` is a file of a kind, or of a demonstration model."""
    made: dict[str, BuiltFile] = {}

    def make(name: str) -> BuiltFile:
        if name not in made:
            made[name] = files.build(name, KINDS[name]) if name in KINDS else files[name]
        return made[name]

    return make


@pytest.mark.parametrize("columns", [40, 100])
@pytest.mark.parametrize("name", TYPES)
def test_answers_fit_the_terminal_and_obey_nothing_of_the_text(name: str, columns: int, built: Any) -> None:
    with on_terminal(built(name), "infer", *TYPES[name], "A text", ATTACK, columns=columns) as command:
        text = command.end()
    lines = plain(text).splitlines()
    assert "1  A text" in lines
    assert "\\x1b]0;owned\\x07\\x1b[2J \\u202e日本語 שלום"[: columns // 4] in plain(text)
    assert "\x1b[" in text
    assert not [line for line in lines if width(line) >= columns]
    assert not {"\x1b", "\x07", "\u202e"} & set(plain(text))


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "TERM=dumb"])
def test_a_person_may_want_no_colour(variable: dict[str, str], sentiment: BuiltFile) -> None:
    with on_terminal(sentiment, "infer", "This is great!", **variable) as command:
        text = command.end()
    assert "\x1b" not in text
    assert re.fullmatch(r"1  This is great!\n   0\.9\d\d  ━+╸? +POSITIVE\n   0\.0\d\d  ━*╸? +NEGATIVE\n", text)


def test_a_pipe_gets_json_though_a_person_watches(sentiment: BuiltFile) -> None:
    command = ["sh", "-c", '"$1" infer "This is great!" | cat', "sh", str(sentiment.path)]
    with OnTerminal(command, sentiment.environment()) as piped:
        assert json.loads(piped.end()) == json.loads(sentiment.run("infer", "This is great!").stdout)


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_is_to_be_had_on_a_terminal(form: str, sentiment: BuiltFile) -> None:
    with on_terminal(sentiment, "infer", "-f", form, "This is great!") as command:
        assert command.end() == sentiment.run("infer", "-f", form, "This is great!").stdout


def test_a_table_is_to_be_had_in_a_file_without_colour(sentiment: BuiltFile) -> None:
    done = sentiment.run("infer", "-f", "table", "This is great!")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1  This is great!\n   0.9")
    assert done.stdout.endswith("NEGATIVE\n")
    assert done.stdout.replace("\n", "").isprintable()


def test_an_encoding_without_lines_is_no_failure(sentiment: BuiltFile) -> None:
    done = subprocess.run(
        [sentiment.path, "infer", "-f", "table", "This is great! 日本語"],
        env=sentiment.environment(PYTHONIOENCODING="latin-1", LC_ALL="C"),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"1  This is great! ")


@pytest.mark.parametrize("name", TYPES)
def test_the_request_that_serve_prints_works_as_it_stands(name: str, built: Any, tmp_path: Path) -> None:
    addresses = (
        "--http-port",
        "0",
        "--http-hostname",
        "127.0.0.1",
        "--grpc-port",
        "0",
        "--grpc-hostname",
        "127.0.0.1",
    )
    with on_terminal(built(name), "serve", *addresses, "--api-key", "secret") as server:
        shown = plain(server.until(" ready\n"))
        request = next(line for line in shown.splitlines() if line.startswith("  curl "))
        answer = answered(request, KEY="secret")
        assert answer["model_id"] == name
        page = re.search(r"^  page +(http://127\.0\.0\.1:\d+/)$", shown, re.MULTILINE)
        assert page is not None
        found = subprocess.run(
            ["curl", "-sS", "-H", "Accept: text/html", page[1]], capture_output=True, text=True, check=True
        )
        assert "<html" in found.stdout
        assert "HTTP on" not in shown
        server.process.send_signal(signal.SIGINT)
        assert server.end().endswith(" INFO stopped\n")


def answered(request: str, **variables: str) -> dict[str, Any]:
    """What a line of curl that is typed into a shell gives."""
    done = subprocess.run(
        ["bash", "-c", request.replace("curl ", "curl -sS ", 1)],
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    body: dict[str, Any] = json.loads(done.stdout)
    return body


def test_the_request_for_a_socket_works_as_it_stands(sentiment: BuiltFile, tmp_path: Path) -> None:
    socket = tmp_path / "a socket"
    with sentiment.serve("--http-hostname", f"unix:{socket}", "--disable-grpc") as server:
        request = re.search(r"try (curl .*)", server.text)
        assert request is not None
        assert answered(request[1])["results"][0]["predicted_label"] == "POSITIVE"


def test_bench_draws_bars_on_a_terminal(sentiment: BuiltFile, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("one\nthree more words\n")
    given = ("-i", tmp_path / "texts.txt", "--threads", "1", "--max-batch-tokens", "64")
    with on_terminal(sentiment, "bench", *given, NO_COLOR="1") as command:
        text = command.end()
    assert re.search(r"\n +1 +64 +\d+  ━+  \d+ MB\n", text), text
    assert text.endswith("best here: --threads 1 --max-batch-tokens 64\n")


def test_help_shows_commands_that_work_as_they_stand(built: Any) -> None:
    for name in ("sentiment", "gliclass"):
        file = built(name)
        text = file.run("--help", cwd=file.path.parent).stdout
        (example,) = re.findall(r"^ +(\S+ infer .*)$", text, re.MULTILINE)
        assert example.startswith(f"./{file.path.name} infer ")
        done = subprocess.run(
            ["bash", "-c", example],
            cwd=file.path.parent,
            env=file.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert (done.returncode, len(json.loads(done.stdout)["results"])) == (0, 1), done.stderr


def test_help_names_the_file_by_its_path_where_it_is_elsewhere(sentiment: BuiltFile, tmp_path: Path) -> None:
    assert f"{sentiment.path} serve\n" in sentiment.run("--help", cwd=tmp_path).stdout
    found = sentiment.run("--help", cwd=tmp_path, env={"PATH": f"{sentiment.path.parent}:/usr/bin:/bin"}).stdout
    assert f" {sentiment.path.name} serve\n" in found
    assert f"{sentiment.path} serve\n" not in found


def test_an_error_is_red_on_a_terminal(sentiment: BuiltFile) -> None:
    with on_terminal(sentiment, "infer", "") as command:
        command.until("\0")
        assert command.process.wait(PATIENCE) == 1
    assert command.text == "\x1b[1;31merror:\x1b[0m Invalid input: empty text sequence (inputs[0])\n"
