"""A batch through the graph: shapes that are fixed, and outputs that are no numbers."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.errors import InternalError
from encoderfile.manifest import GraphInput, GraphSpec, PoolingSpec
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.embedding import TokenEmbeddings
from encoderfile.tasks.pooling import POOLING
from encoderfile.tasks.sentence_embedding import SentenceEmbedding
from support import graphs
from support.models import MODELS, checked, open_model
from support.payload import manifest
from support.truth import close

WORDS = Tokenizer((MODELS / "bert-cls" / "tokenizer.json").read_bytes(), manifest().tokenizer)
NOT_FINITE = "Internal error: the model's output is not finite (NaN or infinity)"


class Graph:
    """A session whose every output value is the token id above it; `spoil` may change that."""

    device = Device("cpu", "tests")
    threads, load_seconds = 1, 0.0

    def __init__(self, spoil: Any = None, *, rank: int = 3) -> None:
        self._spoil = spoil
        self.rank = rank
        self.shapes: list[tuple[int, ...]] = []

    def run(self, feeds: Mapping[str, np.ndarray], output: str) -> np.ndarray:
        ids = feeds["input_ids"]
        self.shapes.append(ids.shape)
        found = np.repeat(ids[:, :, None], 2, axis=2).astype(np.float32)
        if self.rank == 2:
            found = found.sum(axis=1)
        if self._spoil is not None:
            self._spoil(found, feeds["attention_mask"])
        return found


def model(graph: Graph, model_type: str = "embedding", **spec: Any) -> Model:
    inputs = tuple(GraphInput(name, "int64", **spec) for name in ("input_ids", "attention_mask"))
    described = manifest(
        model_type=model_type, graph=GraphSpec(inputs, "out"), pooling=PoolingSpec() if graph.rank == 3 else None
    )
    return Model(described, WORDS, graph)  # type: ignore[arg-type]


TEXTS = ["one", "one two three four", "a longer text than all of the others", "x"]


def test_every_text_gets_its_own_rows_and_no_padding() -> None:
    served = model(Graph())
    encoded = served.encode(TEXTS)
    for text, result in zip(encoded, served.run(encoded), strict=True):
        assert isinstance(result, TokenEmbeddings)
        assert result.embeddings[:, 0].tolist() == text.input_ids.tolist()
        assert [token.token_id for token in result.tokens] == text.input_ids.tolist()


def test_texts_of_one_batch_share_one_run() -> None:
    graph = Graph()
    served = model(graph)
    encoded = served.encode(TEXTS)
    served.run(encoded)
    assert graph.shapes == [(len(TEXTS), max(len(text) for text in encoded))]


@pytest.mark.parametrize(("batch", "runs"), [(1, 4), (3, 2), (4, 1), (9, 1)])
def test_a_fixed_batch_is_run_as_often_as_needed(batch: int, runs: int) -> None:
    graph = Graph()
    served = model(graph, batch=batch, tokens=64)
    encoded = served.encode(TEXTS)
    results = served.run(encoded)
    assert graph.shapes == [(batch, 64)] * runs
    assert [len(result.tokens) for result in results] == [len(text) for text in encoded]  # type: ignore[union-attr]


def nan_above(token_id: int, value: float) -> Any:
    def spoil(output: np.ndarray, mask: np.ndarray) -> None:
        output[output == token_id] = value

    return spoil


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("model_type", ["embedding", "sentence_embedding", "token_classification"])
def test_a_text_without_a_finite_answer_fails_and_the_others_do_not(model_type: str, value: float) -> None:
    (bad,) = WORDS(["x"], with_tokens=False)[0].input_ids[1:-1].tolist()
    served = model(Graph(nan_above(bad, value)), model_type)
    *good, failed = served.run(served.encode(TEXTS))
    assert isinstance(failed, InternalError)
    assert str(failed) == NOT_FINITE
    assert not any(isinstance(result, InternalError) for result in good)


def spoil_first_row(output: np.ndarray, mask: np.ndarray) -> None:
    output[0, 1] = np.nan


@pytest.mark.parametrize("model_type", ["sentence_embedding", "sequence_classification"])
def test_one_row_that_is_not_finite_fails_one_text(model_type: str) -> None:
    served = model(Graph(spoil_first_row, rank=2), model_type)
    failed, *good = served.run(served.encode(TEXTS))
    assert isinstance(failed, InternalError)
    assert not any(isinstance(result, InternalError) for result in good)


def spoil_padding(output: np.ndarray, mask: np.ndarray) -> None:
    output[mask == 0] = np.nan


def test_what_the_graph_gives_for_padding_does_not_matter() -> None:
    served = model(Graph(spoil_padding))
    assert all(isinstance(result, TokenEmbeddings) for result in served.run(served.encode(TEXTS)))


@pytest.mark.parametrize("mode", POOLING)
def test_padding_that_is_not_finite_enters_no_sum(mode: str) -> None:
    served = model(Graph(spoil_padding), "sentence_embedding")
    described = dataclasses.replace(served.manifest, pooling=PoolingSpec((mode,)))
    spoiled = Model(described, WORDS, served.session)
    whole = Model(described, WORDS, Graph())  # type: ignore[arg-type]
    for one, other in zip(spoiled.run(served.encode(TEXTS)), whole.run(served.encode(TEXTS)), strict=True):
        assert isinstance(one, SentenceEmbedding)
        np.testing.assert_array_equal(one.embedding, other.embedding)  # type: ignore[union-attr]


def test_a_real_graph_with_one_bad_word_answers_all_texts_without_it(tmp_path: Path) -> None:
    folder = graphs.copy("bert-cls", tmp_path / "model")
    bad, *_ = WORDS(["wor"], with_tokens=False)[0].input_ids[1:-1].tolist()
    usual = open_model(MODELS / "bert-cls")
    graphs.edit_graph(folder, graphs.nan_for_token(bad))
    session = Session(*OnnxGraph(folder / "model.onnx").in_place(), device=Device("cpu", "tests"), threads=1)
    served = Model(checked(MODELS / "bert-cls").manifest, WORDS, session)
    texts = ["Hello", "world", "a b c"]
    hello, world, letters = served.run(served.encode(texts))
    assert isinstance(world, InternalError)
    assert str(world) == NOT_FINITE
    for found, wanted in zip((hello, letters), usual.run(usual.encode(["Hello", "a b c"])), strict=True):
        close(found.logits, wanted.logits, 1e-4, "undisturbed")  # type: ignore[union-attr]


def test_a_run_that_fails_is_an_internal_error_that_keeps_its_cause() -> None:
    session = open_model(MODELS / "bert-cls").session
    with pytest.raises(InternalError) as failure:
        session.run({"input_ids": np.zeros((1, 3), dtype=np.int64)}, "logits")
    assert str(failure.value) == "Internal error: the model failed to run"
    assert failure.value.__cause__ is not None


def test_a_token_beyond_the_vocabulary_fails_only_its_run() -> None:
    served = open_model(MODELS / "bert-cls")
    (text,) = served.encode(["Hello"])
    wrong = dataclasses.replace(text, input_ids=text.input_ids + 100_000)
    with pytest.raises(InternalError):
        served.run([wrong])
    (result,) = served.run([text])
    assert not isinstance(result, InternalError)
