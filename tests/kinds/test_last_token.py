"""Embedders that are decoders give the vector of the last real token, in every form that public files have."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import DEFAULT_PROMPT, AskedPrompt, PredictRequest
from support.graphs import edit_graph, edit_json
from support.kinds import KINDS, Case, cases
from support.loop import in_loop
from support.models import checked, open_model
from support.serving import started

NAME = "last-token"
PROMPT = "passage: "
TEXTS = ["Hello world!", "a", "", "The film was wonderful. " * 30, "東京 and ½", "<|im_end|> said"]


def as_exported(folder: Path) -> None:
    """The folder as it is."""


def padded_left(folder: Path) -> None:
    edit_json(folder, "tokenizer_config.json", padding_side="left")


def padded_right(folder: Path) -> None:
    edit_json(folder, "tokenizer_config.json", padding_side="right")


def with_padding_in_the_file(folder: Path) -> None:
    """tokenizer.json pads every text to the same length, as some are saved."""
    padding = {"strategy": {"Fixed": 64}, "direction": "Left", "pad_to_multiple_of": None}
    edit_json(
        folder, "tokenizer.json", padding=padding | {"pad_id": 1000, "pad_type_id": 0, "pad_token": "<|endoftext|>"}
    )


def with_cache(folder: Path) -> None:
    """The graph takes the keys and values of earlier tokens, and its vectors grow by the number of those."""
    edit_graph(folder, _add_cache)


def _add_cache(model: onnx.ModelProto) -> None:
    graph = model.graph
    for name in ("past_key_values.0.key", "past_key_values.0.value"):
        graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2, "past", 16]))
    graph.initializer.append(numpy_helper.from_array(np.array(2, dtype=np.int64), "axis_of_past"))
    (hidden,) = graph.output
    for node in graph.node:
        node.output[:] = ["without_past" if each == hidden.name else each for each in node.output]
    graph.node.extend(
        [
            helper.make_node("Shape", ["past_key_values.0.key"], ["past_shape"]),
            helper.make_node("Gather", ["past_shape", "axis_of_past"], ["past_length"]),
            helper.make_node("Cast", ["past_length"], ["past"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["without_past", "past"], [hidden.name]),
        ]
    )


FORMS: list[Callable[[Path], object]] = [as_exported, padded_left, padded_right, with_padding_in_the_file, with_cache]


def prompt(case: Case) -> AskedPrompt:
    return AskedPrompt(name=case.fields.get("prompt_name"), text=case.fields.get("prompt"))


@pytest.mark.parametrize("change", FORMS)
@in_loop
async def test_vectors_are_those_of_the_library_alone_and_beside_texts_of_other_lengths(
    change: Callable[[Path], object], tmp_path: Path
) -> None:
    folder = shutil.copytree(KINDS[NAME], tmp_path / "model")
    change(folder)
    async with started(Service(open_model(folder), Limits())) as service:
        for case in cases(NAME):
            for texts in ([case.text], [case.text, "beside it", "and a longer one " * 9]):
                found = await service.predict(PredictRequest(texts, prompt=prompt(case)))
                case.check({"embedding": found.results[0].embedding}, 3e-6)


def as_qwen2(folder: Path) -> Path:
    """Ends with <|im_end|>, is not normalised, and puts a prompt before every text that asks for none."""
    shutil.copytree(KINDS[NAME], folder)
    edit_json(folder, "config.json", model_type="qwen2", architectures=["Qwen2Model"])
    edit_json(
        folder, "config_sentence_transformers.json", prompts={"document": PROMPT}, default_prompt_name="document"
    )
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps(modules[:2]))
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    tokenizer = json.loads(text)
    end = next(each["id"] for each in tokenizer["added_tokens"] if each["content"] == "<|im_end|>")
    template = json.dumps(tokenizer["post_processor"])
    assert "<|endoftext|>" in template
    template = template.replace("<|endoftext|>", "<|im_end|>").replace("1000", str(end))
    tokenizer["post_processor"] = json.loads(template)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    edit_json(folder, "tokenizer_config.json", eos_token="<|im_end|>")
    return folder


class Reference:
    """One text at a time through the graph as it was exported; the last token is kept where a text is truncated."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(limit)
        self._session = ort.InferenceSession(folder / "model.onnx")

    def vector(self, text: str) -> Any:
        ids = np.array([self._tokenizer.encode(text).ids])
        feeds = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "position_ids": np.arange(ids.shape[1])[None],
        }
        return self._session.run(None, feeds)[0][0, -1]


@in_loop
async def test_a_form_that_is_not_normalised_and_has_a_default_prompt(tmp_path: Path) -> None:
    folder = as_qwen2(tmp_path / "model")
    reference = Reference(folder, 64)
    assert dict(checked(folder).rows())["pooling"] == "lasttoken, not normalised"
    async with started(Service(open_model(folder), Limits())) as service:
        for asked, before in ((DEFAULT_PROMPT, PROMPT), (AskedPrompt(text=""), ""), (AskedPrompt(text="x "), "x ")):
            together = await service.predict(PredictRequest(TEXTS, prompt=asked, allow_empty=True))
            for text, found in zip(TEXTS, together.results, strict=True):
                alone = await service.predict(PredictRequest([text], prompt=asked, allow_empty=True))
                wanted = reference.vector(before + text)
                np.testing.assert_allclose(found.embedding, wanted, atol=1e-5)
                np.testing.assert_allclose(alone.results[0].embedding, wanted, atol=1e-5)


def test_check_says_that_the_cache_is_fed_empty(tmp_path: Path) -> None:
    folder = shutil.copytree(KINDS[NAME], tmp_path / "model")
    with_cache(folder)
    assert "past_key_values.0.key empty" in dict(checked(folder).rows())["inputs"]
