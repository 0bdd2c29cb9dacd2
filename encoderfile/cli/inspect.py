"""`encoderfile inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from encoderfile.cli.options import PATH
from encoderfile.console import json_text
from encoderfile.container import Container
from encoderfile.errors import ContainerError


@click.command()
@click.argument("file", type=PATH)
def inspect(file: Path) -> None:
    """Print the contents of a built FILE as JSON, without running it."""
    with Container(file) as container:
        manifest = container.manifest.to_json()
        facts = {
            "path": str(file),
            "size": container.size,
            "model_config": _config(container),
            "encoderfile_config": {key: manifest[key] for key in ("name", "version", "model_type")},
            "manifest": manifest,
        }
    click.echo(json_text(facts))


def _config(container: Container) -> Any:
    try:
        return json.loads(container.read("config.json"))
    except (ValueError, RecursionError) as error:
        raise ContainerError(f"{container.path} has an invalid config.json: build it again") from error
