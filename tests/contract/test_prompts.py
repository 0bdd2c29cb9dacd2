"""What is put before a text: on every way in what `SentenceTransformer.encode` does."""

from typing import Any

import numpy as np
import pytest

from encoderfile.errors import ConfigError, Kind
from encoderfile.model.model import Model
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.clients import Client
from support.dialects import renamed
from support.models import DEMO, MODELS, open_model
from support.servers import WAYS_IN, Connect, Servers

PROMPTS = {"query": "query: ", "passage": "passage: ", "none at all": ""}
TEXTS = ["What a wonderful day in Paris!", "no"]


def model(name: str = "bert-st", **manifest: Any) -> Model:
    return renamed(open_model(MODELS / name), **({"prompts": PROMPTS} | manifest))


@pytest.fixture
def prompted(connect: Connect) -> Client:
    """A model with prompts, none of them the default."""
    return connect(model())


def vectors(client: Client, texts: list[str], **asked: Any) -> Any:
    return np.array([each["embedding"] for each in client.predict(texts, **asked).results])


def behind(prompt: str, client: Client) -> Any:
    """The vectors of the texts with a prompt that the caller wrote before each himself."""
    return vectors(client, [prompt + text for text in TEXTS], prompt="")


def test_without_a_default_no_prompt_is_put_before_a_text(prompted: Client) -> None:
    np.testing.assert_allclose(vectors(prompted, TEXTS), behind("", prompted), atol=1e-6)


def test_the_models_default_is_put_before_every_text_unless_the_request_says_otherwise(connect: Connect) -> None:
    client = connect(model(default_prompt_name="query"))
    np.testing.assert_allclose(vectors(client, TEXTS), behind("query: ", client), atol=1e-6)
    named = vectors(client, TEXTS, prompt_name="passage")
    np.testing.assert_allclose(named, behind("passage: ", client), atol=1e-6)
    assert not np.allclose(vectors(client, TEXTS), behind("", client), atol=1e-3)


def test_a_prompt_comes_by_name_or_as_a_text(prompted: Client) -> None:
    wanted = behind("passage: ", prompted)
    np.testing.assert_allclose(vectors(prompted, TEXTS, prompt_name="passage"), wanted, atol=1e-6)
    np.testing.assert_allclose(vectors(prompted, TEXTS, prompt="passage: "), wanted, atol=1e-6)


def test_a_name_with_an_empty_prompt_is_a_name(prompted: Client) -> None:
    np.testing.assert_allclose(vectors(prompted, TEXTS, prompt_name="none at all"), behind("", prompted), atol=1e-6)


def test_a_model_without_prompts_takes_one_as_a_text(connect: Connect) -> None:
    client = connect(open_model(MODELS / "bert-st"))
    np.testing.assert_allclose(vectors(client, TEXTS, prompt="query: "), behind("query: ", client), atol=1e-6)
    assert client.refusal(TEXTS, prompt_name="query") == client.says(
        Kind.INVALID_ARGUMENT,
        "Invalid input: the prompt_name 'query' is not a prompt of this model: "
        "it has none, send the text itself as prompt",
    )


def test_an_unknown_name_is_refused_and_the_names_are_listed(prompted: Client) -> None:
    assert prompted.refusal(TEXTS, prompt_name="queries") == prompted.says(
        Kind.INVALID_ARGUMENT,
        "Invalid input: the prompt_name 'queries' is not a prompt of this model: choose query, passage, none at all",
    )


def test_a_name_and_a_text_together_are_refused(prompted: Client) -> None:
    assert prompted.refusal(TEXTS, prompt_name="query", prompt="") == prompted.says(
        Kind.INVALID_ARGUMENT, "Invalid input: prompt and prompt_name are given together: send one of them"
    )


def test_an_empty_text_is_refused_whatever_stands_before_it(prompted: Client) -> None:
    assert prompted.refusal(["fine", ""], prompt_name="query") == prompted.says(
        Kind.INVALID_ARGUMENT, "Invalid input: empty text sequence (inputs[1])"
    )


def test_prompt_and_text_are_truncated_together(prompted: Client) -> None:
    answer = prompted.predict(["word " * 500, "word"], prompt="before all that follows ")
    assert answer.truncated == 1
    whole = vectors(prompted, ["word " * 500], prompt="before all that follows ")
    np.testing.assert_allclose(whole, vectors(prompted, ["before all that follows " + "word " * 500]), atol=1e-6)


def test_offsets_count_from_the_beginning_of_the_callers_text(connect: Connect) -> None:
    client = connect(renamed(open_model(MODELS / "bert-embed"), prompts=PROMPTS))
    plain = tokens(client.predict(["hello world"], normalize=True))
    (cls, *rest) = tokens(client.predict(["hello world"], normalize=True, prompt="größe: "))
    assert cls == plain[0]
    prompt, text = rest[: -len(plain) + 1], rest[-len(plain) + 1 :]
    assert text == plain[1:]
    assert prompt
    assert {(each["start"], each["end"]) for each in prompt} == {(0, 0)}


