"""MCP: the tools beside `run_encoder`, which answer what an agent asks for."""

import json
from functools import cache
from typing import Any

import jsonschema
import numpy as np
import pytest
from mcp.shared.exceptions import MCPError

from encoderfile.model.model import Model
from encoderfile.service.limits import Limits
from support.clients import McpClient
from support.dialects import make_cross_encoder
from support.kinds import KINDS
from support.model_types import FOLDERS
from support.models import open_model
from support.servers import Servers

QUESTION, STEPS, CAT = "How do I reset my password?", "Password recovery steps", "The cat sleeps."
ADA = "Ada Lovelace was born in London."
HAS = {
    "embed": ("similarity", "rank"),
    "embed-tokens": ("similarity", "rank"),
    "bert-mlm": ("similarity", "rank"),
    "sentiment": ("classify",),
    "ner": ("extract_entities",),
    "gliner-span": ("extract_entities",),
    "gliclass": ("classify",),
    "nli-zero-shot": ("classify",),
    "bge-m3": ("similarity", "rank"),
    "colbert": ("rank",),
    "cross": ("rank",),
}
"""What each model has beside `run_encoder`."""
NAMED = {"gliner-span": ["person", "city"], "gliclass": ["praise", "complaint"], "nli-zero-shot": ["a", "b", "c"]}
"""The labels that a call to a model has to name."""
EXAMPLES: dict[str, dict[str, Any]] = {
    "similarity": {"texts": [QUESTION, STEPS], "other_texts": [CAT, STEPS, QUESTION]},
    "rank": {"query": QUESTION, "documents": [CAT, STEPS, QUESTION, ""]},
    "extract_entities": {"texts": [ADA, CAT]},
    "classify": {"texts": [ADA, CAT]},
}
EACH = [(name, tool) for name, tools in HAS.items() for tool in tools]


def example(name: str, tool: str) -> dict[str, Any]:
    """Arguments for the tool of a model."""
    return {**EXAMPLES[tool], **({"labels": NAMED[name]} if name in NAMED else {})}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`models("cross")` is the model of that name."""

    @cache
    def found(name: str) -> Model:
        if name == "cross":
            return open_model(make_cross_encoder(tmp_path_factory.mktemp("models") / "cross"))
        return open_model(*FOLDERS.get(name, (KINDS.get(name), None)))

    return found


@pytest.fixture(scope="module")
def ask(module_servers: Servers, models: Any) -> Any:
    """`ask("embed")` is a client of the model's server."""
    return cache(lambda name: module_servers.client("mcp", models(name)))


def listed(mcp: McpClient) -> dict[str, Any]:
    return {tool.name: tool for tool in mcp.portal.call(mcp.session.list_tools).tools}


