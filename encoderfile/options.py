"""An option, declared once: a field of a settings class is its flag, environment variable, default and help."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, field, fields
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def option(default: Any = None, *flags: str, help: str, variable: bool = True, **click_arguments: Any) -> Any:
    """A field of a settings class that is an option of a command too.

    `http_port` is `--http-port`, unless `flags` name it otherwise, and is also read from `ENCODERFILE_HTTP_PORT`,
    unless `variable` is False; `--help` shows both.
    """
    declared = {"flags": flags, "help": help, "variable": variable, **click_arguments}
    return field(default=default, metadata={"option": declared})


def switch(*, help: str, **click_arguments: Any) -> Any:
    """An option without a value, off by default."""
    return option(False, help=help, is_flag=True, **click_arguments)


class Commands(click.Group):
    """Commands of which some come first in the help, with an example each."""

    def examples(self, context: click.Context) -> Mapping[str, str]:
        """What is typed behind the program's name, by the names of the commands that most people want."""
        return {}

    def typed(self, context: click.Context) -> str:
        """The program's name as it is typed."""
        return context.command_path

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click's list of commands, in two parts."""
        examples = self.examples(ctx)
        if not examples:
            super().format_commands(ctx, formatter)
            return
        program, size = self.typed(ctx), max(map(len, examples))
        helps = {name: self._help(ctx, name, formatter.width - size) for name in self.list_commands(ctx)}
        with formatter.section("Most used"):
            for name, example in examples.items():
                formatter.write_dl([(name.ljust(size), helps.pop(name) or "")])
                formatter.write(f"{'':{size + 4}}{program} {example}\n")
        with formatter.section("More commands"):
            formatter.write_dl([(name, text) for name, text in helps.items() if text is not None])

    def _help(self, context: click.Context, name: str, columns: int) -> str | None:
        """One line; None for a hidden command."""
        command = self.get_command(context, name)
        return None if command is None or command.hidden else command.get_short_help_str(columns - 6)


class InSections(click.Command):
    """A command whose help has the options of each settings class under its title, others at the end."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Click's list of options, in parts."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for each in self.get_params(ctx):
            record = each.get_help_record(ctx)
            if record is not None and isinstance(each, click.Option):
                sections.setdefault(getattr(each, "section", ""), []).append(record)
        others = sections.pop("", [])
        for title, records in (*sections.items(), ("Other options", others)):
            with formatter.section(title):
                formatter.write_dl(records)


class SectionOption(click.Option):
    """An option under a title in the help."""

    def __init__(self, *arguments: Any, section: str = "", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.section = section


def options(*kinds: type, only: Collection[str] = ()) -> Callable[[F], F]:
    """Gives a command the options that the classes themselves declare, in this order; `only` some, by their names."""
    declared = [
        _click_option(each, getattr(kind, "section", ""))
        for kind in kinds
        for each in fields(kind)
        if "option" in each.metadata and each.name in kind.__annotations__ and (not only or each.name in only)
    ]

    def decorate(command: F) -> F:
        for each in reversed(declared):
            command = each(command)
        return command

    return decorate


def _click_option(declared: Field[Any], section: str) -> Callable[[F], F]:
    arguments = {**declared.metadata["option"], "cls": SectionOption, "section": section}
    flags = arguments.pop("flags") or (f"--{declared.name.replace('_', '-')}",)
    if arguments.pop("variable"):
        arguments |= {"envvar": f"ENCODERFILE_{declared.name.upper()}", "show_envvar": True}
    shown = declared.default is not None and not isinstance(declared.default, bool | tuple)
    return click.option(*flags, declared.name, default=declared.default, show_default=shown, **arguments)


def given_again(context: click.Context, without: Collection[str] = ()) -> list[str]:
    """The options on the command line as they could be typed again, `without` some by their names."""
    found: list[str] = []
    for each in context.command.params:
        name = each.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not (is_given and each.expose_value) or name in without or not isinstance(each, click.Option):
            continue
        value = context.params[name]
        if each.is_flag:
            found.append(each.opts[0])
        elif value is not None:
            for one in value if each.multiple else (value,):
                found += [each.opts[0], str(one)]
    return found


def refuse_unused(context: click.Context, names: Collection[str], reason: str) -> None:
    """Raises `UsageError` for options among `names` that are on the command line; variables may be for others."""
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        verb, it = ("does", "it") if len(given) == 1 else ("do", "them")
        raise click.UsageError(f"{', '.join(given)} {verb} nothing {reason}: leave {it} out")


def refused(flag: str, reason: str, values: Collection[str] | None = None) -> Callable[[F], F]:
    """A flag of encoderfile 0.7 that is not followed; the error says `reason`, which names what to use instead.

    One that takes a value does nothing with one of `values`, which say what is done anyway; None: it takes none.
    """

    def refuse(_: click.Context, __: click.Parameter, given: Any) -> None:
        if given is True or (isinstance(given, str) and given not in (values or ())):
            raise click.UsageError(f"{flag} {reason}")

    return click.option(flag, hidden=True, expose_value=False, is_flag=values is None, callback=refuse)
