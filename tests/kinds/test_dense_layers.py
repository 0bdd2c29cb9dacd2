"""Layers after the pooling are applied as sentence-transformers applies them, whatever their order and number."""

import asyncio
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile import tensors
from encoderfile.errors import ModelError
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.layers import ACTIVATIONS
from encoderfile.types import AskedPrompt, PredictRequest
from support.kinds import KINDS, cases
from support.loop import in_loop
from support.models import checked, open_model
from support.serving import started

HIDDEN = 48
TEXTS = ["Hello world!", "a", "The film was wonderful. I would happily watch it again.", "東京 and ½"]
Weights = dict[str, Any]


async def answers(folder: Path, texts: list[str], model_type: str | None = None) -> Any:
    """[texts, size], in one request."""
    async with started(Service(open_model(folder, model_type), Limits())) as service:
        found = await service.predict(PredictRequest(texts, raw=True, prompt=AskedPrompt(text="")))
        return np.stack(list(service.task.vectors("dense", found.results, None)))


@pytest.mark.parametrize("name", ["st-dense", "st-dense-graph"])
@in_loop
async def test_vectors_are_those_of_the_library_for_every_prompt(name: str) -> None:
    async with started(Service(open_model(KINDS[name]), Limits())) as service:
        for case in cases(name):
            prompt = AskedPrompt(name=case.fields.get("prompt_name"), text=case.fields.get("prompt"))
            found = await service.predict(PredictRequest([case.text, "beside it"], prompt=prompt))
            case.check({"embedding": found.results[0].embedding})


def build(folder: Path, modules: list[tuple[str, dict[str, Any], Weights]], name: str = "st-dense") -> Path:
    """A copy whose modules behind the transformer are these: kind, config.json, tensors."""
    shutil.copytree(KINDS[name], folder)
    listed = json.loads((folder / "modules.json").read_text())[:1]
    for index, (kind, config, weights) in enumerate(modules, start=1):
        path = f"{index}_{kind}"
        shutil.rmtree(folder / path, ignore_errors=True)
        (folder / path).mkdir()
        (folder / path / "config.json").write_text(json.dumps(config))
        if weights:
            (folder / path / "model.safetensors").write_bytes(tensors.write(weights))
        listed.append(
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        )
    (folder / "modules.json").write_text(json.dumps(listed))
    return folder


def pooling(*modes: str) -> tuple[str, dict[str, Any], Weights]:
    return "Pooling", {"embedding_dimension": HIDDEN, "pooling_mode": list(modes)}, {}


def dense(
    rng: np.random.Generator, size: int, out: int, activation: str = "Tanh", *, bias: bool = True
) -> tuple[str, dict[str, Any], Weights]:
    weights = {"linear.weight": rng.normal(size=(out, size)).astype(np.float32) / math.sqrt(size)}
    if bias:
        weights["linear.bias"] = rng.normal(size=out).astype(np.float32)
    path = f"torch.nn.modules.activation.{activation}"
    return "Dense", {"in_features": size, "out_features": out, "bias": bias, "activation_function": path}, weights


NORMALIZE: tuple[str, dict[str, Any], Weights] = ("Normalize", {}, {})
DROPOUT: tuple[str, dict[str, Any], Weights] = ("Dropout", {"dropout": 0.1}, {})


def layer_norm(rng: np.random.Generator, size: int) -> tuple[str, dict[str, Any], Weights]:
    weights = {"norm.weight": rng.normal(size=size).astype(np.float32), "norm.bias": np.ones(size, dtype=np.float32)}
    return "LayerNorm", {"dimension": size}, weights


def reference(vectors: Any, modules: list[tuple[str, dict[str, Any], Weights]]) -> Any:
    """In float64, by the formulas of torch's documentation."""
    found = vectors.astype(np.float64)
    for kind, config, weights in modules:
        if kind == "Normalize":
            found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        elif kind == "LayerNorm":
            found = (found - found.mean(1, keepdims=True)) / np.sqrt(found.var(1, keepdims=True) + 1e-5)
            found = found * weights["norm.weight"] + weights["norm.bias"]
        elif kind == "Dense":
            found = found @ weights["linear.weight"].T.astype(np.float64) + weights.get("linear.bias", 0)
            found = np.vectorize(FORMULAS[config["activation_function"].rpartition(".")[2]])(found)
    return found


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


