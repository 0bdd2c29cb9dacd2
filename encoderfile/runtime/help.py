"""`--help` of a built file: its commands, and examples of them that work as they stand."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from encoderfile.console import printable
from encoderfile.container import Container
from encoderfile.errors import EncoderfileError
from encoderfile.options import Commands
from encoderfile.service import threads


class BuiltFile(Commands):
    """The commands of a built file, which is the context's `obj`; None where the help is printed for all files."""

    def examples(self, context: click.Context) -> Mapping[str, str]:
        return {
            "serve": "serve",
            "infer": f"infer {_arguments(context.obj)}",
            "mcp": "mcp --print-config claude-desktop",
        }

    def typed(self, context: click.Context) -> str:
        executable: Path | None = context.obj
        if executable is None or _is_here(executable):
            return shlex.quote(f"./{context.command_path}")
        on_path = shutil.which(executable.name) == str(executable)
        return shlex.quote(context.command_path if on_path else printable(str(executable)))


def _is_here(executable: Path) -> bool:
    try:
        return executable.parent == Path.cwd()
    except OSError:  # the folder is gone
        return False


def _arguments(executable: Path | None) -> str:
    """A text for the model of the file, with the options that it needs."""
    if executable is None:
        return '"A text"'
    try:
        threads.check(2)  # as for the flags of `infer`
        from encoderfile.tasks import TASKS

        with Container(executable) as container:
            task = TASKS[container.manifest.model_type]
    except (EncoderfileError, OSError, KeyError):
        return '"A text"'  # a damaged file has a help too
    needed = [
        f"--{each.name} {shlex.quote(','.join(task.example[each.name]))}"
        for each in task.options
        if each.required and each.default is None
    ]
    return " ".join([*needed, f'"{task.example["inputs"][0]}"'])
