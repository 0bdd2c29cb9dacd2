"""One form of errors for both programs, and signals from the first moment on."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from encoderfile.cli.commands import cli as builder
from encoderfile.console import explain, json_text, printable
from encoderfile.errors import ConfigError
from encoderfile.runtime.cli import cli as built


def explained(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = explain(error)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


@pytest.mark.parametrize("program", [builder, built], ids=["the builder", "the built file"])
def test_wrong_usage_says_how_to_get_help_and_ends_like_every_error(
    program: click.Group, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(click.UsageError) as raised:
        program.main(["nonsense"], prog_name="program", standalone_mode=False)
    assert explained(raised.value, capsys) == (
        2,
        "Usage: program [OPTIONS] COMMAND [ARGS]...\nTry 'program -h' for help.\n\n"
        "error: No such command 'nonsense'.\n",
    )


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ConfigError("the flag is wrong: give another"), 1, "error: the flag is wrong: give another\n"),
        (ConfigError("a\nb\x1b[31m\udcff"), 1, "error: a\\nb\\x1b[31m\\udcff\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/x"),
            1,
            "error: cannot use /x: No space left on device\n",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, ""),
        (MemoryError(), 1, "error: there is not enough memory: give this command more, or a smaller model\n"),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
    ],
)
def test_each_failure_is_one_sentence(
    error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explained(error, capsys) == (code, text)


def test_a_sentence_has_its_length(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(explained(ConfigError("x" * 1_000_000), capsys)[1]) < 2100


def test_what_nobody_foresaw_is_raised_again() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())


def test_text_for_a_terminal_holds_nothing_it_would_obey() -> None:
    assert printable("Zürich 東京") == "Zürich 東京"
    assert printable("a\rb\x9b1m\u202e") == "a\\rb\\x9b1m\\u202e"


def test_json_of_a_name_that_is_not_unicode_is_json() -> None:
    assert json_text({"path": "\udcff"}) == b'{\n  "path": "\\udcff"\n}'


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, finding the modules of `folder` before all others."""
    return subprocess.run(
        [sys.executable, "-c", "from encoderfile.cli.main import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_command_is_still_being_imported(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(f"import os, signal\nos.kill(os.getpid(), {int(number)})\n")
    done = run(tmp_path, "version")
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_work_and_an_impatient_second_one(number: signal.Signals, tmp_path: Path) -> None:
    # Stands in for the library that reads the config; what it does comes from inside the command's work.
    (tmp_path / "yaml.py").write_text(
        "import os\n"
        "try:\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "finally:\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    print('cleaned up', flush=True)\n"
    )
    done = run(tmp_path, "check", "folder")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (128 + number, "cleaned up\n", "")


def test_a_fault_of_ours_is_a_sentence_too(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("raise ZeroDivisionError('by\\nzero')\n")
    done = run(tmp_path, "check", "folder")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: encoderfile itself failed (ZeroDivisionError: by\\nzero, in yaml.py, line 1): "
        "please report it with the command\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_a_library_makes_another_error_of(number: signal.Signals, tmp_path: Path) -> None:
    # As numpy does when Ctrl-C comes while its C modules are imported.
    (tmp_path / "yaml.py").write_text(
        "import os\n"
        "try:\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "except BaseException as error:\n"
        "    raise ImportError('initialization failed') from error\n"
    )
    done = run(tmp_path, "check", "folder")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (128 + number, "", "")
