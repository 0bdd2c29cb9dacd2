"""Flags of encoderfile 0.7 for a built file: followed in our own terms, or refused with what to use instead."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from encoderfile.options import refused

F = TypeVar("F", bound=Callable[..., Any])

_OPTIMISED = "is not supported, because graphs always run with all optimisations: leave it out"
_CORE_ML = "is for Core ML, which only macOS has: see --device"


def onnx_flags(command: F) -> F:
    """Adds the flags for onnxruntime; `command` gets the `device` that they mean.

    As 0.7 promises, `--execution-provider cuda` falls back to the CPU unless `--disable-cpu-fallback` is given.
    """

    @functools.wraps(command)
    def followed(*given: Any, execution_provider: str | None, disable_cpu_fallback: bool, **options: Any) -> Any:
        if execution_provider is not None:
            if click.get_current_context().get_parameter_source("device") is ParameterSource.COMMANDLINE:
                raise click.UsageError("--execution-provider and --device say the same: give one of them")
            cuda = "cuda" if disable_cpu_fallback else "auto"
            options["device"] = cuda if execution_provider == "cuda" else "cpu"
        return command(*given, **options)

    decorated: Any = followed
    for decorate in (
        click.option("--execution-provider", hidden=True, type=click.Choice(["cpu", "cuda"])),
        click.option("--disable-cpu-fallback", hidden=True, is_flag=True),
        click.option("--with-arena-allocator", hidden=True, is_flag=True, expose_value=False),  # there always is one
        refused("--graph-optimization-level", _OPTIMISED, values=("3",)),
        refused("--compute-units", _CORE_ML, values=("all",)),
    ):
        decorated = decorate(decorated)
    return decorated  # type: ignore[no-any-return]
