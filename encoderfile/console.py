"""How a command of either program fails: one sentence on stderr, in one form, and its exit code."""

from __future__ import annotations

import json
import signal
import traceback
from pathlib import Path
from typing import Any

import click

from encoderfile.errors import ContainerError, EncoderfileError

_LONGEST = 2000
"""Characters of a sentence: a model's files may give anything a name of a megabyte."""


def printable(text: str) -> str:
    """`text` on one line, and without what a terminal would obey: a model's files may hold anything."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def say(line: str) -> None:
    """One line on stderr: a step, or what was found."""
    click.echo(printable(line), err=True)


def json_text(value: Any) -> bytes:
    """`value` as JSON for people. Lone surrogates, which no text holds but a file's name may, are written escaped."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False).encode(errors="backslashreplace")
    except RecursionError as error:
        raise ContainerError("the values inside are nested too deep to be printed: build the file again") from error


def explain(error: BaseException) -> int:
    """Says what went wrong and returns the exit code: 1 failure, 2 wrong usage, 130 Ctrl-C.

    Raises `error` again when it is none of those that are meant for a user.
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
        if not isinstance(error, BrokenPipeError):  # whoever read our output left: nothing to say
            _fail(f"cannot use {error.filename or 'the output'}: {error.strerror or error}")
    else:
        raise error
    return 1


def _fail(sentence: str) -> None:
    say(f"error: {sentence if len(sentence) <= _LONGEST else f'{sentence[:_LONGEST]} ...'}")


def unforeseen(error: BaseException) -> int:
    """Says that a failure is ours, with all that a report of it needs, and returns the exit code."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}"[:300]
    where = f"{Path(place.filename).name}, line {place.lineno}"
    _fail(f"encoderfile itself failed ({what}, in {where}): please report it with the command")
    return 1
