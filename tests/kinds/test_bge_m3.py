"""BGE-M3 gives dense, sparse and multivector answers, and scores, as FlagEmbedding does."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from encoderfile import tensors
from encoderfile.builder import torch_file
from encoderfile.errors import EncoderfileError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import AskedPrompt, PredictRequest
from support.graphs import edit_json
from support.kinds import KINDS
from support.loop import in_loop
from support.models import checked, expected, open_model
from support.serving import started

NAMES = ["bge-m3", "bge-m3-heads"]
ALL = ("dense", "sparse", "multivector")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def check(truth: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    np.testing.assert_allclose(found["dense"], truth["dense"], atol=1e-5)
    weights = {str(index): found["sparse"][index] for index in np.flatnonzero(found["sparse"])}
    assert set(weights) == set(truth["sparse"])
    for index, weight in truth["sparse"].items():
        assert weights[index] == pytest.approx(weight, abs=1e-5)
    assert len(found["multivector"]) == len(truth["input_ids"]) - 1
    np.testing.assert_allclose(found["multivector"][:, :8], truth["colbert_first8"], atol=1e-5)
    if truth["colbert"] is not None:  # left out of long texts
        np.testing.assert_allclose(found["multivector"], truth["colbert"], atol=1e-5)


async def answers(folder: Path, truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All texts of the truth in one request."""
    async with started(Service(open_model(folder), Limits())) as service:
        texts = [each["text"] for each in truth["inputs"]]
        request = PredictRequest(texts, raw=True, kinds=ALL, allow_empty=True)
        found = await service.predict(request)
        vectors = {kind: list(service.task.vectors(kind, found.results, None)) for kind in ALL}
        return [{kind: vectors[kind][row] for kind in ALL} for row in range(len(texts))]


@in_loop
async def test_all_three_kinds_are_those_of_the_library_alone_and_together(name: str) -> None:
    truth = expected(KINDS[name])
    together = await answers(KINDS[name], truth)
    for each, found in zip(truth["inputs"], together, strict=True):
        check(each, found)
        (alone,) = await answers(KINDS[name], {"inputs": [each]})
        check(each, alone)


