"""The command `infer`: flags that the model types add, one for each option of their requests, and `--entities`."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import click

from encoderfile.options import InSections, SectionOption
from encoderfile.service import threads
from encoderfile.settings import InferSettings
from encoderfile.types import STRATEGIES


class Infer(InSections):
    """`--entities` takes a value only as `--entities=STRATEGY`: what follows it is a text."""

    TAKEN_AS_TEXT = "taken_as_text"
    """In the context's `meta`: a text behind `--entities` that is the name of a strategy."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        for flag, follower in itertools.pairwise(args[:end]):
            if flag == "--entities" and follower in STRATEGIES:
                ctx.meta[self.TAKEN_AS_TEXT] = follower
        bare = ["--entities=simple" if arg == "--entities" else arg for arg in args[:end]]
        return super().parse_args(ctx, bare + args[end:])

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *flags().values()]


@functools.cache
def flags() -> dict[str, click.Option]:
    """By the name of the option; made when needed, for that imports numpy. Raises `ConfigError` without threads."""
    threads.check(2)  # without these, numpy's library ends the process when it is imported
    from encoderfile.tasks import TASKS

    types: dict[str, Any] = {}
    described: dict[str, dict[str, list[str]]] = {}
    for task in TASKS.values():
        for option in task.options:
            types[option.name] = option.type
            described.setdefault(option.name, {}).setdefault(option.description, []).append(task.name)
    return {name: _flag(name, types[name], _help(each)) for name, each in described.items()}


def _help(described: dict[str, list[str]]) -> str:
    """A description; where model types differ, theirs behind their names."""
    if len(described) == 1:
        return next(iter(described))
    return " ".join(f"{', '.join(types)}: {description}" for description, types in described.items())


def _flag(name: str, kind: Any, description: str) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
    option = functools.partial(SectionOption, help=description, section=InferSettings.section)
    if kind is bool:
        return option([f"{flag}/--no-{flag[2:]}"], default=None)
    if kind == list[str]:
        return option([flag], callback=_listed, metavar="A,B,...")
    return option([flag], type=kind, default=None)


def _listed(_: click.Context, __: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [each.strip() for each in value.split(",") if each.strip()]
