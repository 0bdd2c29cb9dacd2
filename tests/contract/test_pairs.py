"""Two texts that are read as one: `{"text": ..., "text_pair": ...}` among the inputs."""

from typing import Any

import numpy as np
import pytest

from encoderfile.errors import Kind
from support.clients import Client
from support.model_types import OF_EACH_TYPE, task_of
from support.models import MODELS, expected
from support.servers import Connect, Servers

PAIR = {"text": "What a film", "text_pair": "It was terrible."}


@pytest.mark.parametrize("name", ["bert-cls", "roberta-cls", "distilbert-cls"])
def test_a_pair_has_the_references_logits(name: str, connect: Connect) -> None:
    entries = [each for each in expected(MODELS / name)["inputs"] if each["text_pair"] is not None]
    assert entries
    pairs = [{"text": each["text"], "text_pair": each["text_pair"]} for each in entries]
    for result, entry in zip(connect(name).predict(pairs).results, entries, strict=True):
        np.testing.assert_allclose(result["logits"], entry["logits"], atol=1e-4)


def test_the_tokens_of_a_pair_count_each_in_their_own_text(connect: Connect) -> None:
    (result,) = connect("ner").predict([{"text": "Anna lives", "text_pair": "in Paris"}]).results
    infos = [each["token_info"] for each in result["tokens"]]
    assert [(each["token"], each["start"], each["end"]) for each in infos] == [
        ("Anna", 0, 4),
        ("lives", 5, 10),
        ("in", 0, 2),
        ("Paris", 3, 8),
    ]


@pytest.mark.parametrize("name", ["embed", "embed-tokens"])
@pytest.mark.parametrize("way", ["service", "http", "mcp"])
def test_models_of_vectors_read_single_texts(name: str, way: str, servers: Servers) -> None:
    client = servers.shared(way, name)
    status, sentence = client.refusal([PAIR], normalize=True)
    assert status == client.kinds[Kind.INVALID_ARGUMENT]
    assert sentence.startswith("Invalid input: inputs[0] is a text pair, and a")


@pytest.mark.parametrize("part", ["text", "text_pair"])
def test_neither_text_of_a_pair_is_empty(part: str, connect: Connect) -> None:
    client = connect("sentiment")
    assert client.refusal([PAIR, {**PAIR, part: ""}]) == client.says(
        Kind.INVALID_ARGUMENT, "Invalid input: empty text sequence (inputs[1])"
    )


@pytest.mark.parametrize("way", ["service", "http", "mcp"])
def test_pairs_and_single_texts_stand_side_by_side(way: str, servers: Servers) -> None:
    client: Client = servers.shared(way, "bert-cls")
    together = client.predict(["a", PAIR, {"text": "a"}, {"text": "a", "text_pair": None}]).results
    alone = [client.predict([each]).results[0] for each in ("a", PAIR)]
    for result, wanted in zip(together, (*alone, alone[0], alone[0]), strict=True):
        np.testing.assert_allclose(result["logits"], wanted["logits"], atol=1e-4)


@pytest.mark.parametrize("way", ["service", "http", "mcp"])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"text": 1, "text_pair": "b"}, "inputs[0].text should be a string, got a number"),
        ({"text": "a", "text_pair": ["b"]}, "inputs[0].text_pair should be a string, got a list"),
        ({"text_pair": "b"}, "the field inputs[0].text is missing"),
        ({}, "the field inputs[0].text is missing"),
        ({**PAIR, "text_target": "c"}, "inputs[0] has a field 'text_target', which is not known here"),
    ],
    ids=repr,
)
def test_an_object_that_is_not_a_pair_is_refused(given: Any, words: str, way: str, servers: Servers) -> None:
    client = servers.shared(way, "sentiment")
    status, sentence = client.refusal([given])
    assert status == client.kinds[Kind.INVALID_ARGUMENT]
    assert sentence.startswith(f"Invalid input: {words}")


def test_a_long_pair_is_truncated_and_counted(connect: Connect) -> None:
    answer = connect("sentiment").predict([{"text": "good " * 300, "text_pair": "bad " * 300}])
    assert answer.truncated == 1


def test_in_grpc_there_is_a_second_text_for_each_or_none(servers: Servers) -> None:
    client = servers.shared("grpc", "sentiment")
    with pytest.raises(Exception, match="text_pairs are 1 and inputs 2: send one for each, or none"):
        client.call(client.stub.Predict, client.message(inputs=["a", "b"], text_pairs=["c"]))


@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_the_schemas_say_who_takes_a_pair(name: str, servers: Servers) -> None:
    schemas = servers.shared("http", name).get("/openapi.json").json()["components"]["schemas"]
    items = schemas["Request"]["properties"]["inputs"]["items"]
    assert ("anyOf" in items) is task_of(name).takes_pairs
