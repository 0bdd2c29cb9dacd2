"""Writes docs/cli.md from the commands' own `--help`. Run by `make docs`; a test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from encoderfile.cli.commands import cli as builder
from encoderfile.runtime.cli import cli as built

PAGE = Path(__file__).with_name("cli.md")

_HEAD = """\
# Commands and flags

Written by `make docs` from what `--help` prints.
"""

_PROGRAMS = (
    ("encoderfile", builder, "The builder", "Steps go to stderr, results to stdout."),
    (
        "my-model.encoderfile",
        built,
        "The built file",
        "Flags with an environment variable are read from there too; a flag wins.",
    ),
)


def text() -> str:
    """The whole page."""
    parts = [_HEAD]
    for name, command, title, note in _PROGRAMS:
        parts.append(f"## {title}\n\n{note}\n")
        parts += [f"### `{path}`\n\n```text\n{help_}\n```\n" for path, help_ in _commands(command, name)]
    return "\n".join(parts)


def _commands(command: click.Command, path: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """A command's path and help, then those of its subcommands."""
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent, **command.context_settings)
    context.terminal_width = 110
    yield path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, f"{path} {name}", context)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
