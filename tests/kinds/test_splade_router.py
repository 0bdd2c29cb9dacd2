"""Queries of an inference-free sparse model are answered from its table, as `SparseEncoder.encode_query` does."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from encoderfile import tensors
from encoderfile.errors import InputError, ModelError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import AskedPrompt, PredictRequest
from support.graphs import copy, edit_json
from support.loop import in_loop
from support.models import checked, open_model
from support.serving import started

ROUTE = "query_0_SparseStaticEmbedding"
TEXTS = ["Hello World! How many people live in Berlin?", "GREAT Product", "a a a", " ", "the"]


def make(folder: Path, *, limit: int | None = None, path: str | None = None) -> tuple[Path, Any]:
    """A folder with the table of queries, and the table."""
    copy("bert-mlm", folder)
    (folder / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "x.models.Router"}]')
    types = {"": "x.MLMTransformer", "document_1": "x.SpladePooling", ROUTE: "x.SparseStaticEmbedding"}
    structure = {"query": [ROUTE], "document": ["", "document_1"]}
    edit_json(
        folder, "router_config.json", types=types, structure=structure, parameters={"default_route": "document"}
    )
    edit_json(folder, "document_1/config.json", activation_function="relu")
    (folder / ROUTE).mkdir()
    edit_json(folder, f"{ROUTE}/config.json", frozen=False, **({} if path is None else {"path": path}))
    shutil.copy(folder / "tokenizer.json", folder / ROUTE / "tokenizer.json")
    shutil.copy(folder / "tokenizer_config.json", folder / ROUTE / "tokenizer_config.json")
    edit_json(folder, f"{ROUTE}/tokenizer_config.json", model_max_length=limit or 512)
    size = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    weights = np.random.default_rng(2).random(size).astype(np.float32)
    (folder / ROUTE / "model.safetensors").write_bytes(tensors.write({"weight": weights}))
    return folder, weights


def wanted(folder: Path, weights: Any, text: str, limit: int = 512) -> Any:
    """The formula of `SparseStaticEmbedding.forward`."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    vector = np.zeros_like(weights)
    for index in tokenizer.encode(text, add_special_tokens=False).ids[:limit]:
        vector[index] = weights[index]
    return vector


@in_loop
async def test_queries_have_the_weights_of_their_tokens_and_documents_go_through_the_graph(tmp_path: Path) -> None:
    folder, weights = make(tmp_path / "model")
    plain = open_model(copy("bert-mlm", tmp_path / "plain"))
    async with started(Service(open_model(folder), Limits())) as service, started(Service(plain, Limits())) as graph:
        for prompt in (AskedPrompt(input_type="query"), AskedPrompt(name="query")):
            found = await service.predict(PredictRequest(TEXTS, prompt=prompt))
            for text, result in zip(TEXTS, found.results, strict=True):
                np.testing.assert_array_equal(result.embedding, wanted(folder, weights, text))
        documents = await service.predict(PredictRequest(TEXTS[:2], prompt=AskedPrompt(input_type="document")))
        alone = await graph.predict(PredictRequest(TEXTS[:2]))
        for one, other in zip(documents.results, alone.results, strict=True):
            np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-5)
        empty = await service.predict(PredictRequest([""], prompt=AskedPrompt(name="query"), allow_empty=True))
        assert not empty.results[0].embedding.any()


@in_loop
async def test_a_prompt_and_the_limit_of_the_querys_own_tokenizer_hold(tmp_path: Path) -> None:
    folder, weights = make(tmp_path / "model", limit=3)
    edit_json(folder, "config_sentence_transformers.json", prompts={"query": "find ", "document": ""})
    async with started(Service(open_model(folder), Limits())) as service:
        found = await service.predict(PredictRequest(TEXTS[:1], prompt=AskedPrompt(input_type="query")))
        assert found.truncated_inputs == 1
        np.testing.assert_array_equal(found.results[0].embedding, wanted(folder, weights, "find " + TEXTS[0], 3))


def test_the_table_may_be_a_json_file_of_tokens(tmp_path: Path) -> None:
    folder, _ = make(tmp_path / "model", path="somewhere/idf.json")
    (folder / ROUTE / "model.safetensors").unlink()
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    token, index = max(vocabulary.items(), key=lambda each: each[1])
    (folder / ROUTE / "idf.json").write_text(json.dumps({token: 2.5, "[PAD]": 1}))
    model = open_model(folder)
    table = model.tensors["static_weights"]
    assert (len(table), table[index], np.count_nonzero(table)) == (index + 1, 2.5, 2)


@in_loop
async def test_a_token_without_a_weight_is_refused(tmp_path: Path) -> None:
    folder, weights = make(tmp_path / "model")
    (folder / ROUTE / "model.safetensors").write_bytes(tensors.write({"weight": weights[:6]}))
    async with started(Service(open_model(folder), Limits())) as service:
        with pytest.raises(InputError, match="holds a token for which this model has no weight"):
            await service.predict(PredictRequest(TEXTS, prompt=AskedPrompt(name="query")))


def test_queries_that_are_read_by_another_tokenizer_stay_refused(tmp_path: Path) -> None:
    folder, _ = make(tmp_path / "model")
    edit_json(folder, f"{ROUTE}/tokenizer.json", normalizer=None)
    assert checked(folder).manifest.other_routes == ("query",)


def test_a_damaged_table_is_refused(tmp_path: Path) -> None:
    folder, weights = make(tmp_path / "model")
    (folder / ROUTE / "model.safetensors").write_bytes(tensors.write({"weight": weights[None]}))
    with pytest.raises(ModelError, match="does not hold a weight for each token"):
        checked(folder)


def test_what_check_says(tmp_path: Path) -> None:
    folder, _ = make(tmp_path / "model")
    found = checked(folder)
    assert found.manifest.other_routes == ()
    assert ("note", "texts of the purpose query are answered from a table, without the graph") in found.rows()
    assert dict(found.rows())["abilities"] == "sparse, prompts"
