"""`mcp --print-config`: what clients, bundles and the registry are told of a file."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from encoderfile.runtime import cli
from encoderfile.settings import AGENTS
from encoderfile.tasks import TASKS
from support.payload import make, manifest

CLIENTS = ("claude-desktop", "claude-code", "cursor", "vscode")
OVER_HTTP = ("--transport", "http", "--port", "9000")

COMMAND = {
    "type": "object",
    "properties": {
        "type": {"const": "stdio"},
        "command": {"type": "string"},
        "args": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["command", "args"],
    "additionalProperties": False,
}
BUNDLE = {
    "type": "object",
    "properties": {
        "manifest_version": {"const": "0.3"},
        "name": {"type": "string"},
        "display_name": {"type": "string"},
        "version": {"type": "string"},
        "description": {"type": "string"},
        "author": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        "server": {
            "type": "object",
            "properties": {
                "type": {"enum": ["python", "node", "binary"]},
                "entry_point": {"type": "string"},
                "mcp_config": COMMAND,
            },
            "required": ["type", "entry_point", "mcp_config"],
            "additionalProperties": False,
        },
        "tools_generated": {"type": "boolean"},
        "compatibility": {
            "type": "object",
            "properties": {"platforms": {"type": "array", "items": {"enum": ["darwin", "win32", "linux"]}}},
            "additionalProperties": False,
        },
    },
    "required": ["manifest_version", "name", "version", "description", "author", "server"],
    "additionalProperties": False,
}
"""What version 0.3 of the bundle's manifest says of the fields that are printed."""
REGISTRY = {
    "type": "object",
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "maxLength": 200},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "maxLength": 255, "not": {"const": "latest"}},
        "packages": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "registryType": {"const": "mcpb"},
                    "identifier": {"type": "string", "format": "uri"},
                    "transport": {"const": {"type": "stdio"}},
                },
                "required": ["registryType", "identifier", "transport"],
                "additionalProperties": False,
            },
        },
        "remotes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {"enum": ["streamable-http", "sse"]},
                    "url": {"type": "string", "pattern": "^https?://[^\\s]+$"},
                    "headers": {"type": "array", "items": {"type": "object", "required": ["name"]}},
                },
                "required": ["type", "url"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["$schema", "name", "description", "version"],
    "additionalProperties": False,
}
"""What the registry's schema of 2025-12-11 says of the fields that are printed."""


@pytest.fixture(autouse=True)
def signals_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return make(tmp_path).path


def run(file: Path, agent: str, *flags: str, **environment: str) -> Result:
    return CliRunner().invoke(cli.cli, ["mcp", "--print-config", agent, *flags], obj=file, env=environment)


def printed(file: Path, agent: str, *flags: str, **environment: str) -> Any:
    done = run(file, agent, *flags, **environment)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def server_of(config: dict[str, Any]) -> Any:
    """The one server of a client's configuration."""
    ((name, server),) = config["servers" if "servers" in config else "mcpServers"].items()
    assert name == manifest().name
    return server


@pytest.mark.parametrize("agent", CLIENTS)
def test_a_client_is_told_the_command_with_the_whole_path_and_the_flags(agent: str, file: Path) -> None:
    server = server_of(printed(file, agent, "--threads", "2", "--no-lanes", "--default-prompt", "query"))
    jsonschema.validate(server, COMMAND)
    assert server["command"] == str(file.absolute())
    assert server["args"] == ["mcp", "--threads", "2", "--no-lanes", "--default-prompt", "query"]
    assert server.get("type") == ("stdio" if agent == "vscode" else None)


