"""ColBERT folders of other forms, made from those there are."""

import json
import shutil
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from encoderfile import tensors
from support.graphs import edit_json
from support.kinds import KINDS
from support.models import MODELS, checked

CONFIG = "config_sentence_transformers.json"


def flat(folder: Path, *without: str, **config: Any) -> Path:
    """What pylate's exporter writes, with other settings."""
    shutil.copytree(KINDS["colbert"], folder)
    edit_json(folder, CONFIG, *without, **config)
    return folder


def vespa(folder: Path, **metadata: Any) -> Path:
    """Stanford's files beside the graph for Vespa, with other settings."""
    shutil.copytree(KINDS["colbert-vespa"], folder)
    edit_json(folder, "artifact.metadata", **metadata)
    return folder


def without_last_layer(path: Path) -> np.ndarray:
    """Makes the graph give hidden states; returns the weights of its last layer, float32 [size, hidden]."""
    model = onnx.load(path)
    layer = next(node for node in model.graph.node if "/linear/MatMul_output_0" in node.output)
    weight = next(each for each in model.graph.initializer if each.name == layer.input[1])
    del model.graph.node[list(model.graph.node).index(layer) :]
    model.graph.node.append(helper.make_node("Identity", [layer.input[0]], ["last_hidden_state"]))
    shape = ["batch", "tokens", weight.dims[0]]
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, shape))
    onnx.save(model, path)
    return np.array(numpy_helper.to_array(weight).T)


def sentence_transformers(folder: Path, **config: Any) -> Path:
    """What `ColBERT.save_pretrained` of pylate writes, with a graph of the transformer alone."""
    shutil.copytree(KINDS["colbert"], folder)
    weight = without_last_layer(folder / "model.onnx")
    exported = ("model_name", "model_class", "uses_token_type_ids", "embedding_dim", "mask_token_id", "pad_token_id")
    edit_json(folder, CONFIG, *exported, "query_prefix_id", "document_prefix_id", **config)
    bert = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 48, "vocab_size": 1202}
    edit_json(folder, "config.json", **bert, max_position_embeddings=160, num_attention_heads=4)
    tokens = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    edit_json(folder, "tokenizer_config.json", **tokens, tokenizer_class="BertTokenizer", model_max_length=31)
    edit_json(folder, "sentence_bert_config.json", max_seq_length=31)
    modules = [("0", "", "sentence_transformers.models.Transformer"), ("1", "1_Dense", "pylate.models.Dense.Dense")]
    listed = [{"idx": int(name), "name": name, "path": path, "type": kind} for name, path, kind in modules]
    (folder / "modules.json").write_text(json.dumps(listed))
    identity = {"bias": False, "activation_function": "torch.nn.modules.linear.Identity"}
    edit_json(folder, "1_Dense/config.json", in_features=48, out_features=24, **identity)
    write_layer(folder, weight)
    return folder


def write_layer(folder: Path, weight: np.ndarray, path: str = "1_Dense", **more: np.ndarray) -> None:
    """The weights of the Dense module."""
    layer = {"linear.weight": weight, **{name.replace("_", "."): each for name, each in more.items()}}
    (folder / path / "model.safetensors").write_bytes(tensors.write(layer))


def stanford(folder: Path, **metadata: Any) -> Path:
    """Stanford's folder, with a graph of the transformer alone and all weights beside it."""
    vespa(folder, **metadata)
    graph = folder / "model.onnx"
    (folder / "vespa_colbert.onnx").rename(graph)
    weight = without_last_layer(graph)
    positions = np.arange(4)
    beside = {"linear.weight": weight, "bert.embeddings.position_ids": positions.astype(np.float32)}
    written = tensors.write(beside).replace(b'"F32"', b'"I32"', 1)  # a type that no layer has
    (folder / "model.safetensors").write_bytes(written)
    return folder


@dataclass
class Reference:
    """pylate's way from a text to vectors, with the tokenizers library, numpy and onnxruntime."""

    folder: Path
    query_prefix: str = "[Q] "
    document_prefix: str = "[D] "
    query_length: int = 32
    document_length: int = 64
    expands: bool = True
    attends: bool = False
    skiplist: str = string.punctuation
    mask: str = "[MASK]"
    unknown: str = "[UNK]"
    padding_side: str = "right"

    def __post_init__(self) -> None:
        found = checked(self.folder).folder
        self._session = ort.InferenceSession(found.onnx)
        self._tokenizer = Tokenizer.from_str(found.files["tokenizer.json"].decode())
        self._tokenizer.no_padding()

    def ids(self, text: str, purpose: str) -> tuple[list[int], list[int]]:
        """Token ids and attention mask."""
        tokenizer, query = self._tokenizer, purpose == "query"
        prefix = self.query_prefix if query else self.document_prefix
        most = (self.query_length if query else self.document_length) - bool(prefix)
        tokenizer.enable_truncation(most)
        ids = tokenizer.encode(text.strip()).ids
        attention = [1] * len(ids)
        if query and self.expands:
            more = most - len(ids)
            masks, zeros = [tokenizer.token_to_id(self.mask)] * more, [0] * more
            ids, attention = (
                (masks + ids, zeros + attention) if self.padding_side == "left" else (ids + masks, attention + zeros)
            )
        if prefix:
            ids = [*ids[:1], tokenizer.token_to_id(prefix), *ids[1:]]
            attention = [*attention[:1], 1, *attention[1:]]
        return ids, [1] * len(ids) if self.attends and query and self.expands else attention

    def hidden(self, text: str, purpose: str) -> np.ndarray:
        """What the graph gives, float32 [tokens, size]."""
        ids, attention = self.ids(text, purpose)
        fed = {"input_ids": ids, "attention_mask": attention, "token_type_ids": [0] * len(ids)}
        names = [each.name for each in self._session.get_inputs()]
        (found, *_) = self._session.run(None, {name: np.array([fed[name]], dtype=np.int64) for name in names})
        return np.asarray(found)[0]

    def vectors(self, text: str, purpose: str) -> np.ndarray:
        """float32 [rows, size], of unit length."""
        rows = self.hidden(text, purpose)
        ids, _ = self.ids(text, purpose)
        if purpose == "document":
            unknown = self._tokenizer.token_to_id(self.unknown)
            skipped = {self._tokenizer.token_to_id(each) for each in self.skiplist}
            skipped = {unknown if each is None else each for each in skipped}
            rows = rows[[each not in skipped for each in ids]]
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def retold(folder: Path, name: str, query_prefix: str, document_prefix: str, **config: Any) -> Path:
    """An export of `tests/models` as if pylate had made it: of its hidden states, with tokens that it has."""
    shutil.copytree(MODELS / name, folder)
    prefixes = {"query_prefix": query_prefix, "document_prefix": document_prefix}
    edit_json(folder, CONFIG, model_type="ColBERT", **prefixes, query_length=24, document_length=48, **config)
    return folder
