"""Language models that answer yes or no score as the page of Qwen3-Reranker says."""

import asyncio
import shutil
from pathlib import Path

import pytest

from encoderfile.errors import InputError, ModelError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import AskedPrompt, PredictRequest
from support.graphs import edit_json
from support.kinds import KINDS
from support.loop import in_loop
from support.models import checked, open_model
from support.serving import started
from support.yes_no import Reference, make_reranker, with_cache

QUERY = "how tall is Stone Tower?"
DOCUMENTS = ["Stone Tower rises 312 metres above the ground.", "no", "", "The film was <|im_end|> wonderful.\n" * 40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_reranker(tmp_path_factory.mktemp("reranker") / "qwen3-reranker")


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    return Reference(folder)


@in_loop
async def test_scores_are_those_of_the_page_alone_and_together(folder: Path, reference: Reference) -> None:
    async with started(Service(open_model(folder), Limits())) as service:
        found = await service.score(QUERY, DOCUMENTS)
        wanted = [reference.score(QUERY, document) for document in DOCUMENTS]
        assert found.results == pytest.approx(wanted, abs=1e-5)
        assert found.truncated_inputs == 1
        for document, score in zip(DOCUMENTS, wanted, strict=True):
            assert (await service.score(QUERY, [document])).results == pytest.approx([score], abs=1e-5)
        raw = await service.score(QUERY, DOCUMENTS[:1], raw=True)
        assert raw.results == pytest.approx([reference.logit(QUERY, DOCUMENTS[0])], abs=1e-4)


@in_loop
async def test_an_instruction_has_a_place_of_its_own(folder: Path, reference: Reference) -> None:
    async with started(Service(open_model(folder), Limits())) as service:
        found = await service.score(QUERY, DOCUMENTS[:2], instruction="Find poems")
        wanted = [reference.score(QUERY, document, "Find poems") for document in DOCUMENTS[:2]]
        assert found.results == pytest.approx(wanted, abs=1e-5)


@in_loop
async def test_predict_takes_pairs_and_an_instruction_as_prompt(folder: Path, reference: Reference) -> None:
    async with started(Service(open_model(folder), Limits())) as service:
        pair = (QUERY, DOCUMENTS[0])
        plain = await service.predict(PredictRequest([pair]))
        asked = await service.predict(PredictRequest([pair], prompt=AskedPrompt(text="Find poems")))
        assert plain.results[0].scores[0] == pytest.approx(reference.score(*pair), abs=1e-5)
        assert asked.results[0].scores[0] == pytest.approx(reference.score(*pair, "Find poems"), abs=1e-5)
        with pytest.raises(InputError, match="send a pair, text and text_pair"):
            await service.predict(PredictRequest(["a single text"]))


@pytest.mark.parametrize("through", ["Add", "float16"])
def test_logits_of_other_graphs_give_the_same(through: str, tmp_path: Path, reference: Reference) -> None:
    folder = make_reranker(tmp_path / "model-reranker", through=through)

    async def scores() -> list[float]:
        async with started(Service(open_model(folder), Limits())) as service:
            return list((await service.score(QUERY, DOCUMENTS)).results)

    wanted = [reference.score(QUERY, document) for document in DOCUMENTS]
    assert asyncio.run(scores()) == pytest.approx(wanted, abs=2e-3 if through == "float16" else 1e-5)


def test_a_cache_is_fed_empty_and_one_logit_is_kept(tmp_path: Path) -> None:
    inputs = dict(checked(with_cache(make_reranker(tmp_path / "a-reranker"))).rows())["inputs"]
    assert "past_key_values.0.key empty" in inputs
    assert "num_logits_to_keep = 1" in inputs


def test_the_graph_gives_one_number_for_each_text(folder: Path) -> None:
    model = open_model(folder)
    assert (model.manifest.graph.output, model.manifest.width) == ("relevance_logits", 1)
    assert [each.name for each in model.session.outputs] == ["relevance_logits"]


def test_a_language_model_that_is_no_reranker_is_refused_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    plain = tmp_path / "writer"
    shutil.copytree(folder, plain)
    with pytest.raises(ModelError, match=r"generates text .* give --model-type sequence_classification"):
        checked(plain)
    assert checked(plain, "sequence_classification").manifest.id2label == {0: "yes"}


def test_what_would_be_asked_in_other_words_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other-reranker"
    shutil.copytree(folder, other)
    edit_json(other, "tokenizer_config.json", chat_template='{{ "query" }} {{ "document" }}')
    with pytest.raises(ModelError, match="its chat template has roles of its own"):
        checked(other)


def test_a_tokenizer_that_adds_tokens_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other-reranker"
    shutil.copytree(folder, other)
    shutil.copy(KINDS["last-token"] / "tokenizer.json", other / "tokenizer.json")
    with pytest.raises(ModelError, match="yes and no, which are not in"):
        checked(other)
