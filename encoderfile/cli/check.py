"""`encoderfile check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from encoderfile.cli.options import build_config, model_options
from encoderfile.console import printable


@click.command()
@model_options
def check(model_dir: Path | None, config_file: Path | None, **flags: Any) -> None:
    """Check whether MODEL_DIR can be built, and as which model type; writes nothing."""
    from encoderfile.builder.check import check as check_folder

    rows = check_folder(build_config(model_dir, config_file, flags)).rows()
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(printable(f"{label:<{width}}  {value}"))
