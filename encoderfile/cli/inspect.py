"""`encoderfile inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from encoderfile.container import Container


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def inspect(file: Path) -> None:
    """Print what is in a built FILE as JSON, without running it."""
    with Container(file) as container:
        manifest = container.manifest.to_json()
        facts = {
            "path": str(file),
            "size": container.size,
            "model_config": json.loads(container.read("config.json")),
            "encoderfile_config": {key: manifest[key] for key in ("name", "version", "model_type")},
            "manifest": manifest,
        }
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
