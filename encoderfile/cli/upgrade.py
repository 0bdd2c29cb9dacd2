"""`encoderfile upgrade` and `encoderfile extract`: what can be done with a file that is already built."""

from __future__ import annotations

import os
from pathlib import Path

import click

from encoderfile.console import say


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output-path", type=click.Path(path_type=Path), help="A new file.  [default: replace FILE]")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="Another runtime than FILE has.  [default: the same]"
)
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Where the frozen runtime is kept.")
def upgrade(file: Path, output_path: Path | None, device: str | None, cache_dir: Path | None) -> None:
    """Give a built FILE the runtime of this version; the model in it stays byte for byte."""
    from encoderfile.builder import build as builder

    click.echo(os.fsencode(builder.upgrade(file, output_path, device, cache_dir, say)))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
def extract(file: Path, folder: Path) -> None:
    """Write the model folder in a built FILE back to FOLDER."""
    from encoderfile.builder import build as builder

    builder.extract(file, folder, say)
    click.echo(os.fsencode(folder))
