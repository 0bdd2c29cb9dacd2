"""`mcp`: a tool over stdin and stdout, as agents start it; or over HTTP on a port of its own."""

import json
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from mcp.client.stdio import StdioServerParameters
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from support.clients import exact
from support.files import PATIENCE, BuiltFile

TEXTS = ["What a wonderful film!", "größe 東京 😀"]


def message(number: int, method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"


INITIALIZE = message(
    1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"}
)
INITIALIZED = '{"jsonrpc": "2.0", "method": "notifications/initialized"}\n'


def call(number: int, **arguments: Any) -> str:
    return message(number, "tools/call", name="run_encoder", arguments=arguments)


@pytest.mark.proves(
    "ENC Beyond the page",
    "MCP over stdio, and on a port of its own",
    here="`mcp`, `mcp --transport http --port 9100`.",
)
@pytest.mark.parametrize("name", ["sentiment", "ner", "embed"])
def test_the_official_client_gets_what_infer_gives(name: str, files: Any, clients: Any) -> None:
    file = files[name]
    client = clients.of_command(StdioServerParameters(command=str(file.path), args=["mcp"], env=file.environment()))
    assert client.predict(TEXTS).body == exact(json.loads(file.run("infer", *TEXTS).stdout))
    assert client.refusal([""]) == (-32600, "Invalid input: empty text sequence (inputs[0])")


@pytest.mark.proves("ENC Beyond the page", "MCP over stdio, and on a port of its own")
def test_stdout_carries_messages_alone_and_everything_piped_in_is_answered(sentiment: BuiltFile) -> None:
    conversation = INITIALIZE + INITIALIZED + message(2, "tools/list") + call(3, inputs=TEXTS) + call(4, inputs=[""])
    done = sentiment.run("mcp", stdin=conversation)
    assert done.returncode == 0
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert set(answers) == {1, 2, 3, 4}
    assert answers[1]["result"]["protocolVersion"] == "2025-06-18"
    assert answers[2]["result"]["tools"][0]["name"] == "run_encoder"
    assert len(answers[3]["result"]["structuredContent"]["results"]) == 2
    assert answers[4]["error"]["code"] == -32600


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
def test_every_version_with_a_handshake_lists_and_calls_tools(version: str, sentiment: BuiltFile) -> None:
    begin = INITIALIZE.replace("2025-06-18", version) + INITIALIZED
    classify = message(3, "tools/call", name="classify", arguments={"texts": TEXTS[:1]})
    done = sentiment.run("mcp", stdin=begin + message(2, "tools/list") + classify)
    answers = {answer["id"]: answer["result"] for answer in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["protocolVersion"] == version
    assert [tool["name"] for tool in answers[2]["tools"]] == ["run_encoder", "classify"]
    (found,) = json.loads(answers[3]["content"][0]["text"])["results"]
    assert found["labels"][0]["label"] == "POSITIVE"


@pytest.mark.parametrize("mode", ["legacy", "auto", *MODERN_PROTOCOL_VERSIONS])
def test_the_official_client_calls_tools_in_every_mode(mode: str, sentiment: BuiltFile, clients: Any) -> None:
    command = StdioServerParameters(command=str(sentiment.path), args=["mcp"], env=sentiment.environment())
    client = clients.of_command(command, mode)
    call = client.session.call_tool, "classify", {"texts": TEXTS[:1]}
    assert client.portal.call(*call).structured_content["results"][0]["labels"][0]["label"] == "POSITIVE"
    newest = max(HANDSHAKE_PROTOCOL_VERSIONS if mode == "legacy" else MODERN_PROTOCOL_VERSIONS)
    assert client.session.protocol_version == newest


def test_the_configuration_that_is_printed_starts_the_file(sentiment: BuiltFile, clients: Any) -> None:
    printed = json.loads(sentiment.run("mcp", "--print-config", "claude-code", "--overflow", "error").stdout)
    ((name, server),) = printed["mcpServers"].items()
    assert name == "sentiment"
    client = clients.of_command(StdioServerParameters(**server, env=sentiment.environment()))
    assert client.refusal(["word " * 2000])[0] == -32600


@pytest.mark.parametrize("noise", ["\n", "no JSON\n", "[]\n", '{"jsonrpc": "2.0"}\n', '"\\ud800"\n'])
def test_a_line_that_is_not_a_message_does_not_end_the_conversation(noise: str, sentiment: BuiltFile) -> None:
    done = sentiment.run("mcp", stdin=INITIALIZE + INITIALIZED + noise + call(3, inputs=TEXTS))
    assert done.returncode == 0
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    (answer,) = (each for each in answers if each.get("id") == 3)
    assert len(answer["result"]["structuredContent"]["results"]) == 2


def test_the_end_of_stdin_is_the_end(sentiment: BuiltFile) -> None:
    done = sentiment.run("mcp", stdin="")
    assert (done.returncode, done.stdout) == (0, "")


def test_an_agent_that_is_killed_leaves_no_tool_behind(sentiment: BuiltFile) -> None:
    with subprocess.Popen(
        [sentiment.path, "mcp"],
        env=sentiment.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(INITIALIZE)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.proves("ENC Beyond the page", "MCP over stdio, and on a port of its own")
def test_a_port_may_be_named(sentiment: BuiltFile) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with sentiment.serve("--port", str(port), command="mcp") as server:
        assert server.url == f"http://127.0.0.1:{port}"
        assert f"MCP on {server.url}/mcp" in server.text


@pytest.mark.proves("ENC Beyond the page", "MCP over stdio, and on a port of its own")
def test_mcp_over_http_has_a_port_of_its_own_and_no_grpc(sentiment: BuiltFile, clients: Any) -> None:
    with sentiment.serve(command="mcp") as server:
        assert "gRPC on" not in server.text
        client = clients("mcp", server, "sentiment")
        assert client.predict(TEXTS).body == exact(json.loads(sentiment.run("infer", *TEXTS).stdout))
        assert server.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_conversation(number: signal.Signals, sentiment: BuiltFile) -> None:
    with subprocess.Popen(
        [str(sentiment.path), "mcp"],
        env=sentiment.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"no message\n")
        process.stdin.flush()
        assert b'"code":-32700' in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0


def hostile_lines() -> Iterator[bytes]:
    """Lines of every wrong shape, then real ones with bytes changed; the same ones each time."""
    values: list[Any] = [[], {}, [1], {"a": 1}, None, True, 1.5, "x", 1, -1, 10**30, "\ud800", "\x00", ""]
    for value in values:
        for other in (
            {"method": "notifications/cancelled", "params": {"requestId": value}},
            {"method": "notifications/progress", "params": {"progressToken": value, "progress": value}},
            {"method": "tools/call", "id": value, "params": {"name": "run_encoder", "arguments": {"inputs": ["x"]}}},
            {"method": "tools/call", "id": 900, "params": {"name": value, "arguments": value, "_meta": value}},
            {"method": "tools/call", "id": 901, "params": {"name": "run_encoder", "arguments": {"inputs": value}}},
            {"method": value, "id": 902, "params": value},
            {"id": value, "result": value},
            {"id": 1, "error": value},
            {"method": "initialize", "id": 903, "params": {"protocolVersion": value, "capabilities": value}},
        ):
            yield json.dumps({"jsonrpc": "2.0", **other}).encode()
        yield json.dumps(value).encode()
    yield from (b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"\x00" * 100, b"\r", b"a" * (5 << 20))
    chance = random.Random(3)
    real = [call(55, inputs=["x"]).encode().strip(), INITIALIZE.encode().strip()]
    for _ in range(200):
        line = bytearray(chance.choice(real))
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(line))
            line[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(1, 4))
        yield bytes(line).replace(b"\n", b" ")


def test_no_line_ends_the_conversation(sentiment: BuiltFile) -> None:
    lines = b"\n".join(hostile_lines()) + b"\n"
    done = sentiment.run("mcp", stdin=(INITIALIZE + INITIALIZED).encode() + lines + call(999, inputs=TEXTS).encode())
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    (last,) = (each for each in answers if each.get("id") == 999)
    assert len(last["result"]["structuredContent"]["results"]) == 2
    # 901 too, where the arguments are wrong, and 902, where the method is: each sender waits.
    assert {900, 901, 902, 903} <= {each.get("id") for each in answers}


def test_a_line_over_the_limit_is_refused_and_the_next_is_answered(sentiment: BuiltFile) -> None:
    conversation = INITIALIZE + INITIALIZED + call(2, inputs=["a" * 2000]) + call(3, inputs=TEXTS)
    done = sentiment.run("mcp", "--max-body-bytes", "1000", stdin=conversation)
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert answers[None]["error"] == {
        "code": -32700,
        "message": "Invalid input: a line is longer than 1000 bytes; split the request",
    }
    assert len(answers[3]["result"]["structuredContent"]["results"]) == 2


def test_an_invalid_id_is_refused_and_not_taken_for_a_notification(sentiment: BuiltFile) -> None:
    done = sentiment.run("mcp", stdin=INITIALIZE + '{"jsonrpc": "2.0", "id": null, "method": "ping"}\n')
    (refusal,) = (each for each in map(json.loads, done.stdout.splitlines()) if "error" in each)
    assert refusal["error"]["message"] == "Invalid input: the id of a request should be a string or an integer"


def test_a_closed_stdout_ends_the_conversation_quietly(sentiment: BuiltFile) -> None:
    process = subprocess.Popen(
        [sentiment.path, "mcp"],
        env=sentiment.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(INITIALIZE.encode())
        process.stdin.flush()
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
