"""BGE-M3: one graph with all three kinds of vectors, or BAAI's layout, with two heads beside the graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from encoderfile import tensors
from encoderfile.builder import safe_read, torch_file
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind, Outputs
from encoderfile.builder.model_type import token_vectors
from encoderfile.builder.pooling_config import hidden_size
from encoderfile.builder.vocabulary import content_of
from encoderfile.errors import ModelError
from encoderfile.manifest import GraphSpec, PoolingSpec, TokenizerSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.bge_m3 import MULTIVECTOR, MULTIVECTOR_HEAD, SPARSE, SPARSE_HEAD, BgeM3Settings
from encoderfile.tasks.linear import Linear
from encoderfile.types import FloatArray

_SUFFIXES = (".safetensors", ".pt", ".bin")
_UNWEIGHTED = ("cls_token", "eos_token", "pad_token", "unk_token")


class BgeM3(Kind):
    """As FlagEmbedding's `M3Embedder` with its defaults: the first token's vector, normalised."""

    model_type = "sentence_embedding"

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        if given not in (None, self.model_type):
            return None
        if _in_one_graph(outputs) is not None:
            return "the graph gives dense, sparse and multivector outputs, as BGE-M3"
        if all(_head_file(folder, head) for head in (SPARSE_HEAD, MULTIVECTOR_HEAD)) and token_vectors(
            folder, outputs
        ):
            return f"{SPARSE_HEAD} and {MULTIVECTOR_HEAD} lie beside the graph, as with BGE-M3"
        return None

    def outputs(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Outputs | None:
        found = _in_one_graph(outputs)
        if found is not None:
            dense, sparse, multivector = found
            return Outputs(dense, {SPARSE: sparse.name, MULTIVECTOR: multivector.name})
        (tokens, *_) = token_vectors(folder, outputs)
        text = next((each for each in outputs if each.plain == "sentence_embedding" and len(each.shape) == 2), tokens)
        return Outputs(text, {SPARSE: tokens.name, MULTIVECTOR: tokens.name})

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        """Padded on the right, where the first token stays the first."""
        return dataclasses.replace(spec, padding_side="right")

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        heads = {} if graph.more_outputs[SPARSE] != graph.more_outputs[MULTIVECTOR] else _heads(folder)
        of_tokens = Linear.of(heads, MULTIVECTOR_HEAD)
        size = hidden_size(folder) if of_tokens is None else len(of_tokens.weight)
        settings = BgeM3Settings(
            vocabulary=max(tokenizer.vocabulary_size(), int(folder.config.get("vocab_size") or 0)),
            multivector_size=int(size or 0),
            unweighted_ids=_unweighted_ids(folder, tokenizer),
        )
        modes = () if len(output.shape) == 2 else ("cls",)
        return Facts({"task": dataclasses.asdict(settings), "pooling": PoolingSpec(modes, normalize=True)}, heads)


def _in_one_graph(outputs: Sequence[ValueInfo]) -> tuple[ValueInfo, ValueInfo, ValueInfo] | None:
    """Dense, sparse and multivector outputs; the names vary and the order does not."""
    floats = [each for each in outputs if "float" in each.dtype]
    if [len(each.shape) for each in floats] != [2, 3, 3]:
        return None
    dense, sparse, multivector = floats
    by_shape = sparse.shape[-1] == 1 != multivector.shape[-1]
    by_name = "sparse" in sparse.plain and ("colbert" in multivector.plain or "multi" in multivector.plain)
    return (dense, sparse, multivector) if by_shape or (by_name and sparse.shape[-1] in (None, 1)) else None


def _head_file(folder: ModelFolder, name: str) -> Path | None:
    """The file of a head, beside the graph or in the folder above it."""
    places = (folder.path, folder.path.parent) if folder.path.resolve().name == "onnx" else (folder.path,)
    found = (place / f"{name}{suffix}" for suffix in _SUFFIXES for place in places)
    return next((each for each in found if each.exists()), None)


def _heads(folder: ModelFolder) -> dict[str, FloatArray]:
    """The tensors of both heads. Raises `ModelError`."""
    hidden = hidden_size(folder)
    found: dict[str, FloatArray] = {}
    for name in (SPARSE_HEAD, MULTIVECTOR_HEAD):
        path = _head_file(folder, name)
        assert path is not None
        real = safe_read.inside(path, path.parent)
        if path.suffix == ".safetensors":
            read = tensors.read(safe_read.read(real), path.name)
        else:
            read = torch_file.read(real)
        found |= {f"{name}.{key.removeprefix(f'{name}.')}": value for key, value in read.items()}
        layer = Linear.of(found, name)
        if layer is None or (hidden is not None and layer.weight.shape[1] != hidden):
            raise ModelError(
                f"{path.name} does not hold a linear layer for vectors of the size {hidden}: copy it again"
            )
    sparse = Linear.of(found, SPARSE_HEAD)
    if sparse is None or len(sparse.weight) != 1:
        raise ModelError(f"{SPARSE_HEAD} gives more than one weight for a token: copy its file again")
    return found


def _unweighted_ids(folder: ModelFolder, tokenizer: Tokenizer) -> list[int]:
    named = {**folder.json("special_tokens_map.json"), **folder.tokenizer_config}
    tokens = (content_of(named.get(name)) for name in _UNWEIGHTED)
    ids = (None if token is None else tokenizer.token_to_id(token) for token in tokens)
    return sorted({each for each in ids if each is not None})
