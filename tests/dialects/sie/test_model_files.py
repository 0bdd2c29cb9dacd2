"""What the model's own files say of shorter vectors, of pooling and of sparse embeddings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.modules_json import Module
from encoderfile.builder.pooling_config import vector_pooling
from encoderfile.builder.sentence_config import matryoshka
from encoderfile.errors import ModelError
from encoderfile.manifest import PoolingSpec
from encoderfile.tasks.pooling import pool
from support.graphs import copy, edit_json
from support.models import checked
from support.synthetic import folder, output

HIDDEN = output("last_hidden_state", None, None, 8)
LOGITS = output("logits", None, None, 100)


@pytest.mark.parametrize(
    ("config", "marked", "sizes"),
    [
        ({}, False, ()),
        ({"matryoshka_dimensions": [64, 32]}, True, (32, 64)),
        ({"matryoshka_dimensions": []}, False, ()),
        ({"is_matryoshka": True}, True, ()),
        ({"is_matryoshka": True, "matryoshka_dimensions": [8]}, True, (8,)),
        ({"is_matryoshka": "no"}, False, ()),
    ],
)
def test_shorter_vectors_are_those_of_a_marked_model(
    config: dict[str, Any], marked: bool, sizes: tuple[int, ...]
) -> None:
    assert matryoshka(folder(config=config)) == (marked, sizes)


def test_an_embedding_model_keeps_the_pooling_of_its_files() -> None:
    cls = folder(modules=(Module("Pooling", "1_Pooling", {"pooling_mode_cls_token": True}), Module("Normalize")))
    assert vector_pooling(cls, "embedding", HIDDEN) == PoolingSpec(("cls",), normalize=True)
    assert vector_pooling(folder(), "embedding", HIDDEN) is None


@pytest.mark.parametrize(
    ("model_type", "words"),
    [
        ("embedding", "--model-type embedding would leave the CNN module of modules.json out"),
        ("sentence_embedding", "a CNN module, which is not part of the graph"),
    ],
)
def test_no_model_type_switches_a_module_off(model_type: str, words: str) -> None:
    dense = folder(modules=(Module("Pooling", "1_Pooling", {"pooling_mode": "cls"}), Module("CNN")))
    with pytest.raises(ModelError, match=words):
        vector_pooling(dense, model_type, HIDDEN)


def sparse(**config: Any) -> ModelFolder:
    return folder(modules=(Module("MLMTransformer"), Module("SpladePooling", "1_SpladePooling", config)))


@pytest.mark.parametrize("config", [{"pooling_strategy": "mean"}, {"activation_function": "gelu"}])
def test_a_sparse_pooling_that_is_not_known_is_refused(config: dict[str, str]) -> None:
    with pytest.raises(ModelError, match=r"the sparse pooling .* is not supported: only max and sum"):
        vector_pooling(sparse(**config), "sentence_embedding", LOGITS)


@pytest.mark.parametrize("strategy", ["max", "sum"])
@pytest.mark.parametrize("activation", ["relu", "log1p_relu"])
def test_sparse_pooling_is_the_formula_of_splade_pooling(strategy: str, activation: str) -> None:
    found = vector_pooling(
        sparse(pooling_strategy=strategy, activation_function=activation), "sentence_embedding", LOGITS
    )
    assert found is not None
    logits = np.random.default_rng(3).standard_normal((2, 5, 7)).astype(np.float32)
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], dtype=np.float32)
    transformed = np.log1p(np.maximum(logits * mask[:, :, None], 0))
    if activation == "log1p_relu":
        transformed = np.log1p(transformed)
    truth = transformed.max(axis=1) if strategy == "max" else transformed.sum(axis=1)
    np.testing.assert_allclose(pool(found.modes, logits, mask), truth, atol=1e-6)


def test_vectors_of_tokens_are_not_taken_for_weights_of_words() -> None:
    with pytest.raises(ModelError, match="needs the logits of a masked language model, and last_hidden_state"):
        vector_pooling(sparse(), "sentence_embedding", HIDDEN)


def test_vectors_of_words_are_not_taken_for_those_of_tokens() -> None:
    pooled = folder(
        config={"architectures": ["BertForMaskedLM"]},
        modules=(Module("Transformer"), Module("Pooling", "1_Pooling", {"pooling_mode": "mean"})),
    )
    with pytest.raises(ModelError, match=r"modules\.json pools token vectors, and the graph gives the logits"):
        vector_pooling(pooled, "sentence_embedding", LOGITS)


def test_a_route_without_a_transformer_is_refused_with_the_way_out() -> None:
    static = folder(
        config={"architectures": ["BertForMaskedLM"]}, modules=(Module("SparseStaticEmbedding", "query_0"),)
    )
    with pytest.raises(ModelError, match=r"set default_route in router_config\.json to a route with a Transformer"):
        vector_pooling(static, "sentence_embedding", LOGITS)


def test_a_folder_with_a_router_serves_the_route_of_documents(tmp_path: Path) -> None:
    path = copy("bert-mlm", tmp_path / "model")
    (path / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "x.models.Router"}]')
    types = {"": "x.MLMTransformer", "document_1": "x.SpladePooling", "query_0": "x.SparseStaticEmbedding"}
    structure = {"query": ["query_0"], "document": ["", "document_1"]}
    edit_json(path, "router_config.json", types=types, structure=structure, parameters={"default_route": "document"})
    edit_json(path, "document_1/config.json", activation_function="log1p_relu")
    found = checked(path)
    assert found.manifest.pooling == PoolingSpec(("splade_log1p_relu",))
    assert found.manifest.other_routes == ("query",)
    assert found.notes == ("texts of the purpose query go through other modules and are refused",)
    assert {"router_config.json", "document_1/config.json"} <= set(found.folder.files)


def test_splade_is_the_largest_log_of_one_plus_relu_over_real_tokens() -> None:
    logits = np.random.default_rng(3).standard_normal((2, 5, 7)).astype(np.float32)
    logits[1] = -np.abs(logits[1])
    mask = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], dtype=np.float32)
    found = pool(("splade",), logits, mask)
    for row, real, weights in zip(logits, mask, found, strict=True):
        truth = np.log1p(np.maximum(row[real > 0], 0)).max(axis=0)
        np.testing.assert_allclose(weights, truth, atol=1e-6)
    assert found.dtype == np.float32
    assert not found[1].any()
