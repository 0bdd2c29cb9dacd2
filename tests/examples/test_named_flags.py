"""No page names a flag that no command has."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from encoderfile.cli.commands import cli as builder
from encoderfile.runtime.cli import cli as built
from support.models import ROOT

OTHERS = {"--cli", "--enable-shared", "--library-name", "--method", "--model", "--task", "--tmpfs"}
"""Flags of Python's configure script, of optimum, of the MCP Inspector and of Docker."""

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])


def flags(command: click.Command, parent: click.Context | None = None) -> Iterator[str]:
    """The flags of a command and of its subcommands."""
    context = click.Context(command, parent=parent, **command.context_settings)
    for parameter in command.get_params(context):
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from flags(each, context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_flag_that_a_page_names_is_one_of_a_command(page: Path) -> None:
    named = set(re.findall(r"`[^`\n]*?(--[a-z][a-z-]+)", page.read_text(encoding="utf-8")))
    assert named - {*flags(builder), *flags(built)} - OTHERS == set()