def call(mcp: McpClient, tool: str, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = mcp.portal.call(mcp.session.call_tool, tool, arguments).structured_content
    return answer


def refusal(mcp: McpClient, tool: str, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(MCPError) as raised:
        mcp.portal.call(mcp.session.call_tool, tool, arguments)
    return raised.value.code, raised.value.message


@pytest.mark.parametrize("name", HAS)
def test_a_model_has_the_tools_for_what_it_can_do_after_run_encoder(name: str, ask: Any) -> None:
    assert tuple(listed(ask(name))) == ("run_encoder", *HAS[name])


@pytest.mark.parametrize(("name", "tool"), EACH)
def test_answers_fit_the_schemas_that_are_listed(name: str, tool: str, ask: Any) -> None:
    mcp = ask(name)
    described = listed(mcp)[tool]
    for schema in (described.input_schema, described.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
    arguments = example(name, tool)
    jsonschema.validate(arguments, described.input_schema)
    jsonschema.validate(call(mcp, tool, **arguments), described.output_schema)
    assert described.annotations.read_only_hint
    assert described.title


@pytest.mark.parametrize(("name", "tool"), EACH)
def test_an_argument_may_be_null_and_its_schema_names_one_type(name: str, tool: str, ask: Any) -> None:
    """Agents send null for what they leave out; the Inspector converts words by the type of the schema."""
    mcp = ask(name)
    schema = listed(mcp)[tool].input_schema
    assert all(isinstance(each["type"], str) for each in schema["properties"].values())
    left_out = dict.fromkeys(schema["properties"].keys() - schema["required"])
    assert call(mcp, tool, **{**left_out, **example(name, tool)})


@pytest.mark.parametrize(("name", "tool"), EACH)
def test_the_example_of_the_description_is_answered(name: str, tool: str, ask: Any) -> None:
    mcp = ask(name)
    written = listed(mcp)[tool].description.partition("Example arguments: ")[2]
    assert call(mcp, tool, **json.loads(written))


@pytest.mark.parametrize(("name", "tool"), EACH)
def test_the_text_is_the_same_json(name: str, tool: str, ask: Any) -> None:
    mcp = ask(name)
    result = mcp.portal.call(mcp.session.call_tool, tool, example(name, tool))
    (content,) = result.content
    assert json.loads(content.text) == result.structured_content
    assert result.is_error is False


@pytest.mark.parametrize(("name", "tool"), EACH)
def test_arguments_that_a_tool_does_not_have_are_refused_by_name(name: str, tool: str, ask: Any) -> None:
    code, sentence = refusal(ask(name), tool, **example(name, tool), dimensions=3)
    assert (code, sentence) == (
        -32600,
        "Invalid input: the body has a field 'dimensions', which is not known here",
    )


def test_similarity_is_the_cosine_of_the_vectors(ask: Any) -> None:
    mcp = ask("embed")
    texts = [QUESTION, STEPS, CAT]
    vectors = np.array([each["embedding"] for each in mcp.predict(texts, normalize=True).results])
    found = call(mcp, "similarity", texts=texts)
    assert found["function"] == "cosine"
    np.testing.assert_allclose(found["similarities"], vectors @ vectors.T, atol=1e-5)
    part = call(mcp, "similarity", texts=texts[:1], other_texts=texts[1:])["similarities"]
    np.testing.assert_allclose(part, vectors[:1] @ vectors[1:].T, atol=1e-5)


def test_rank_gives_the_best_documents_first(ask: Any) -> None:
    mcp = ask("embed")
    results = call(mcp, "rank", query=QUESTION, documents=[CAT, STEPS, QUESTION])["results"]
    assert [(each["index"], each["document"]) for each in results] == [(2, QUESTION), (1, STEPS), (0, CAT)]
    assert results[0]["score"] == pytest.approx(1, abs=1e-5)
    assert call(mcp, "rank", query=QUESTION, documents=[CAT, STEPS], top_n=1)["results"] == results[1:2]
    many = call(mcp, "rank", query=QUESTION, documents=[CAT] * 30)["results"]
    assert [each["index"] for each in many] == list(range(10))


def test_rank_reads_query_and_documents_each_with_its_prompt(own: Servers) -> None:
    mcp = own.client("mcp", open_model(KINDS["st-dense"]))
    query = mcp.predict([QUESTION], prompt_name="query", normalize=True).results[0]["embedding"]
    document = mcp.predict([STEPS], prompt_name="document", normalize=True).results[0]["embedding"]
    (found,) = call(mcp, "rank", query=QUESTION, documents=[STEPS])["results"]
    assert found["score"] == pytest.approx(np.dot(query, document), abs=1e-5)


@pytest.mark.parametrize("name", ["colbert", "bge-m3", "cross"])
def test_rank_gives_a_models_own_scores(name: str, ask: Any, models: Any, own: Servers) -> None:
    documents = [CAT, STEPS, QUESTION, ""]
    service = own.service(models(name))
    scores = own.portal.call(service.score, QUESTION, documents).results
    results = call(ask(name), "rank", query=QUESTION, documents=documents)["results"]
    assert [each["index"] for each in results] == sorted(range(4), key=lambda index: -scores[index])
    np.testing.assert_allclose([each["score"] for each in results], sorted(scores, reverse=True), atol=1e-5)


def test_entities_are_whole_and_stand_where_they_say(ask: Any) -> None:
    text = "John Smith lives in Paris."
    (found,) = call(ask("ner"), "extract_entities", texts=[text])["results"]
    assert found["entities"]
    for each in found["entities"]:
        assert each["text"] == text[each["start"] : each["end"]]


def test_entities_may_be_chosen_by_their_label(ask: Any) -> None:
    mcp = ask("ner")
    text = "John Smith lives in Paris."
    (every,) = call(mcp, "extract_entities", texts=[text])["results"]
    label = every["entities"][0]["label"]
    (some,) = call(mcp, "extract_entities", texts=[text], labels=[label.lower()])["results"]
    assert some["entities"] == [each for each in every["entities"] if each["label"] == label]
    code, sentence = refusal(mcp, "extract_entities", texts=[text], labels=["X"])
    assert code == -32600
    assert sentence.startswith("Invalid input: labels[0] is none of this model's: ")


def test_a_long_text_is_read_in_full(ask: Any) -> None:
    """Its last entity is found, although it stands far behind the limit."""
    mcp = ask("ner")
    text = "Nothing happened. " * 400 + "John Smith lives in Paris."
    (found,) = call(mcp, "extract_entities", texts=[text])["results"]
    assert max(each["start"] for each in found["entities"]) > 400 * len("Nothing happened. ")


def test_a_text_that_is_too_long_to_be_read_in_windows_is_refused(ask: Any) -> None:
    sentence = f"texts[1] has {1 << 18} characters, at most {1 << 17} are read: split it"
    refused = refusal(ask("ner"), "extract_entities", texts=["a", "b" * (1 << 18)])
    assert refused == (-32600, f"Invalid input: {sentence}")


@pytest.mark.parametrize("name", ["gliner-span", "gliclass", "nli-zero-shot"])
def test_labels_of_the_call_give_what_run_encoder_gives(name: str, ask: Any) -> None:
    mcp, (tool,) = ask(name), HAS[name]
    found = call(mcp, tool, texts=[ADA], labels=NAMED[name])["results"][0]
    (whole,) = mcp.predict([ADA], labels=NAMED[name]).results
    (rows,), (wanted,) = found.values(), whole.values()
    assert rows == [{**row, "score": pytest.approx(row["score"], rel=1e-6)} for row in wanted]


def test_the_best_labels_come_first_and_as_many_as_are_asked_for(ask: Any) -> None:
    mcp = ask("sentiment")
    (found,) = call(mcp, "classify", texts=["What a wonderful film!"])["results"]
    assert [each["label"] for each in found["labels"]] == ["POSITIVE", "NEGATIVE"]
    assert sum(each["score"] for each in found["labels"]) == pytest.approx(1, abs=1e-5)
    (one,) = call(mcp, "classify", texts=["What a wonderful film!"], top_k=1)["results"]
    assert one["labels"] == found["labels"][:1]


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("similarity", {}, "the field texts is missing"),
        ("similarity", {"texts": []}, "texts is empty: send at least one"),
        ("similarity", {"texts": "a"}, "texts should be a list, got a string"),
        ("similarity", {"texts": ["a", ""]}, "empty text sequence (texts[1])"),
        ("similarity", {"texts": ["a"], "other_texts": ["a", ""]}, "empty text sequence (other_texts[1])"),
        ("rank", {"query": "", "documents": ["a"]}, "query is empty"),
        ("rank", {"query": "a", "documents": []}, "documents is empty: send at least one"),
        ("rank", {"query": "a", "documents": ["a"], "top_n": 0}, "top_n should be at least 1"),
    ],
    ids=range(8),
)
def test_wrong_arguments_are_refused_by_their_own_names(tool: str, arguments: Any, sentence: str, ask: Any) -> None:
    assert refusal(ask("embed"), tool, **arguments) == (-32600, f"Invalid input: {sentence}")


def test_the_numbers_of_texts_and_of_the_answer_are_bounded(own: Servers) -> None:
    mcp = own.client("mcp", own.service("embed", Limits(max_inputs=3)))
    for arguments in ({"texts": ["a"] * 4}, {"texts": ["a"] * 2, "other_texts": ["a"] * 2}):
        code, sentence = refusal(mcp, "similarity", **arguments)
        assert (code, sentence) == (-32600, "Invalid input: at most 3 inputs per request, got 4: split the request")
    _, sentence = refusal(mcp, "similarity", texts=["a"] * 3000)
    assert sentence.endswith(f"would hold 9000000 numbers, the most in one answer is {1 << 18}: send fewer texts")
    small = own.client("mcp", own.service("embed", Limits(max_values=5000)))
    _, sentence = refusal(small, "similarity", texts=["a"] * 100)
    assert sentence.endswith("the answer would hold 10000 numbers, the most in one answer is 5000: send fewer texts")


@pytest.mark.parametrize(("name", "tool"), [("embed", "similarity"), ("embed", "rank"), ("sentiment", "classify")])
def test_truncated_texts_are_told_or_refused(name: str, tool: str, ask: Any, own: Servers) -> None:
    mcp = ask(name)
    long = "word " * 2000
    arguments = {"query": "a", "documents": [long, "b"]} if tool == "rank" else {"texts": [long, "b"]}
    assert mcp.portal.call(mcp.session.call_tool, tool, arguments).meta["x-truncated-inputs"] == 1
    strict = own.client("mcp", own.service(name, Limits(refuse_overflow=True)))
    code, sentence = refusal(strict, tool, **arguments)
    assert code == -32600
    assert sentence.startswith(f"Invalid input: {'documents' if tool == 'rank' else 'texts'}[0] has more than ")
    assert "are refused." in listed(strict)[tool].description


def test_a_query_that_is_refused_is_no_document(own: Servers) -> None:
    strict = own.client("mcp", own.service("embed", Limits(refuse_overflow=True)))
    _, sentence = refusal(strict, "rank", query="word " * 2000, documents=["a"])
    assert sentence.startswith("Invalid input: the query has more than ")