def test_texts_are_padded_on_the_right_where_the_first_token_is_taken(name: str, tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", name)
    edit_json(folder, "tokenizer_config.json", padding_side="left")
    truth = expected(KINDS[name])
    for each, found in zip(truth["inputs"], asyncio.run(answers(folder, truth)), strict=True):
        check(each, found)


@in_loop
async def test_scores_are_those_of_the_library(name: str) -> None:
    truth = expected(KINDS[name])
    texts = {f"@{each['id']}": each["text"] for each in truth["inputs"]}
    async with started(Service(open_model(KINDS[name]), Limits())) as service:
        for (query, named), wanted in zip(
            truth["pair_scores"]["pairs"], truth["pair_scores"]["colbert+sparse+dense"], strict=True
        ):
            passage = texts.get(named, named)
            found = await service.score(query, [passage, "another", passage])
            assert found.results[0] == pytest.approx(wanted, abs=1e-5)
            assert found.results[2] == pytest.approx(wanted, abs=1e-5)


@in_loop
async def test_many_long_texts_are_scored_in_groups_in_their_order() -> None:
    async with started(Service(open_model(KINDS["bge-m3"]), Limits())) as service:
        texts = [f"{index} " * (5000 if index % 3 else 1) for index in range(40)]
        found = await service.score("7", texts)
        for index in (0, 1, 7, 39):
            (alone,) = (await service.score("7", [texts[index]])).results
            assert found.results[index] == pytest.approx(alone, abs=1e-5)
        assert found.truncated_inputs == sum(index % 3 > 0 for index in range(40))


@in_loop
async def test_nothing_more_is_made_where_nothing_more_is_asked_for(name: str) -> None:
    async with started(Service(open_model(KINDS[name]), Limits())) as service:
        found = await service.predict(PredictRequest(["Hello world!"], raw=True, prompt=AskedPrompt(text="")))
        assert (found.results[0].weights, found.results[0].token_vectors) == (None, None)


def copied(folder: Path, name: str, **config: Any) -> Path:
    shutil.copytree(KINDS[name], folder)
    edit_json(folder, "config.json", **config)
    return folder


def test_outputs_are_found_by_their_order_and_shapes(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3")
    model = onnx.load(folder / "model.onnx")
    for output, name in zip(model.graph.output, ("one", "two", "three"), strict=True):
        model.graph.node.append(onnx.helper.make_node("Identity", [output.name], [name]))
        output.name = name
    onnx.save(model, folder / "model.onnx")
    truth = expected(KINDS["bge-m3"])
    for each, found in zip(truth["inputs"], asyncio.run(answers(folder, truth)), strict=True):
        check(each, found)


def test_vectors_that_the_graph_leaves_as_they_are_are_made_of_unit_length(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3")
    model = onnx.load(folder / "model.onnx")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(3, dtype=np.float32), "three"))
    names = ("dense_embeddings", "sparse_weights", "colbert_vectors")
    for output, name in zip(model.graph.output, names, strict=True):
        kind = "Identity" if "sparse" in name else "Mul"
        inputs = [output.name] if kind == "Identity" else [output.name, "three"]
        model.graph.node.append(onnx.helper.make_node(kind, inputs, [name]))
        output.name = name
    onnx.save(model, folder / "model.onnx")
    truth = expected(KINDS["bge-m3"])
    for each, found in zip(truth["inputs"], asyncio.run(answers(folder, truth)), strict=True):
        check(each, found)


def test_heads_may_be_safetensors_files_and_have_another_size(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    for name in ("sparse_linear", "colbert_linear"):
        found = torch_file.read(folder / f"{name}.pt")
        (folder / f"{name}.pt").unlink()
        if name == "colbert_linear":
            found = {key: value[:16] for key, value in found.items()}
        (folder / f"{name}.safetensors").write_bytes(tensors.write(found))
    assert open_model(folder).task.dims["multivector"] == 16
    truth = expected(KINDS["bge-m3-heads"])
    for each, answer in zip(truth["inputs"], asyncio.run(answers(folder, truth)), strict=True):
        np.testing.assert_allclose(answer["dense"], each["dense"], atol=1e-5)
        assert answer["multivector"].shape == (len(each["input_ids"]) - 1, 16)


def test_a_folder_without_the_files_of_sentence_transformers_gives_the_first_tokens_vector(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    for path in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
        (folder / path).unlink()
    shutil.rmtree(folder / "1_Pooling")
    path = folder / "onnx" / "model.onnx"
    model = onnx.load(path)
    del model.graph.output[1]
    onnx.save(model, path)
    truth = expected(KINDS["bge-m3-heads"])
    for each, found in zip(truth["inputs"], asyncio.run(answers(folder, truth)), strict=True):
        check(each, found)


@pytest.mark.parametrize("content", [b"", b"no zip", b"\x80\x02}q\x00."])
def test_a_head_that_cannot_be_read_is_refused_with_the_command_that_converts_it(
    content: bytes, tmp_path: Path
) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    (folder / "sparse_linear.pt").write_bytes(content)
    with pytest.raises(EncoderfileError, match=r"sparse_linear.pt cannot be read .*safetensors.torch"):
        checked(folder)


def test_a_head_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    (folder / "colbert_linear.pt").unlink()
    wrong = {"weight": np.zeros((8, 7), dtype=np.float32), "bias": np.zeros(8, dtype=np.float32)}
    (folder / "colbert_linear.safetensors").write_bytes(tensors.write(wrong))
    with pytest.raises(
        EncoderfileError, match=r"colbert_linear.safetensors does not hold a linear layer for vectors of the size 48"
    ):
        checked(folder)
