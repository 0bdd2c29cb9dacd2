"""A small language model that answers yes or no, in the layout of Qwen3-Reranker, and its right scores."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from support.graphs import edit_json
from support.kinds import KINDS

YES, NO, WORDS = 1003, 1004, 1005
LIMIT = 400
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"


def make_reranker(folder: Path, *, through: str = "MatMul") -> Path:
    """`through` is the operator that gives the logits, or `float16`."""
    shutil.copytree(KINDS["last-token"], folder)
    for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "expected.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "1_Pooling")
    edit_json(folder, "config.json", architectures=["Qwen3ForCausalLM"], vocab_size=WORDS)
    edit_json(folder, "tokenizer_config.json", model_max_length=LIMIT, padding_side="left")
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["post_processor"] = tokenizer["post_processor"]["processors"][0]
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    tokenizer["added_tokens"] += [{"id": YES, "content": "yes", **plain}, {"id": NO, "content": "no", **plain}]
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    _with_logits(folder / "model.onnx", through)
    return folder


def _with_logits(path: Path, through: str) -> None:
    model = onnx.load(path)
    graph = model.graph
    rng = np.random.default_rng(1)
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.shape == (YES, 48):  # the embeddings
            more = np.concatenate([values, rng.normal(size=(WORDS - YES, 48)).astype(np.float32)])
            tensor.CopyFrom(numpy_helper.from_array(more, tensor.name))
    head = rng.normal(size=(48, WORDS)).astype(np.float32) / 4
    graph.initializer.append(numpy_helper.from_array(head, "head"))
    (hidden,) = (each.name for each in graph.output)
    if through == "MatMul":
        graph.node.append(helper.make_node("MatMul", [hidden, "head"], ["logits"]))
    elif through == "float16":
        graph.node.append(helper.make_node("MatMul", [hidden, "head"], ["wide"]))
        graph.node.append(helper.make_node("Cast", ["wide"], ["logits"], to=TensorProto.FLOAT16))
    else:
        graph.node.append(helper.make_node("MatMul", [hidden, "head"], ["product"]))
        graph.initializer.append(numpy_helper.from_array(np.zeros(WORDS, dtype=np.float32), "zero"))
        graph.node.append(helper.make_node("Add", ["product", "zero"], ["logits"]))
    del graph.output[:]
    kind = TensorProto.FLOAT16 if through == "float16" else TensorProto.FLOAT
    graph.output.append(helper.make_tensor_value_info("logits", kind, ["batch", "tokens", WORDS]))
    onnx.save(model, path)


def with_cache(folder: Path) -> Path:
    """The graph takes the keys and values of earlier tokens, and how many logits to keep."""
    model = onnx.load(folder / "model.onnx")
    for name in ("past_key_values.0.key", "past_key_values.0.value"):
        shape = ["batch", 2, "past", 16]
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    model.graph.input.append(helper.make_tensor_value_info("num_logits_to_keep", TensorProto.INT64, []))
    onnx.save(model, folder / "model.onnx")
    return folder


class Reference:
    """The lines of the model's page, one pair at a time, with the graph as it was exported."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._session = ort.InferenceSession(folder / "model.onnx")

    def logit(self, query: str, document: str, instruction: str = INSTRUCTION) -> float:
        encode = self._tokenizer.encode
        before = encode(
            "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
            'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
        ).ids
        after = encode("<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n").ids
        asked = encode(f"<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}").ids
        ids = np.array([before + asked[: LIMIT - len(before) - len(after)] + after])
        feeds: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "position_ids": np.arange(ids.shape[1])[None],
        }
        (logits,) = self._session.run(None, feeds)
        last = logits[0, -1].astype(np.float64)
        return float(last[YES] - last[NO])

    def score(self, query: str, document: str, instruction: str = INSTRUCTION) -> float:
        return 1 / (1 + float(np.exp(-self.logit(query, document, instruction))))
