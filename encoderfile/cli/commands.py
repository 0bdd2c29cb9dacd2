"""The `encoderfile` command and its subcommands."""

from __future__ import annotations

import click

import encoderfile
from encoderfile.cli.build import build
from encoderfile.cli.check import check
from encoderfile.cli.inspect import inspect
from encoderfile.cli.upgrade import extract, upgrade
from encoderfile.options import CONTEXT


@click.group(context_settings=CONTEXT)
@click.version_option(encoderfile.__version__, message="encoderfile %(version)s")
def cli() -> None:
    """Turn an exported ONNX encoder and its tokenizer into one self-contained executable."""


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"encoderfile {encoderfile.__version__}")


for command in (build, check, inspect, upgrade, extract):
    cli.add_command(command)
