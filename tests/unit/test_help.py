"""`--help` begins with what most people want."""

import re

import click
import pytest

from encoderfile.cli.commands import cli as builder
from encoderfile.runtime.cli import cli as built


def shown(command: click.Command, *names: str, columns: int = 80) -> str:
    context = click.Context(command, info_name="file", **command.context_settings)
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
        context = click.Context(command, info_name=name, parent=context, **command.context_settings)
    context.terminal_width = columns
    return command.get_help(context)


@pytest.mark.parametrize(
    ("program", "first"),
    [(built, ["serve", "infer", "mcp"]), (builder, ["build", "check", "inspect"])],
    ids=["the built file", "the builder"],
)
def test_three_commands_come_first_with_an_example_and_all_others_after(
    program: click.Group, first: list[str]
) -> None:
    text = shown(program)
    most, more = text[text.index("Most used:") :].split("More commands:")
    assert re.findall(r"^  (\w+) ", most, re.MULTILINE) == first
    for name in first:
        assert re.search(rf"^ +(\./)?file {name}\b", most, re.MULTILINE), most
    hidden = {name for name, command in program.commands.items() if command.hidden}
    assert re.findall(r"^  ([\w-]+) ", more, re.MULTILINE) == sorted(program.commands.keys() - hidden - set(first))


def test_options_are_in_sections_the_most_wanted_first() -> None:
    text = shown(built, "serve")
    titles = re.findall(r"^(\w[\w, ]*):$", text, re.MULTILINE)
    assert titles == ["What is served, and where", "Server", "Model and log", "Other options"]
    assert re.search(r"where:\n  --http-hostname", text)
    assert re.search(r"Other options:\n  -h, --help", text)


@pytest.mark.parametrize("name", ["serve", "mcp", "infer", "bench"])
def test_every_option_of_a_command_is_in_its_help_once(name: str) -> None:
    command = built.commands[name]
    context = click.Context(command, info_name=name)
    text = shown(built, name)
    for each in command.get_params(context):
        if isinstance(each, click.Option) and not each.hidden:
            flag = re.escape(each.opts[-1])
            assert len(re.findall(rf"^  .*{flag}(?![\w-])", text, re.MULTILINE)) >= 1, flag


def test_a_terminal_of_forty_columns_is_enough() -> None:
    for line in shown(built, columns=40).splitlines():
        assert len(line) <= 40 or "./file" in line  # an example is there to be copied
