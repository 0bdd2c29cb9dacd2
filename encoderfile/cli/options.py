"""The options that `build` and `check` share: which model, and what it is taken for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from encoderfile.tasks import TASKS

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("model_dir", required=False, type=click.Path(path_type=Path)),
    click.option(
        "-f", "--config", "config_file", type=click.Path(path_type=Path), help="A YAML file; flags win over it."
    ),
    click.option("--name", help="The model's name.  [default: the folder's]"),
    click.option("--model-version", "version", help="The model's version.  [default: 0.1.0]"),
    click.option(
        "--model-type", type=click.Choice(list(TASKS), case_sensitive=False), help="Instead of what the files say."
    ),
    click.option("--onnx", type=click.Path(path_type=Path), help="Which ONNX file, where there are several."),
    click.option("--output", metavar="NAME", help="Which output of the graph, where its names do not say it."),
    click.option(
        "--input",
        "inputs",
        multiple=True,
        metavar="NAME=VALUE",
        help="An input of the graph: input_ids=NAME says what its name does not, NAME=NUMBER fixes it.  [repeatable]",
    ),
    click.option("--max-length", type=click.IntRange(min=1), help="A lower limit than the model's, in tokens."),
    click.option(
        "--quantize", type=click.Choice(["int8"]), help="Round weights and activations to 8 bits: smaller and faster."
    ),
    click.option("--optimize", is_flag=True, default=None, help="Fuse operators now instead of at every start."),
    click.option(
        "--calibrate",
        type=click.Path(path_type=Path),
        help="Texts, one a line, on which to measure how far --quantize and --optimize move answers.",
    ),
    click.option(
        "--max-flips",
        type=click.FloatRange(0, 1),
        help="Share of labels that may change by that; above it the model is refused.  [default: 0.02]",
    ),
)


def model_options(command: F) -> F:
    """Adds the shared options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
