"""The options that `build` and `check` share: which model, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from encoderfile.tasks import TASKS

if TYPE_CHECKING:
    from encoderfile.builder.config import BuildConfig

F = TypeVar("F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
CACHE_DIR = click.option("--cache-dir", type=PATH, help="The folder that keeps the frozen runtime.")

_OPTIONS = (
    click.argument("model_dir", required=False, type=PATH),
    click.option("-f", "--config", "config_file", type=PATH, help="A YAML file; flags override it."),
    click.option("--name", help="The model's name.  [default: the folder's name]"),
    click.option("--model-version", "version", help="The model's version.  [default: 0.1.0]"),
    click.option(
        "--model-type",
        type=click.Choice(list(TASKS), case_sensitive=False),
        help="The model type.  [default: what the model's files say]",
    ),
    click.option("--onnx", type=PATH, help="The ONNX file, where there are several."),
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
    click.option(
        "--quantize", type=click.Choice(["int8"]), help="Quantise weights and activations: smaller and faster."
    ),
    click.option("--optimize", is_flag=True, default=None, help="Fuse operators at build, not at every start."),
    click.option(
        "--calibrate",
        type=PATH,
        help="A file of texts, one per line, to measure how much --quantize and --optimize change answers.",
    ),
    click.option(
        "--max-flips",
        type=click.FloatRange(0, 1),
        help="Maximum share of labels that may change by that; above it the build fails.  [default: 0.02]",
    ),
)


def model_options(command: F) -> F:
    """Adds the shared options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def build_config(model_dir: Path | None, config_file: Path | None, flags: dict[str, Any]) -> BuildConfig:
    """What the shared options say. Raises `UsageError` without a model, `ConfigError` for values that do not fit."""
    from encoderfile.builder.config_flags import from_flags

    if model_dir is None and config_file is None:
        raise click.UsageError("no model given: name its folder, or a YAML file with -f")
    return from_flags(model_dir, config_file, **flags)
