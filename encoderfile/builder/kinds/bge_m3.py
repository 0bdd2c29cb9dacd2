"""BGE-M3: one graph with all three kinds of vectors, or BAAI's layout, with two heads beside the graph."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from encoderfile import tensors
from encoderfile.builder import pooling_config, safe_read, torch_file
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind, Outputs
from encoderfile.builder.model_type import token_vectors
from encoderfile.builder.vocabulary import content_of
from encoderfile.errors import ModelError
from encoderfile.manifest import GraphSpec, PoolingSpec, TokenizerSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.bge_m3 import MULTIVECTOR, MULTIVECTOR_HEAD, SPARSE, SPARSE_HEAD, BgeM3Settings
from encoderfile.tasks.linear import Linear
from encoderfile.types import FloatArray

_SUFFIXES = (".safetensors", ".pt", ".bin")
_HEADS = (SPARSE_HEAD, MULTIVECTOR_HEAD)
LIBRARY_DEFAULT = 512
"""Tokens of a text, where FlagEmbedding is not told otherwise."""
_UNWEIGHTED = ("cls_token", "eos_token", "pad_token", "unk_token")


class BgeM3(Kind):
    """As FlagEmbedding's `M3Embedder` with its defaults: the first token's vector, normalised."""

    model_type = "sentence_embedding"

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        if given not in (None, self.model_type):
            return None
        if _in_one_graph(outputs) is not None:
            return "the graph gives dense, sparse and multivector outputs, as BGE-M3"
        if len(_head_files(folder)) == len(_HEADS) and token_vectors(folder, outputs):
            return f"{SPARSE_HEAD} and {MULTIVECTOR_HEAD} lie beside the graph, as with BGE-M3"
        return None

    def offer(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> str | None:
        """What is missing, where there is a head."""
        files = _head_files(folder)
        missing = [head for head in _HEADS if head not in files]
        if not files or (not missing and token_vectors(folder, outputs)):
            return None
        what = ", ".join(path.name for path in files.values())
        if missing:
            return f"{what} is left out, because {missing[0]}.pt is missing: copy it from the original model"
        target = f"{folder.path}-onnx"
        return (
            f"{what} are left out, because the graph gives no token vectors: export it with `optimum-cli export onnx "
            f"--model {shlex.quote(str(folder.path))} --task feature-extraction {shlex.quote(target)}`"
        )

    def outputs(self, folder: ModelFolder, outputs: Sequence[ValueInfo]) -> Outputs | None:
        found = _in_one_graph(outputs)
        if found is not None:
            dense, sparse, multivector = found
            names = {SPARSE: sparse.name, MULTIVECTOR: multivector.name}
            size = multivector.shape[-1] or pooling_config.hidden_size(folder) or 0
            return Outputs(dense, names, task={"multivector_size": size})
        (tokens, *_) = token_vectors(folder, outputs)
        text = next((each for each in outputs if each.plain == "sentence_embedding" and len(each.shape) == 2), tokens)
        if pooling_config.pooling(folder).modes != ("cls",):  # then it is not the first token's vector
            text = tokens
        return Outputs(text, {SPARSE: tokens.name, MULTIVECTOR: tokens.name})

    def tokenizer_spec(self, folder: ModelFolder, spec: TokenizerSpec) -> TokenizerSpec:
        """Padded on the right, where the first token stays the first."""
        return dataclasses.replace(spec, padding_side="right")

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        heads = {} if graph.more_outputs[SPARSE] != graph.more_outputs[MULTIVECTOR] else _heads(folder)
        of_tokens = Linear.of(heads, MULTIVECTOR_HEAD)
        settings = BgeM3Settings(
            vocabulary=max(tokenizer.vocabulary_size, int(folder.config.get("vocab_size") or 0)),
            multivector_size=0 if of_tokens is None else len(of_tokens.weight),
            unweighted_ids=_unweighted_ids(folder, tokenizer),
        )
        modes = () if len(output.shape) == 2 else ("cls",)
        notes = [
            "gives dense, sparse and multivector vectors from one run, and scores texts for a query by all three"
        ]
        limit = tokenizer.spec.max_length
        if limit > LIBRARY_DEFAULT:
            notes.append(
                f"FlagEmbedding truncates at {LIBRARY_DEFAULT} tokens unless told otherwise, and this file at "
                f"{limit}: --max-length {LIBRARY_DEFAULT} does the same"
            )
        facts = {"task": dataclasses.asdict(settings), "pooling": PoolingSpec(modes, normalize=True)}
        return Facts(facts, heads, notes)


def _in_one_graph(outputs: Sequence[ValueInfo]) -> tuple[ValueInfo, ValueInfo, ValueInfo] | None:
    """Dense, sparse and multivector outputs; the names vary and the order does not."""
    floats = [each for each in outputs if "float" in each.dtype]
    if [len(each.shape) for each in floats] != [2, 3, 3]:
        return None
    dense, sparse, multivector = floats
    by_shape = sparse.shape[-1] == 1 != multivector.shape[-1]
    by_name = "sparse" in sparse.plain and ("colbert" in multivector.plain or "multi" in multivector.plain)
    return (dense, sparse, multivector) if by_shape or (by_name and sparse.shape[-1] in (None, 1)) else None


def _head_files(folder: ModelFolder) -> dict[str, Path]:
    """Those of the heads that there are, by name: beside the graph, or in the folder above `onnx/`."""
    places = (folder.path, folder.path.parent) if folder.path.resolve().name == "onnx" else (folder.path,)
    found = {}
    for name in _HEADS:
        files = (place / f"{name}{suffix}" for suffix in _SUFFIXES for place in places)
        path = next((each for each in files if each.exists()), None)
        if path is not None:
            found[name] = path
    return found


def _heads(folder: ModelFolder) -> dict[str, FloatArray]:
    """The tensors of both heads. Raises `ModelError`."""
    hidden = pooling_config.hidden_size(folder)
    found: dict[str, FloatArray] = {}
    for name, path in _head_files(folder).items():
        read = _read(safe_read.inside(path, path.parent))
        layer = Linear.of({f"{name}.{key.removeprefix(f'{name}.')}": value for key, value in read.items()}, name)
        if layer is None or layer.weight.shape[1] != (hidden or layer.weight.shape[1]):
            raise ModelError(
                f"{path.name} does not hold a linear layer for vectors of the size {hidden}: copy it again"
            )
        if name == SPARSE_HEAD and len(layer.weight) != 1:
            raise ModelError(f"{path.name} gives more than one weight for a token: copy it again")
        found[f"{name}.weight"] = layer.weight
        if layer.bias is not None:
            found[f"{name}.bias"] = layer.bias
        if not all(np.isfinite(found[key]).all() for key in found):
            raise ModelError(f"{path.name} holds a weight that is not finite: copy it again")
    return found


def _read(path: Path) -> dict[str, FloatArray]:
    if path.suffix == ".safetensors":
        return tensors.read(safe_read.read(path), path.name)
    return torch_file.read(path)


def _unweighted_ids(folder: ModelFolder, tokenizer: Tokenizer) -> list[int]:
    named = {**folder.json("special_tokens_map.json"), **folder.tokenizer_config}
    tokens = (content_of(named.get(name)) for name in _UNWEIGHTED)
    ids = (None if token is None else tokenizer.token_to_id(token) for token in tokens)
    return sorted({each for each in ids if each is not None})
