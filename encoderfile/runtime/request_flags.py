"""The flags of `infer` that every model type adds: one for each option of its requests."""

from __future__ import annotations

import functools
from typing import Any

import click

from encoderfile.service import threads
from encoderfile.settings import InferCommand


class Infer(InferCommand):
    """`infer`, with the flags of all model types. They are made when the command is used: that imports numpy."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*flags().values(), *super().get_params(ctx)]


@functools.cache
def flags() -> dict[str, click.Option]:
    """By the name of the option. Raises `ConfigError` where no thread can be had."""
    threads.check(2)  # where not even these can be had, numpy's library ends the process as it is imported
    from encoderfile.tasks import TASKS

    options = {option.name: option for task in TASKS.values() for option in task.options}
    return {name: _flag(name, option.type, option.description) for name, option in options.items()}


def _flag(name: str, kind: Any, description: str) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
    if kind is bool:
        return click.Option([f"{flag}/--no-{flag[2:]}"], default=None, help=description)
    if kind == list[str]:
        return click.Option([flag], callback=_listed, metavar="A,B,...", help=description)
    return click.Option([flag], type=kind, default=None, help=description)


def _listed(_: click.Context, __: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [each.strip() for each in value.split(",") if each.strip()]
