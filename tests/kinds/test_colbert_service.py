"""What requests to a ColBERT model may say, what its answers hold, and how it scores, over every way in."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import ConfigError, DrainingError, InputError, TooLongError
from encoderfile.service.known_fields import FieldError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.maxsim import maxsim
from encoderfile.types import AskedPrompt, PredictRequest, Truncation
from support.clients import PATIENCE
from support.colbert import Reference, flat
from support.controlled_models import Gated
from support.dialects import Sie, SieServers, code, sie_servers
from support.kinds import KINDS
from support.loop import in_loop
from support.models import expected, open_model
from support.serving import started

LONG = "tower " * 100


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SieServers]:
    with sie_servers(tmp_path_factory.mktemp("sie")) as found:
        yield found


@pytest.fixture(scope="module")
def client(servers: SieServers) -> Sie:
    return servers["colbert"]


def case(kind: str, name: str, folder: str = "colbert-vespa") -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in expected(KINDS[folder])["inputs"] if (each["kind"], each["id"]) == (kind, name)
    )
    return found


async def predicted(text: str, prompt: AskedPrompt, folder: Path = KINDS["colbert-vespa"], **server: Any) -> Any:
    async with started(Service(open_model(folder), Limits(), **server)) as service:
        found = await service.predict(PredictRequest([text], {"normalize": True}, prompt=prompt, allow_empty=True))
        return found.results[0]


@in_loop
async def test_tokens_that_no_text_spells_have_their_names_and_no_place() -> None:
    found = await predicted("  one Tower", AskedPrompt(name="query"))
    tokens = [tuple(each) for each in found.tokens]
    assert tokens[:2] == [("[CLS]", 2, 0, 0), ("[unused0]", 1200, 0, 0)]
    assert [text[2:] for text in tokens if text[0] == "tower"] == [(6, 11)]
    assert tokens[-1] == ("[MASK]", 4, 0, 0)
    assert len(tokens) == len(found.embeddings) == 32


@in_loop
async def test_tokens_of_punctuation_are_left_out_of_documents_alone() -> None:
    prompts = AskedPrompt(name="document"), AskedPrompt(name="query")
    document, query = [await predicted("Tower, tower!", prompt) for prompt in prompts]
    assert [each.token for each in document.tokens] == ["[CLS]", "[unused1]", "tower", "tower", "[SEP]"]
    assert {",", "!"} <= {each.token for each in query.tokens}


@pytest.mark.parametrize(
    ("prompt", "purpose"),
    [
        (AskedPrompt(), "document"),
        (AskedPrompt(text=""), "document"),
        (AskedPrompt(name="document"), "document"),
        (AskedPrompt(input_type="passage"), "document"),
        (AskedPrompt(name="query"), "query"),
        (AskedPrompt(input_type="search_query"), "query"),
    ],
)
@in_loop
async def test_a_request_says_what_its_texts_are_for_and_documents_are_the_default(
    prompt: AskedPrompt, purpose: str
) -> None:
    wanted = case(purpose, "short")
    found = await predicted(wanted["text"], prompt)
    np.testing.assert_allclose(found.embeddings, np.array(wanted["vectors"]), atol=1e-5)


@in_loop
async def test_a_server_may_read_texts_as_queries_by_default() -> None:
    wanted = case("query", "short")
    found = await predicted(wanted["text"], AskedPrompt(), default_prompt="query")
    np.testing.assert_allclose(found.embeddings, np.array(wanted["vectors"]), atol=1e-5)
    with pytest.raises(ConfigError, match="choose query, document or none"):
        Service(open_model(KINDS["colbert"]), Limits(), "passage")


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        (
            AskedPrompt(text="search: "),
            "takes no prompt of your own: leave it out, or send prompt_name query or document",
        ),
        (
            AskedPrompt(name="passage"),
            "the prompt_name 'passage' is not a prompt of this model: choose query, document",
        ),
    ],
)
@in_loop
async def test_other_prompts_are_refused(prompt: AskedPrompt, says: str) -> None:
    with pytest.raises(FieldError, match=says):
        await predicted("a text", prompt)


@in_loop
async def test_prompts_that_the_files_have_are_put_before_the_texts_of_their_purpose(tmp_path: Path) -> None:
    prompts = {"query": "search query: ", "document": "search document: "}
    folder = flat(tmp_path / "model", prompts=prompts)
    reference = Reference(folder, expands=False)
    for purpose, prompt in prompts.items():
        found = await predicted(" tower ", AskedPrompt(name=purpose), folder)
        np.testing.assert_allclose(found.embeddings, reference.vectors(f"{prompt} tower", purpose), atol=2e-5)
        (place,) = [(each.start, each.end) for each in found.tokens if each.end == 6]
        assert place == (1, 6)


@in_loop
async def test_scores_are_those_of_vectors_asked_for_apart_however_many_texts_there_are() -> None:
    texts = [f"tower {number} " + "stone " * (number % 60) for number in range(300)]
    async with started(Service(open_model(KINDS["colbert-vespa"]), Limits())) as service:
        found = await service.score("how tall is it", texts)
        raw = await service.score("how tall is it", texts, raw=True)
    reference = Reference(
        KINDS["colbert-vespa"], query_prefix="[unused0]", document_prefix="[unused1]", document_length=96
    )
    query = reference.vectors("how tall is it", "query")
    wanted = [maxsim(query, reference.vectors(text, "document")) for text in texts[::17]]
    np.testing.assert_allclose(found.results[::17], wanted, atol=1e-4)
    assert len(found.results) == 300
    assert raw.results == found.results


@in_loop
async def test_a_document_without_vectors_scores_zero(tmp_path: Path) -> None:
    tokenizer = json.loads((KINDS["colbert"] / "tokenizer.json").read_text())
    added = [token["content"] for token in tokenizer["added_tokens"]]
    folder = flat(tmp_path / "model", skiplist_words=[*tokenizer["model"]["vocab"], *added])
    async with started(Service(open_model(folder), Limits())) as service:
        found = await service.score("tower", ["stone", ""])
        vectors = await service.predict(PredictRequest(["stone"], {"normalize": True}))
    assert found.results == [0.0, 0.0]
    assert vectors.results[0].embeddings.shape == (0, 24)


@in_loop
async def test_scoring_counts_truncated_texts_and_refuses_them_where_asked() -> None:
    async with started(Service(open_model(KINDS["colbert"]), Limits())) as service:
        found = await service.score(LONG, ["tower", LONG, LONG])
        assert found.truncated_inputs == 3
        assert found.token_count == 32 + 4 + 64 + 64
        with pytest.raises(TooLongError, match="Invalid input: the query has more than 32 tokens"):
            await service.score(LONG, ["tower"], truncation=Truncation(refuse=True))
        with pytest.raises(TooLongError, match=r"Invalid input: inputs\[300\] has more than 64 tokens"):
            await service.score("tower", [*["stone " * 20] * 300, LONG], truncation=Truncation(refuse=True))


@in_loop
async def test_a_request_for_scores_that_was_accepted_is_answered_whole_while_the_server_stops() -> None:
    model = Gated(open_model(KINDS["colbert"]))
    async with started(Service(model, Limits())) as service:
        asked = asyncio.ensure_future(service.score("tower", ["stone " * 200] * 60))
        await asyncio.to_thread(model.wait_until_running)
        drained = asyncio.ensure_future(service.drain(PATIENCE))
        await asyncio.sleep(0)
        with pytest.raises(DrainingError):
            await service.score("tower", ["stone"])
        model.open()
        assert len((await asked).results) == 60
        assert await drained


@in_loop
async def test_scoring_is_bounded_as_one_request_is() -> None:
    async with started(Service(open_model(KINDS["colbert"]), Limits(max_inputs=4, max_characters=100))) as service:
        with pytest.raises(InputError, match="at most 4 inputs"):
            await service.score("q", ["d"] * 5)
        with pytest.raises(InputError, match="at most 100 characters"):
            await service.score("q", ["d" * 30] * 4)
        with pytest.raises(InputError, match=r"inputs\[1\] holds a lone surrogate"):
            await service.score("q", ["d", "\ud800"])


def test_score_and_rerank_answer_with_maxsim(client: Sie) -> None:
    truth = expected(KINDS["colbert-vespa"])["maxsim"]["query_expansion=True"]["short"]
    texts = {name: case("document", name)["text"] for name in truth}
    query = case("query", "short")["text"]
    best = sorted(truth, key=lambda name: -truth[name])
    ranked = client.score(query, *texts.values()).json()["scores"]
    assert [list(texts)[int(each["item_id"].removeprefix("item-"))] for each in ranked] == best
    np.testing.assert_allclose([each["score"] for each in ranked], [truth[name] for name in best], atol=1e-4)
    for path in ("/rerank", "/v1/rerank"):
        answer = client.post(path, {"query": query, "documents": list(texts.values())})
        results = answer.json()["results"]
        assert [list(texts)[each["index"]] for each in results] == best
        assert answer.headers["x-truncated-inputs"] == "1"


def test_encode_gives_multivectors_of_queries_and_documents(client: Sie) -> None:
    for is_query, purpose in ((True, "query"), (False, "document")):
        wanted = case(purpose, "unicode")
        (found,) = client.vectors("multivector", wanted["text"], options={"is_query": is_query})
        np.testing.assert_allclose(found, np.array(wanted["vectors"]), atol=1e-5)
    (item,) = client.encode("a text").json()["items"]
    assert set(item) == {"multivector"}
    assert client.post("/v1/models", None).status_code == 405
    assert client.http.request("GET", f"/v1/models/{client.id}").json()["dims"] == {"multivector": 24}


def test_a_template_leaves_a_query_a_query(client: Sie) -> None:
    options = {"is_query": True, "query_template": "{text} tower"}
    (filled,) = client.vectors("multivector", "how tall is Stone", options=options)
    (plain,) = client.vectors("multivector", "how tall is Stone tower", options={"is_query": True})
    np.testing.assert_array_equal(filled, plain)


def test_what_the_library_does_not_have_is_refused(client: Sie) -> None:
    assert code(client.encode("a text", output_types=["dense"])) == (400, "INVALID_INPUT")
    assert code(client.encode("a text", instruction="Find")) == (400, "INVALID_INPUT")
    refused = client.post("/v1/embeddings", {"model": client.id, "input": "a text"})
    assert refused.status_code == 400
    assert "does not support dense embeddings: it gives multivector" in refused.json()["error"]["message"]
