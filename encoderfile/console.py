"""How the commands of both programs report failures: one sentence on stderr, and the exit code."""

from __future__ import annotations

import json
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from encoderfile.errors import ContainerError, EncoderfileError
from encoderfile.terminal import Screen

_LONGEST = 2000
"""Characters of a sentence, at most: a name in a model's files may be a megabyte long."""


def printable(text: str) -> str:
    """`text` on one line, without control characters: a model's files may contain anything."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def say(line: str) -> None:
    """Prints one line on stderr: a step, or a finding."""
    click.echo(printable(line), err=True)


def json_text(value: Any) -> bytes:
    """`value` as indented JSON. Lone surrogates, which a file's name may contain, are escaped."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False).encode(errors="backslashreplace")
    except RecursionError as error:
        raise ContainerError(
            "the values in the file are nested too deep to be printed: build the file again"
        ) from error


def explain(error: BaseException) -> int:
    """Prints what went wrong and returns the exit code: 1 failure, 2 wrong usage, 130 Ctrl-C.

    Raises `error` again when it is not one that is meant for users.
    """
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if isinstance(error, click.UsageError) and error.ctx is not None:
        names = error.ctx.help_option_names
        click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} {names[0]}' for help.\n", err=True)
    if isinstance(error, click.ClickException):
        _fail(error.format_message())
        return error.exit_code
    if isinstance(error, EncoderfileError):
        _fail(str(error))
    elif isinstance(error, MemoryError):
        _fail("there is not enough memory: give this command more, or a smaller model")
    elif isinstance(error, OSError):
        if not isinstance(error, BrokenPipeError):  # the reader of our output has gone: nothing to say
            _fail(f"cannot use {error.filename or 'the output'}: {error.strerror or error}")
    else:
        raise error
    return 1


def _fail(sentence: str) -> None:
    if len(sentence) > _LONGEST:  # the reason and the advice are at the end
        sentence = f"{sentence[: _LONGEST // 2]} ... {sentence[-_LONGEST // 2 :]}"
    click.echo(f"{Screen.of(sys.stderr).styled('error:', 'bold red')} {printable(sentence)}", err=True)


def unforeseen(error: BaseException) -> int:
    """Prints that the failure is ours, with all that a report needs, and returns the exit code."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}"[:300]
    where = f"{Path(place.filename).name}, line {place.lineno}"
    _fail(f"encoderfile itself failed ({what}, in {where}): please report it with the command")
    return 1
