"""SPLADE models whose queries need no run of the graph: a Router with a table of weights for their tokens."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from encoderfile import tensors
from encoderfile.builder import safe_read, torch_file
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.kind import Facts, Kind
from encoderfile.builder.modules_json import Module, inside
from encoderfile.builder.pooling_config import is_sparse
from encoderfile.builder.tokenizer_overrides import TokenizerFiles, effective_tokenizer
from encoderfile.builder.tokenizer_spec import is_limit
from encoderfile.errors import ModelError
from encoderfile.manifest import GraphSpec
from encoderfile.model.session import ValueInfo
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.static_route import WEIGHTS, StaticSettings
from encoderfile.types import FloatArray

_STATIC = "SparseStaticEmbedding"
_READS = ("model", "normalizer", "pre_tokenizer", "added_tokens")
"""What of tokenizer.json says which tokens a text has, special ones left out."""


class SpladeRouter(Kind):
    """The graph is that of texts without a purpose, as the usual rules have it."""

    model_type = "sentence_embedding"

    def recognise(self, folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> str | None:
        if given not in (None, self.model_type) or not is_sparse(folder) or not _static_routes(folder):
            return None
        return f"modules.json has a Router with a {_STATIC}"

    def facts(self, folder: ModelFolder, graph: GraphSpec, output: ValueInfo, tokenizer: Tokenizer) -> Facts:
        routes = _static_routes(folder)
        (module, *others) = dict.fromkeys(module.path for module in routes.values())
        if others:
            raise ModelError(
                f"the Router of modules.json has several {_STATIC} modules, one is supported: remove one"
            )
        route = next(each for each in routes.values() if each.path == module)
        weights = _weights(folder, route, tokenizer)
        specials = tokenizer.specials(pair=False)
        limit = _limit(folder, route)
        settings = StaticSettings(
            purposes=sorted(routes),
            max_length=max(tokenizer.spec.max_length, 1 << 16) if limit is None else limit + specials,
        )
        refused = tuple(purpose for purpose in folder.other_routes if purpose not in routes)
        note = f"texts of the purpose {', '.join(sorted(routes))} are answered from a table, without the graph"
        facts = {"task": dataclasses.asdict(settings), "other_routes": refused}
        return Facts(facts, {WEIGHTS: weights}, (note,))


def _static_routes(folder: ModelFolder) -> dict[str, Module]:
    """The purposes whose texts have a table of weights that can be read as the model reads texts."""
    sole = {purpose: modules[0] for purpose, modules in folder.routes.items() if len(modules) == 1}
    return {
        purpose: module
        for purpose, module in sole.items()
        if module.kind == _STATIC and _file(folder, module) is not None and _reads_alike(folder, module)
    }


def _folder_of(folder: ModelFolder, module: Module) -> Path:
    return folder.path / inside(module.path)


def _file(folder: ModelFolder, module: Module) -> Path | None:
    """Where the weights lie; None where they are missing."""
    own = _folder_of(folder, module)
    named = module.config.get("path")
    if isinstance(named, str) and named.endswith(".json"):
        name = Path(named).name
        paths = [own / name, folder.path / name, own / "idf.json", folder.path / "idf.json"]
    else:
        paths = [own / "model.safetensors", own / "pytorch_model.bin"]
    return next((path for path in paths if path.exists()), None)


def _json(folder: ModelFolder, module: Module, name: str) -> dict[str, Any]:
    path = _folder_of(folder, module) / name
    if not path.exists():
        return {}
    found = json.loads(safe_read.read(safe_read.inside(path, folder.path)).decode("utf-8-sig"))
    if not isinstance(found, dict):
        raise ModelError(f"{module.path}/{name} should hold an object: export the model again")
    return found


def _reads_alike(folder: ModelFolder, module: Module) -> bool:
    """Whether the tokenizer in the module's folder makes the same tokens as the model's own."""
    own = _json(folder, module, "tokenizer.json")
    if not own:
        return False
    files = TokenizerFiles(
        tokenizer=own,
        config=_json(folder, module, "tokenizer_config.json"),
        special_tokens_map=_json(folder, module, "special_tokens_map.json"),
        added_tokens=_json(folder, module, "added_tokens.json"),
        model_config=folder.config,
    )
    found = effective_tokenizer(files).tokenizer
    return all(found.get(part) == folder.tokenizer_json.get(part) for part in _READS)


def _limit(folder: ModelFolder, module: Module) -> int | None:
    """`model_max_length` of the module's own tokenizer, in tokens that are not special; None for none."""
    named = _json(folder, module, "tokenizer_config.json").get("model_max_length")
    return int(named) if is_limit(named) else None


def _weights(folder: ModelFolder, module: Module, tokenizer: Tokenizer) -> FloatArray:
    """float32 [vocabulary]. Raises `ModelError`."""
    path = _file(folder, module)
    assert path is not None
    real = safe_read.inside(path, folder.path)
    if path.suffix == ".json":
        return _of_tokens(json.loads(safe_read.read(real).decode("utf-8-sig")), path.name, tokenizer)
    if path.suffix == ".safetensors":
        found = tensors.read(safe_read.read(real), path.name).get("weight")
    else:
        found = torch_file.read(real).get("weight")
    if found is None or found.ndim != 1 or not np.isfinite(found).all():
        raise ModelError(f"{module.path}/{path.name} does not hold a weight for each token: copy it again")
    return found


def _of_tokens(idf: object, name: str, tokenizer: Tokenizer) -> FloatArray:
    """A table of tokens and weights, as `SparseStaticEmbedding.from_json` reads it."""
    if not isinstance(idf, Mapping) or not all(isinstance(weight, int | float) for weight in idf.values()):
        raise ModelError(f"{name} should hold an object of tokens and weights: copy it from the original model")
    unknown = tokenizer.spec.unknown_token_id
    ids = [unknown if (found := tokenizer.token_to_id(token)) is None else found for token in idf]
    if not ids or None in ids:
        raise ModelError(f"{name} names a token that is not in tokenizer.json: copy it from the original model")
    weights: FloatArray = np.zeros(max(each for each in ids if each is not None) + 1, dtype=np.float32)
    for index, weight in zip(ids, idf.values(), strict=True):
        weights[index] = weight
    return weights
