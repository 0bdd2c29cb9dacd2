"""The `encoderfile` command: its subcommands and their options. The builder is imported when it is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import encoderfile
from encoderfile.atomic import replacing
from encoderfile.cli.runtimes import CACHE_DIR, runtime
from encoderfile.console import json_text, printable, say
from encoderfile.container import Container
from encoderfile.options import CONTEXT, Commands, refused
from encoderfile.tasks import TASKS

if TYPE_CHECKING:
    from encoderfile.builder.config import BuildConfig

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)

_MODEL = (
    click.argument("model_dir", required=False, type=_PATH),
    click.option("-f", "--config", "config_file", type=_PATH, help="A YAML file; flags override it."),
    click.option("--name", help="The model's name.  [default: the folder's name]"),
    click.option("--model-version", "version", help="The model's version.  [default: 0.1.0]"),
    click.option(
        "--model-type",
        type=click.Choice(list(TASKS), case_sensitive=False),
        help="The model type.  [default: what the model's files say]",
    ),
    click.option("--onnx", type=_PATH, help="The ONNX file, where there are several."),
    click.option("--output", metavar="NAME", help="The output of the graph to use, where that is in doubt."),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="NAME=VALUE",
        help="An input of the graph: input_ids=NAME where it has another name, NAME=NUMBER for a constant.  "
        "[repeatable]",
    ),
    click.option(
        "--max-length", type=click.IntRange(min=1), help="Maximum tokens per text.  [default: the model's limit]"
    ),
    click.option("--transform", type=_PATH, help="A script in Lua that changes the graph's output."),
    click.option(
        "--no-validate-transform",
        "validate_transform",
        flag_value=False,
        default=None,
        help="Do not try the script on made-up tensors first.",
    ),
    click.option(
        "--quantize", type=click.Choice(["int8"]), help="Quantise weights and activations: smaller and faster."
    ),
    click.option("--optimize", is_flag=True, default=None, help="Fuse operators at build, not at every start."),
    click.option(
        "--calibrate",
        type=_PATH,
        help="A file of texts, one per line, to measure how much --quantize and --optimize change answers.",
    ),
    click.option(
        "--max-flips",
        type=click.FloatRange(0, 1),
        help="Maximum share of labels that may change by that; above it the build fails.  [default: 0.02]",
    ),
)


def _for_all_commands(context: click.Context, _: click.Parameter, cache_dir: str | None) -> None:
    if cache_dir is not None:
        each = {"cache_dir": cache_dir}
        context.default_map = {"build": each, "upgrade": each, "runtime": dict.fromkeys(runtime.commands, each)}


class _Builder(Commands):
    def examples(self, context: click.Context) -> Mapping[str, str]:
        return {
            "build": "build ./my-model",
            "check": "check ./my-model",
            "inspect": "inspect my-model.encoderfile",
        }


@click.group(cls=_Builder, context_settings=CONTEXT)
@click.version_option(encoderfile.__version__, message="encoderfile %(version)s")
@click.option("--cache-dir", hidden=True, expose_value=False, callback=_for_all_commands)  # as 0.7 has it
def cli() -> None:
    """Turn an exported ONNX encoder and its tokenizer into one self-contained executable."""


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"encoderfile {encoderfile.__version__}")


def _model_options(command: F) -> F:
    """Adds the options that `build` and `check` share: which model, and how it is read."""
    for option in reversed(_MODEL):
        command = option(command)
    return command


def _config(model_dir: Path | None, config_file: Path | None, flags: dict[str, Any]) -> BuildConfig:
    from encoderfile.builder.config_sources import from_flags

    if model_dir is None and config_file is None:
        raise click.UsageError("no model given: name its folder, or a YAML file with -f")
    return from_flags(model_dir, config_file, **flags)


@cli.command()
@_model_options
@click.option(
    "-o",
    "--output-path",
    type=_PATH,
    help="The file to write, or a folder for it.  [default: NAME.encoderfile]",
)
@click.option("--output-dir", type=_PATH, help="The folder for the file, which is made if it is missing.")
@click.option(
    "--directory",
    type=_PATH,
    help="Where relative paths start, those in the YAML file too.  [default: here, and the folder of the YAML file]",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Build for the CPU, or for CUDA and the CPU; auto: what this machine has.  [default: auto]",
)
@click.option(
    "--cuda-libraries",
    type=click.Choice(["bundled", "system"]),
    help="For CUDA: put its libraries into the file, or take those of the machine that it runs on.  "
    "[default: bundled]",
)
@click.option(
    "--platform",
    "--target",
    metavar="NAME",
    help="Build for another machine: linux-x86_64 or linux-aarch64; Rust's triples too.  [default: this machine's]",
)
@click.option(
    "--base-binary-path",
    type=_PATH,
    help="Take the runtime of this file: one that `runtime export` wrote, or any built file.",
)
@click.option("--runtime-version", metavar="VERSION", help="Fail unless this is the version of encoderfile.")
@click.option("--no-download", is_flag=True, expose_value=False, help="Nothing is downloaded, with or without this.")
@refused("--no-build", "has no files to leave: `encoderfile check` says what would be built")
@CACHE_DIR
@click.option("--report", metavar="FILE|-", help="Write what was built as JSON to FILE; - is stdout.")
@click.option("--sbom", type=_PATH, help="Write the list of packages in the runtime (CycloneDX JSON).")
def build(
    model_dir: Path | None, config_file: Path | None, report: str | None, sbom: Path | None, **flags: Any
) -> None:
    """Build one executable from MODEL_DIR, a folder that `optimum-cli export onnx` wrote."""
    from encoderfile.builder import build as builder
    from encoderfile.builder.config import refuse_other_runtime

    if flags["output_path"] is not None and flags["output_dir"] is not None:
        raise click.UsageError("give either --output-path or --output-dir")
    if (version := flags.pop("runtime_version")) is not None:
        refuse_other_runtime(version)

    outputs = {"--report": Path(report) if report not in (None, "-") else None, "--sbom": sbom}
    written = {flag: path for flag, path in outputs.items() if path is not None}
    built = builder.build(_config(model_dir, config_file, flags), say, written)
    name = printable(built.path.name)
    click.echo(f"Built {name} ({built.size / 1e6:.1f} MB) in {built.seconds:.1f} s", err=True)
    text = json_text(built.report())
    contents = {"--sbom": built.sbom, "--report": text + b"\n"}
    for flag, path in written.items():
        with replacing(path, flag, say) as temporary:
            temporary.write_bytes(contents[flag])
    click.echo(text if report == "-" else os.fsencode(built.path))


@cli.command()
@_model_options
def check(model_dir: Path | None, config_file: Path | None, **flags: Any) -> None:
    """Check whether MODEL_DIR can be built, and as which model type; writes nothing."""
    from encoderfile.builder.check import check as check_folder

    rows = check_folder(_config(model_dir, config_file, flags)).rows()
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(printable(f"{label:<{width}}  {value}"))


@cli.command()
@click.option(
    "-m",
    "--model-type",
    required=True,
    type=click.Choice([name for name, task in TASKS.items() if task.transform is not None], case_sensitive=False),
    help="The model type it is for.",
)
def new_transform(model_type: str) -> None:
    """Print a script in Lua for --transform, to begin with."""
    from encoderfile.builder.transform_source import skeleton

    axes = TASKS[model_type].transform
    assert axes is not None
    click.echo(skeleton(axes))


@cli.command()
@click.argument("file", type=_PATH)
def inspect(file: Path) -> None:
    """Print the contents of a built FILE as JSON, without running it."""
    from encoderfile.api.metadata import config_json, encoderfile_config

    with Container(file) as container:
        facts = {
            "path": str(file),
            "size": container.size,
            "model_config": config_json(container),
            "encoderfile_config": asdict(encoderfile_config(container)),
            "manifest": container.manifest.to_json(),
        }
    click.echo(json_text(facts))


@cli.command()
@click.argument("file", type=_PATH)
@click.option("-o", "--output-path", type=_PATH, help="Write a new file.  [default: replace FILE]")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), help="Change what the runtime is built for.  [default: the same]"
)
@CACHE_DIR
def upgrade(file: Path, output_path: Path | None, device: str | None, cache_dir: Path | None) -> None:
    """Give a built FILE the runtime of this version; its model stays the same, byte for byte."""
    from encoderfile.builder.built_files import upgrade as upgrade_file

    click.echo(os.fsencode(upgrade_file(file, output_path, device, cache_dir, say)))


@cli.command()
@click.argument("file", type=_PATH)
@click.argument("folder", type=_PATH)
def extract(file: Path, folder: Path) -> None:
    """Write the model folder in a built FILE to FOLDER."""
    from encoderfile.builder.built_files import extract as extract_file

    extract_file(file, folder, say)
    click.echo(os.fsencode(folder))


cli.add_command(runtime)
