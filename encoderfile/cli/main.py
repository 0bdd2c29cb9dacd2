"""The `encoderfile` command."""

from __future__ import annotations

import signal
import sys

import click

import encoderfile
from encoderfile.cli.build import build
from encoderfile.cli.check import check
from encoderfile.cli.inspect import inspect
from encoderfile.cli.upgrade import extract, upgrade
from encoderfile.errors import EncoderfileError
from encoderfile.settings import CONTEXT


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


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 failure, 2 wrong usage, 130 on Ctrl-C."""
    # As an exception, so that a build that is ended takes its helpers and its temporary files along.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 128 + signal.SIGINT
    except EncoderfileError as error:
        click.echo(f"error: {error}", err=True)
        code = 1
    sys.exit(code or 0)
