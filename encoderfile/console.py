"""How a command of either program fails: one sentence on stderr, in one form, and its exit code."""

from __future__ import annotations

import signal

import click

from encoderfile.errors import EncoderfileError

_LONGEST = 2000
"""Characters of a sentence: a model's files may give anything a name of a megabyte."""


def printable(text: str) -> str:
    """`text` on one line, and without what a terminal would obey: a model's files may hold anything."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


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
        _say(error.format_message())
        return error.exit_code
    if isinstance(error, EncoderfileError):
        _say(str(error))
    elif isinstance(error, MemoryError):
        _say("there is not enough memory: give this command more, or a smaller model")
    elif isinstance(error, OSError):
        if not isinstance(error, BrokenPipeError):  # whoever read our output left: nothing to say
            _say(f"cannot use {error.filename or 'the output'}: {error.strerror or error}")
    else:
        raise error
    return 1


def _say(sentence: str) -> None:
    shown = printable(sentence)
    click.echo(f"error: {shown if len(shown) <= _LONGEST else f'{shown[:_LONGEST]} ...'}", err=True)