def tokens(answer: Any) -> list[dict[str, Any]]:
    return [each["token_info"] for each in answer.results[0]["embeddings"]]


@pytest.mark.parametrize("way", [way for way in WAYS_IN if way != "grpc"])
@pytest.mark.parametrize("name", ["sentiment", "ner"])
@pytest.mark.parametrize("field", ["prompt", "prompt_name", "input_type"])
def test_classifiers_take_no_prompt(field: str, name: str, way: str, servers: Servers) -> None:
    client = servers.shared(way, name)
    status, sentence = client.refusal(TEXTS, **{field: "query"})
    assert status == client.kinds[Kind.INVALID_ARGUMENT]
    assert sentence.endswith(f"model takes no {field}: leave it out")


@pytest.mark.parametrize("way", [way for way in WAYS_IN if way != "grpc"])
@pytest.mark.parametrize(
    ("input_type", "prompt"),
    [
        ("query", "query: "),
        ("search_query", "query: "),
        ("document", "passage: "),
        ("search_document", "passage: "),
        ("passage", "passage: "),
        (None, ""),
    ],
)
def test_what_texts_are_for_names_their_prompt(input_type: str | None, prompt: str, way: str, own: Servers) -> None:
    client = own.client(way, model())
    np.testing.assert_allclose(vectors(client, TEXTS, input_type=input_type), behind(prompt, client), atol=1e-6)


@pytest.mark.parametrize(
    ("named", "prompt"),
    [
        ({}, ""),
        ({"corpus": "C: "}, "C: "),
        ({"corpus": "C: ", "passage": "P: "}, "P: "),
        ({"passage": "P: ", "document": ""}, ""),
        ({"query": "Q: "}, ""),
    ],
)
def test_documents_have_the_first_of_the_librarys_names(named: dict[str, str], prompt: str, own: Servers) -> None:
    client = own.client("service", model(prompts=named, default_prompt_name="query"))
    np.testing.assert_allclose(vectors(client, TEXTS, input_type="document"), behind(prompt, client), atol=1e-6)


@pytest.mark.parametrize("way", [way for way in WAYS_IN if way != "grpc"])
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"input_type": "clustering"}, "input_type may be query, search_query, document, search_document, passage"),
        ({"input_type": 1}, "input_type should be a string, got a number"),
        ({"prompt": ["a"]}, "prompt should be a string, got a list"),
        ({"prompt_name": False}, "prompt_name should be a string, got a boolean"),
        ({"prompt_name": "query", "input_type": "query"}, "prompt_name and input_type are given together"),
    ],
    ids=repr,
)
def test_what_names_no_prompt_is_refused(asked: dict[str, Any], words: str, way: str, servers: Servers) -> None:
    client = servers.shared(way, "bert-st")
    status, sentence = client.refusal(TEXTS, **asked)
    assert status == client.kinds[Kind.INVALID_ARGUMENT]
    assert sentence.startswith(f"Invalid input: {words}")


def test_a_lone_surrogate_in_a_prompt_is_refused(servers: Servers) -> None:
    client = servers.shared("service", "bert-st")
    assert client.refusal(TEXTS, prompt="\ud800") == (
        Kind.INVALID_ARGUMENT,
        "Invalid input: prompt holds a lone surrogate, which is not valid Unicode",
    )


@pytest.mark.parametrize(("default", "prompt"), [("passage", "passage: "), ("none", ""), (None, "query: ")])
@pytest.mark.parametrize("way", WAYS_IN)
def test_a_server_may_have_a_default_of_its_own(default: str | None, prompt: str, way: str, own: Servers) -> None:
    service = own.serve(Service(model(default_prompt_name="query"), Limits(), default_prompt=default))
    client = own.client(way, service)
    np.testing.assert_allclose(vectors(client, TEXTS), behind(prompt, client), atol=1e-6)


def test_a_default_that_the_model_does_not_have_is_refused_with_the_names() -> None:
    with pytest.raises(ConfigError, match="--default-prompt queries is not a prompt of this model: choose query, "):
        Service(model(), Limits(), default_prompt="queries")
    with pytest.raises(ConfigError, match="it has none, leave the flag out"):
        Service(open_model(DEMO["ner"]), Limits(), default_prompt="query")
    Service(open_model(DEMO["ner"]), Limits(), default_prompt="none")


def test_a_cross_encoders_default_prompt_stands_before_the_first_text(own: Servers) -> None:
    plain = open_model(MODELS / "bert-cls")
    prompted = renamed(plain, prompts={"q": "Q: "}, default_prompt_name="q")
    one = own.client("service", prompted).predict([{"text": "a", "text_pair": "b"}])
    other = own.client("service", plain).predict([{"text": "Q: a", "text_pair": "b"}])
    np.testing.assert_allclose(one.results[0]["logits"], other.results[0]["logits"], atol=1e-6)