FORMULAS: dict[str, Callable[[float], float]] = {
    "Identity": lambda x: x,
    "Tanh": math.tanh,
    "ReLU": lambda x: max(x, 0.0),
    "ReLU6": lambda x: min(max(x, 0.0), 6.0),
    "LeakyReLU": lambda x: x if x >= 0 else 0.01 * x,
    "GELU": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "SiLU": lambda x: x * sigmoid(x),
    "Mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "ELU": lambda x: x if x > 0 else math.exp(x) - 1,
    "CELU": lambda x: max(0.0, x) + min(0.0, math.exp(x) - 1),
    "SELU": lambda x: (
        1.0507009873554804934193349852946
        * (max(0.0, x) + min(0.0, 1.6732632423543772848170429916717 * (math.exp(x) - 1)))
    ),
    "Sigmoid": sigmoid,
    "LogSigmoid": lambda x: math.log(sigmoid(x)),
    "Softplus": lambda x: math.log(1 + math.exp(x)),
    "Softsign": lambda x: x / (1 + abs(x)),
    "Tanhshrink": lambda x: x - math.tanh(x),
    "Hardtanh": lambda x: min(max(x, -1.0), 1.0),
    "Hardsigmoid": lambda x: min(max(x / 6 + 0.5, 0.0), 1.0),
    "Hardswish": lambda x: x * min(max(x + 3, 0.0), 6.0) / 6,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_those_of_torch(activation: str) -> None:
    values = np.linspace(-8, 8, 333)
    wanted = [FORMULAS[activation](float(value)) for value in values]
    np.testing.assert_allclose(ACTIVATIONS[activation](values), wanted, atol=1e-6)


STACKS = {
    "two": lambda rng: [dense(rng, HIDDEN, 20), dense(rng, 20, 7, "Identity", bias=False)],
    "normalised before and after": lambda rng: [NORMALIZE, dense(rng, HIDDEN, 9, "GELU"), NORMALIZE],
    "dropout between": lambda rng: [DROPOUT, dense(rng, HIDDEN, HIDDEN, "ReLU"), DROPOUT, NORMALIZE],
    "a norm of layers": lambda rng: [layer_norm(rng, HIDDEN), dense(rng, HIDDEN, 12, "Sigmoid"), layer_norm(rng, 12)],
}


@pytest.mark.parametrize("stack", STACKS)
def test_stacks_of_layers_follow_the_pooling_in_their_order(stack: str, tmp_path: Path) -> None:
    layers = STACKS[stack](np.random.default_rng(3))
    plain = asyncio.run(answers(build(tmp_path / "plain", [pooling("mean")]), TEXTS))
    folder = build(tmp_path / "model", [pooling("mean"), *layers])
    found = asyncio.run(answers(folder, TEXTS))
    np.testing.assert_allclose(found, reference(plain, layers), atol=2e-5)
    np.testing.assert_allclose(asyncio.run(answers(folder, TEXTS, "embedding")), found, atol=2e-5)
    for row, text in enumerate(TEXTS):
        np.testing.assert_allclose(asyncio.run(answers(folder, [text]))[0], found[row], atol=1e-5)


MODES = [("cls",), ("max",), ("mean_sqrt_len_tokens",), ("weightedmean",), ("lasttoken",)]


@pytest.mark.parametrize("modes", [*MODES, ("cls", "mean"), ("mean", "cls"), ("lasttoken", "max", "weightedmean")])
def test_layers_follow_every_pooling_and_concatenations_in_the_order_of_the_file(
    modes: tuple[str, ...], tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    layers = [dense(rng, HIDDEN * len(modes), 11)]
    parts = [asyncio.run(answers(build(tmp_path / mode, [pooling(mode)]), TEXTS)) for mode in dict.fromkeys(modes)]
    found = asyncio.run(answers(build(tmp_path / "model", [pooling(*modes), *layers]), TEXTS))
    np.testing.assert_allclose(found, reference(np.concatenate(parts, axis=1), layers), atol=2e-5)


def test_weights_may_be_a_pytorch_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    name, config, weights = dense(rng, HIDDEN, 5)
    folder = build(tmp_path / "model", [pooling("mean"), (name, config, weights)])
    wanted = asyncio.run(answers(folder, TEXTS))
    (folder / "2_Dense" / "model.safetensors").rename(folder / "2_Dense" / "pytorch_model.bin")
    monkeypatch.setattr("encoderfile.builder.torch_file.read", lambda _: weights)
    np.testing.assert_array_equal(asyncio.run(answers(folder, TEXTS)), wanted)


def test_an_activation_that_is_not_of_torch_is_tanh_as_in_the_library(tmp_path: Path) -> None:
    name, config, weights = dense(np.random.default_rng(9), HIDDEN, 5)
    wanted = asyncio.run(answers(build(tmp_path / "tanh", [pooling("mean"), (name, config, weights)]), TEXTS))
    for other in ({"activation_function": "my.package.Own"}, None):
        changed = {key: value for key, value in config.items() if key != "activation_function"} | (other or {})
        folder = build(tmp_path / str(other), [pooling("mean"), (name, changed, weights)])
        np.testing.assert_array_equal(asyncio.run(answers(folder, TEXTS)), wanted)


def refused(folder: Path, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        checked(folder)


def test_layers_that_cannot_be_applied_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    name, config, weights = dense(rng, HIDDEN, 5)
    refused(build(tmp_path / "a", [pooling("mean"), (name, config, {})]), "weights are missing")
    refused(build(tmp_path / "b", [pooling("mean"), (name, config | {"out_features": 6}, weights)]), "not those that")
    refused(build(tmp_path / "c", [pooling("mean"), (name, config | {"bias": False}, weights)]), "not those that")
    odd = config | {"activation_function": "torch.nn.modules.activation.Softmax"}
    refused(build(tmp_path / "d", [pooling("mean"), (name, odd, weights)]), "Softmax .* is not supported")
    tokens = config | {"module_input_name": "token_embeddings"}
    refused(build(tmp_path / "e", [pooling("mean"), (name, tokens, weights)]), "other than sentence_embedding")
    refused(build(tmp_path / "f", [(name, config, weights), pooling("mean")]), "Dense module, which is not part")
    refused(build(tmp_path / "g", [pooling("mean"), ("CNN", {}, {})]), "CNN module, which is not part")


def test_the_similarity_of_the_files_is_reported() -> None:
    rows = dict(checked(KINDS["st-dense"]).rows())
    assert rows["similarity"] == "cosine"
    assert rows["pooling"] == "mean, 2_Dense Tanh, 3_Dense Identity, normalised"


def test_modules_that_no_list_names_are_not_left_out_without_a_word(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(KINDS["st-dense"], folder)
    (folder / "modules.json").unlink()
    refused(folder, "2_Dense is a module of sentence-transformers, and there is no modules.json")
    for path in folder.glob("[234]_*"):
        shutil.rmtree(path)
    assert "(1_Pooling/config.json describes" in dict(checked(folder).rows())["model type"]
