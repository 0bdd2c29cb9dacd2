"""No page names a flag that no command has."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from encoderfile.cli.commands import cli as builder
from encoderfile.runtime.cli import cli as built
from support.models import ROOT

OTHERS = {
    *("--cli", "--enable-shared", "--env", "--library-name", "--method", "--model", "--network", "--task", "--time"),
    "--tmpfs",
}
"""Flags of Python's configure script, of optimum, of the MCP Inspector and of Docker."""

OF_TEI = {
    "--auto-truncate",
    "--cors-allow-origin",
    "--default-prompt-name",
    "--dense-path",
    "--dtype",
    "--hf-token",
    "--hostname",
    "--huggingface-hub-cache",
    "--json-output",
    "--max-batch-requests",
    "--max-client-batch-size",
    "--max-concurrent-requests",
    "--model-id",
    "--otlp-endpoint",
    "--otlp-service-name",
    "--payload-limit",
    "--pooling",
    "--port",
    "--prometheus-port",
    "--revision",
    "--served-model-name",
    "--tokenization-workers",
}
"""Flags of text-embeddings-inference, which one page compares with ours."""

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
    others = OTHERS | (OF_TEI if page.name == "from-tei.md" else set())
    assert named - {*flags(builder), *flags(built)} - others == set()
