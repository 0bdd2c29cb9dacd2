"""`encoderfile build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from encoderfile.atomic import replacing
from encoderfile.cli.options import model_options
from encoderfile.console import json_text, say


@click.command()
@model_options
@click.option(
    "-o", "--output-path", type=click.Path(path_type=Path), help="The file to make.  [default: NAME.encoderfile]"
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Put the CUDA provider into the file, or leave it out; auto follows this machine.  [default: auto]",
)
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Where the frozen runtime is kept.")
@click.option("--report", metavar="FILE|-", help="Write what was built as JSON; - is stdout.")
@click.option("--sbom", type=click.Path(path_type=Path), help="Write what the runtime is made of (CycloneDX JSON).")
def build(
    model_dir: Path | None, config_file: Path | None, report: str | None, sbom: Path | None, **flags: Any
) -> None:
    """Make one executable of MODEL_DIR, a folder that `optimum-cli export onnx` wrote."""
    from encoderfile.builder import build as builder
    from encoderfile.builder.config_flags import from_flags

    if model_dir is None and config_file is None:
        raise click.UsageError("no model given: name its folder, or a YAML file with -f")
    config = from_flags(model_dir, config_file, **flags)
    wanted = {"--report": Path(report) if report not in (None, "-") else None, "--sbom": sbom}
    built = builder.build(config, say, {flag: path for flag, path in wanted.items() if path is not None})
    click.echo(f"done in {built.seconds:.1f} s: {built.size / 1e6:.1f} MB", err=True)
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