@pytest.mark.parametrize("agent", ["claude-code", "cursor", "vscode"])
def test_over_http_a_client_is_told_the_address_and_where_its_key_comes_from(agent: str, file: Path) -> None:
    server = server_of(printed(file, agent, *OVER_HTTP))
    assert server == {**({} if agent == "cursor" else {"type": "http"}), "url": "http://127.0.0.1:9000/mcp"}
    done = run(file, agent, *OVER_HTTP, ENCODERFILE_API_KEY="the secret itself")
    assert "the secret itself" not in done.output
    key = server_of(json.loads(done.stdout))["headers"]["Authorization"]
    assert re.fullmatch(r"Bearer \$\{[\w:-]+\}", key)


def test_vscode_asks_for_the_key(file: Path) -> None:
    config = printed(file, "vscode", *OVER_HTTP, "--api-key", "secret")
    (asked,) = config["inputs"]
    assert asked["password"] is True
    assert server_of(config)["headers"]["Authorization"] == f"Bearer ${{input:{asked['id']}}}"


@pytest.mark.parametrize(
    ("hostname", "url"),
    [
        ("0.0.0.0", "http://localhost:9000/mcp"),
        ("::", "http://localhost:9000/mcp"),
        ("[::1]", "http://[::1]:9000/mcp"),
        ("models.example.org", "http://models.example.org:9000/mcp"),
    ],
)
def test_the_address_is_one_that_a_client_can_ask(hostname: str, url: str, file: Path) -> None:
    assert server_of(printed(file, "cursor", *OVER_HTTP, "--hostname", hostname))["url"] == url


def test_with_a_certificate_the_address_is_https(file: Path) -> None:
    flags = ("--cert-file", str(file), "--key-file", str(file))
    assert server_of(printed(file, "cursor", *OVER_HTTP, *flags))["url"] == "https://127.0.0.1:9000/mcp"


@pytest.mark.parametrize(
    ("agent", "flags", "sentence"),
    [
        ("claude-desktop", OVER_HTTP, "claude-desktop starts its servers itself: leave --transport http out"),
        ("mcpb", OVER_HTTP, "a bundle is started by its client: leave --transport http out"),
        ("cursor", (*OVER_HTTP, "--hostname", "unix:socket"), "clients of MCP reach no socket"),
    ],
)
def test_what_an_agent_cannot_use_is_refused(agent: str, flags: tuple[str, ...], sentence: str, file: Path) -> None:
    done = run(file, agent, *flags)
    assert done.exit_code == 1
    assert sentence in str(done.exception) + done.output


def test_flags_that_would_have_no_effect_are_refused(file: Path) -> None:
    done = run(file, "cursor", "--port", "9000")
    assert done.exit_code == 2
    assert "--port does nothing over stdio" in done.output


def test_the_manifest_of_a_bundle_names_the_file_beside_it(file: Path) -> None:
    found = printed(file, "mcpb", "--threads", "2")
    jsonschema.validate(found, BUNDLE)
    assert found["server"]["entry_point"] == file.name
    config = found["server"]["mcp_config"]
    assert config == {"command": f"${{__dirname}}/{file.name}", "args": ["mcp", "--threads", "2"]}


def test_the_registry_is_told_of_a_bundle_or_of_an_address(file: Path) -> None:
    for flags, kind in (((), "packages"), (OVER_HTTP, "remotes"), ((*OVER_HTTP, "--api-key", "k"), "remotes")):
        found = printed(file, "server-json", *flags)
        jsonschema.validate(found, REGISTRY)
        assert len(found[kind]) == 1


@pytest.mark.parametrize("name", ["größe/日本 v1", "...", "a" * 300])
def test_a_name_is_made_of_what_the_registry_takes(name: str, tmp_path: Path) -> None:
    made = make(tmp_path, name=name)
    jsonschema.validate(printed(made.path, "server-json"), REGISTRY)
    assert re.fullmatch(r"[\w.-]+", printed(made.path, "mcpb")["name"])


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_what_a_model_type_says_of_itself_fits_into_the_registry(task: Any) -> None:
    assert len(task.summary) <= 100


def test_there_is_one_for_each_word_of_the_flag(file: Path) -> None:
    for agent in AGENTS:
        assert printed(file, agent)
