"""Flags that a command would not use are refused, and variables for other commands are not."""

import signal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from encoderfile.runtime import cli

HTTP_ALONE = {
    "--hostname": "localhost",
    "--port": "1",
    "--cert-file": "cert.pem",
    "--key-file": "key.pem",
    "--api-key": "secret",
    "--api-key-file": "key",
    "--allowed-host": "example.org",
    "--cors-origin": "https://example.org",
    "--access-log": "json",
    "--root-path": "/models",
    "--max-connections": "9",
    "--max-output-values": "9",
    "--served-name": "other",
    "--allow-dimensions": None,
}
"""Flags of `mcp` that do nothing over stdio, with their values."""


@pytest.fixture(autouse=True)
def signals_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def run(*arguments: str, **environment: str) -> Result:
    """The command on a file that is not there: what is refused before it is opened ends with 2."""
    return CliRunner().invoke(cli.cli, list(arguments), obj=Path("/nowhere/model"), env=environment)


@pytest.mark.parametrize("flag", HTTP_ALONE)
def test_mcp_over_stdio_refuses_what_is_for_http(flag: str) -> None:
    done = run("mcp", flag, *filter(None, [HTTP_ALONE[flag]]))
    assert done.exit_code == 2
    assert f"{flag} does nothing over stdio, only with --transport http: leave it out" in done.output


def test_every_flag_of_mcp_is_the_models_or_refused_over_stdio() -> None:
    (command,) = [each for name, each in cli.cli.commands.items() if name == "mcp"]
    model = {each for parameter in cli.cli.commands["bench"].params for each in parameter.opts}
    flags = {parameter.opts[0] for parameter in command.params if not parameter.hidden}
    used = {"--transport", "--drain-seconds", "--max-body-bytes", "--print-config"}
    assert flags - model - used == set(HTTP_ALONE)


def test_several_are_named_together() -> None:
    done = run("mcp", "--port", "1", "--api-key", "secret")
    assert "--port, --api-key do nothing over stdio" in done.output


def test_variables_are_for_all_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    monkeypatch.setattr(cli.process, "run", lambda conversation: begun.append(conversation) or conversation.close())
    run("mcp", ENCODERFILE_PORT="1", ENCODERFILE_API_KEY="secret")
    assert len(begun) == 1


@pytest.mark.parametrize(
    ("switch", "flag"),
    [
        ("--disable-http", "--http-port=1"),
        ("--disable-http", "--http-hostname=::1"),
        ("--disable-http", "--allowed-host=a"),
        ("--disable-grpc", "--grpc-port=1"),
        ("--disable-grpc", "--grpc-hostname=::1"),
        ("--disable-http", "--served-name=a"),
        ("--disable-http", "--allow-dimensions"),
        ("--disable-http", "--cors-origin=https://a.example"),
        ("--disable-http", "--root-path=/a"),
        ("--disable-http", "--disable-ui"),
    ],
)
def test_serve_refuses_what_a_switch_leaves_nothing_to_do(switch: str, flag: str) -> None:
    done = run("serve", switch, flag)
    assert done.exit_code == 2
    assert f"{flag.partition('=')[0]} does nothing with {switch}: leave it out" in done.output


@pytest.mark.parametrize("command", ["infer", "bench"])
@pytest.mark.parametrize("flag", ["--column=a", "--input-format=csv"])
def test_what_is_said_of_a_file_needs_one(flag: str, command: str) -> None:
    done = run(command, flag, *(["text"] if command == "infer" else []))
    assert done.exit_code == 2
    assert f"{flag.partition('=')[0]} does nothing without -i FILE" in done.output


def test_a_strategy_beside_a_file_is_told_apart_from_a_text() -> None:
    done = run("infer", "--entities", "max", "-i", "texts.txt")
    assert done.exit_code == 2
    assert "max is taken as a text: for the strategy write --entities=max" in done.output
