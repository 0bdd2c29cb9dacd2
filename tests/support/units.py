"""The command line of a built file, read as it would be, without running it."""

import re
from collections.abc import Sequence

from encoderfile.options import CONTEXT
from encoderfile.runtime.cli import cli

VARIABLE = re.compile(r"\$\(\w+\)")
"""What Kubernetes replaces in arguments."""


def accepted(words: Sequence[str]) -> dict[str, object]:
    """The options of `serve`, `health`, ... as the file reads them. Raises `UsageError` for one that it has not."""
    name, *rest = [VARIABLE.sub("x", word) for word in words]
    # With the settings of the program: click keeps the option for help that it makes first.
    return dict(cli.commands[name].make_context(name, rest, **CONTEXT).params)


def variables(command: str = "serve") -> set[str]:
    """The variables that a command reads."""
    return {str(each.envvar) for each in cli.commands[command].params if each.envvar}
