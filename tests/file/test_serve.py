"""`serve`: the same file answers over HTTP, gRPC and MCP, with the numbers of `infer`."""

import json
from typing import Any

import pytest

from support.clients import exact
from support.files import BuiltFile

TEXTS = ["What a wonderful film!", "John Smith lives in Paris 😀", " ", "word " * 400]
NAMES = ["sentiment", "ner", "embed"]


@pytest.mark.proves("ENC Overview", "Three protocols: HTTP with JSON, gRPC with Protocol Buffers, and MCP")
@pytest.mark.proves("ENC MCP", "`serve` is enough to connect a client at `/mcp`")
@pytest.mark.parametrize("way", ["http", "grpc", "mcp"])
@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_gives_what_infer_gives(name: str, way: str, served: Any, files: Any, clients: Any) -> None:
    infer = json.loads(files[name].run("infer", *TEXTS).stdout)
    assert clients(way, served[name], name).predict(TEXTS).body == exact(infer)


@pytest.mark.proves("ENC Errors", "gRPC: a status with code and message")
@pytest.mark.parametrize("way", ["http", "grpc", "mcp"])
def test_every_protocol_refuses_in_the_same_words(way: str, served: Any, clients: Any) -> None:
    _, sentence = clients(way, served["ner"], "ner").refusal(["fine", ""])
    assert sentence == "Invalid input: empty text sequence (inputs[1])"


@pytest.mark.proves(
    "ENC GET /model", "`model_id` is the name given when the file was built", "The curl example and its answer"
)
def test_the_models_name_and_labels_are_told(served: Any, clients: Any) -> None:
    assert clients("http", served["sentiment"], "sentiment").get("/model").json() == {
        "model_id": "sentiment",
        "model_type": "sequence_classification",
        "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
    }


def test_the_log_names_every_address_and_nothing_goes_to_stdout(sentiment: BuiltFile) -> None:
    with sentiment.serve() as server:
        assert f"HTTP on {server.url}" in server.text
        assert f"MCP on {server.url}/mcp" in server.text
        assert f"gRPC on {server.grpc}" in server.text
        assert server.end() == 0


def test_the_log_in_json_is_one_object_a_line(sentiment: BuiltFile) -> None:
    with sentiment.serve("--log-format", "json") as server:
        assert server.end() == 0
    entries = [json.loads(line) for line in server.log]
    assert all({"time", "level", "logger", "message"} <= set(entry) for entry in entries)
    assert "ready" in [entry["message"] for entry in entries]


@pytest.mark.parametrize(
    ("flag", "gone", "stays"),
    [
        ("--disable-http", "HTTP on", "gRPC on"),
        ("--disable-grpc", "gRPC on", "HTTP on"),
        ("--disable-mcp", "MCP on", "HTTP on"),
    ],
)
def test_a_server_that_is_switched_off_is_not_there(flag: str, gone: str, stays: str, sentiment: BuiltFile) -> None:
    with sentiment.serve(flag) as server:
        assert gone not in server.text
        assert stays in server.text


def test_limits_and_keys_come_from_the_environment(sentiment: BuiltFile, clients: Any) -> None:
    settings = {"ENCODERFILE_MAX_INPUTS": "2", "ENCODERFILE_API_KEY": "secret", "ENCODERFILE_MAX_BODY_BYTES": "1000"}
    with sentiment.serve(env=settings) as server:
        client = clients("http", server, "sentiment", headers={"authorization": "Bearer secret"})
        assert client.refusal(["a"] * 3) == (
            422,
            "Invalid input: at most 2 inputs per request, got 3: split the request",
        )
        assert client.refusal(["a" * 1000])[0] == 413
        assert clients("http", server, "sentiment").refusal(["a"])[0] == 401


def test_a_flag_wins_over_the_environment(sentiment: BuiltFile, clients: Any) -> None:
    with sentiment.serve("--max-inputs", "3", env={"ENCODERFILE_MAX_INPUTS": "2"}) as server:
        client = clients("http", server, "sentiment")
        assert len(client.predict(["a"] * 3).results) == 3
        assert client.refusal(["a"] * 4)[0] == 422


@pytest.mark.proves("ENC Beyond the page", "An API key")
def test_a_server_open_to_every_network_without_a_key_warns(sentiment: BuiltFile) -> None:
    with sentiment.serve("--http-hostname", "0.0.0.0") as server:
        assert "WARNING listening on all interfaces without --api-key" in server.text
    with sentiment.serve("--http-hostname", "0.0.0.0", "--api-key", "secret") as server:
        assert "WARNING" not in server.text


def test_the_api_key_is_in_no_log(sentiment: BuiltFile) -> None:
    with sentiment.serve("--api-key", "verysecret", "--log-level", "debug") as server:
        assert server.end() == 0
    assert "verysecret" not in server.text
