"""`encoderfile check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from encoderfile.cli.options import model_options
from encoderfile.console import printable


@click.command()
@model_options
def check(model_dir: Path | None, config_file: Path | None, **flags: Any) -> None:
    """Say whether MODEL_DIR can be built, and as what; writes nothing."""
    from encoderfile.builder.check import check as check_folder
    from encoderfile.builder.config_flags import from_flags

    if model_dir is None and config_file is None:
        raise click.UsageError("no model given: name its folder, or a YAML file with -f")
    rows = check_folder(from_flags(model_dir, config_file, **flags)).rows()
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(printable(f"{label:<{width}}  {value}"))
