"""`encoderfile upgrade` and `encoderfile extract`, which take a file that is already built."""

from __future__ import annotations

import os
from pathlib import Path

import click

from encoderfile.cli.options import CACHE_DIR, PATH
from encoderfile.console import say


@click.command()
@click.argument("file", type=PATH)
@click.option("-o", "--output-path", type=PATH, help="Write a new file.  [default: replace FILE]")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="Change what the runtime is built for.  [default: the same]"
)
@CACHE_DIR
def upgrade(file: Path, output_path: Path | None, device: str | None, cache_dir: Path | None) -> None:
    """Give a built FILE the runtime of this version; the model in it stays the same, byte for byte."""
    from encoderfile.builder.upgrade import upgrade as upgrade_file

    click.echo(os.fsencode(upgrade_file(file, output_path, device, cache_dir, say)))


@click.command()
@click.argument("file", type=PATH)
@click.argument("folder", type=PATH)
def extract(file: Path, folder: Path) -> None:
    """Write the model folder in a built FILE to FOLDER."""
    from encoderfile.builder.extract import extract as extract_file

    extract_file(file, folder, say)
    click.echo(os.fsencode(folder))
