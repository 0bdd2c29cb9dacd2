"""The linear layers of a ColBERT model that lie beside its graph: those of modules.json, or Stanford's one.

Source: pylate/models/Dense.py.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from encoderfile import tensors
from encoderfile.builder import safe_read, torch_file
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.modules_json import Module, read_modules_json
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks.projection import LAYER, RESIDUAL, Projection
from encoderfile.types import FloatArray

_STANFORD = "linear.weight"
_WHOLE = "model.safetensors"
_IDENTITY = "Identity"
_HIDDEN = ("last_hidden_state", "token_embeddings")
"""Names of outputs that are hidden states."""


def layers_beside(folder: ModelFolder, output: ValueInfo, size: int | None) -> Mapping[str, FloatArray]:
    """The tensors of the layers that `output` has not gone through; empty where it has.

    `size` is that of the vectors, where the files say it. Raises `ModelError` where the layers are missing.
    """
    width = output.shape[-1]
    modules = [each for each in _modules(folder) if each.kind == "Dense"]
    if modules:
        sizes = [(each.config.get("in_features"), each.config.get("out_features")) for each in modules]
        takes, gives = sizes[0][0], sizes[-1][1]
        if width == gives and not (width == takes and output.plain in _HIDDEN):
            return {}
        if width not in (takes, None):
            raise _other_size(folder, width, gives)
        return _checked(_of_modules(folder, modules), takes)
    if size is None or width in (None, size):
        return {}
    found = _of_stanford(folder)
    if found is None or found.shape != (size, width):
        raise _other_size(folder, width, size)
    return _checked({f"{LAYER.format(0)}.weight": found}, width)


def _modules(folder: ModelFolder) -> tuple[Module, ...]:
    if "modules.json" not in folder.files:
        return ()
    listed = json.loads(folder.files["modules.json"])
    return read_modules_json(listed, folder.json).default


def _of_modules(folder: ModelFolder, modules: list[Module]) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    for index, module in enumerate(modules):
        activation = str(module.config.get("activation_function", _IDENTITY)).rpartition(".")[2]
        if activation != _IDENTITY:
            raise ModelError(
                f"{module.path} has the activation {activation}, and only layers without one can be applied to "
                "token vectors: export the model with its Dense layers in the graph"
            )
        read = _weights(folder, module)
        layer = LAYER.format(index)
        found |= {f"{layer}.{name[7:]}": each for name, each in read.items() if name.startswith("linear.")}
        if f"{layer}.weight" not in found:
            raise ModelError(f"{module.path} has no linear.weight: copy its file again")
        if module.config.get("use_residual"):
            residual = read.get("residual.weight")
            if residual is None:  # of one size: the input itself
                residual = np.eye(len(found[f"{layer}.weight"]), dtype=np.float32)
            found[f"{RESIDUAL.format(index)}.weight"] = residual
    return found


def _weights(folder: ModelFolder, module: Module) -> dict[str, FloatArray]:
    for name, read in ((_WHOLE, _safetensors), ("pytorch_model.bin", torch_file.read)):
        real = _found(folder, f"{module.path}/{name}")
        if real is not None:
            return read(real)
    raise ModelError(f"{module.path} has no {_WHOLE}: copy it from the original model")


def _safetensors(path: Path) -> dict[str, FloatArray]:
    return tensors.read(safe_read.read(path), path.name)


def _found(folder: ModelFolder, name: str) -> Path | None:
    """A file of the folder, or of that above a hub's `onnx/`, as `safe_read.inside` gives it."""
    places = (folder.path, folder.path.parent) if folder.path.resolve().name == "onnx" else (folder.path,)
    for place in places:
        if (place / name).exists():
            return safe_read.inside(place / name, place)
    return None


def _of_stanford(folder: ModelFolder) -> FloatArray | None:
    """The last layer, in the file of all weights."""
    path = _found(folder, _WHOLE)
    if path is None:
        return None
    with safe_read.opened(path) as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # closed with the last view of it
    found = tensors.read(mapped, path.name, only=(_STANFORD,))
    return found[_STANFORD].copy() if _STANFORD in found else None


def _checked(found: Mapping[str, FloatArray], takes: object) -> Mapping[str, FloatArray]:
    projection = Projection.of(found)
    if projection is None or projection.takes != takes:
        raise ModelError(
            f"the Dense layers of this model are not made for vectors of the size {takes}: copy them again"
        )
    return found


def _other_size(folder: ModelFolder, width: object, size: object) -> ModelError:
    others = [each.name for each in sorted(folder.path.glob("*.onnx")) if each != folder.onnx]
    advice = f"choose {' or '.join(others)} with --onnx" if others else "export it with its last layer"
    return ModelError(
        f"{folder.onnx.name} gives vectors of {width} numbers, and those of this ColBERT model have {size}: {advice}"
    )
