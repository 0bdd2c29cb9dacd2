"""`encoderfile build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from encoderfile.atomic import replacing
from encoderfile.cli.options import CACHE_DIR, PATH, build_config, model_options
from encoderfile.console import json_text, printable, say


@click.command()
@model_options
@click.option(
    "-o",
    "--output-path",
    type=PATH,
    help="The file to write, or a folder for it.  [default: NAME.encoderfile]",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Build for the CPU, or for CUDA and the CPU; auto: what this machine has.  [default: auto]",
)
@CACHE_DIR
@click.option("--report", metavar="FILE|-", help="Write what was built as JSON to FILE; - is stdout.")
@click.option("--sbom", type=PATH, help="Write the list of packages in the runtime (CycloneDX JSON).")
def build(
    model_dir: Path | None, config_file: Path | None, report: str | None, sbom: Path | None, **flags: Any
) -> None:
    """Build one executable from MODEL_DIR, a folder that `optimum-cli export onnx` wrote."""
    from encoderfile.builder import build as builder

    config = build_config(model_dir, config_file, flags)
    outputs = {"--report": Path(report) if report not in (None, "-") else None, "--sbom": sbom}
    built = builder.build(config, say, {flag: path for flag, path in outputs.items() if path is not None})
    name = printable(built.path.name)
    click.echo(f"Built {name} ({built.size / 1e6:.1f} MB) in {built.seconds:.1f} s", err=True)
    if sbom is not None:
        with replacing(sbom, "--sbom", say) as temporary:
            temporary.write_bytes(built.sbom)
    text = json_text(built.report())
    if report == "-":
        click.echo(text)
        return
    if report is not None:
        with replacing(Path(report), "--report", say) as temporary:
            temporary.write_bytes(text + b"\n")
    click.echo(os.fsencode(built.path))
