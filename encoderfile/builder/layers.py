"""The layers that sentence-transformers applies after the pooling, whose weights lie in folders beside the graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from encoderfile import tensors
from encoderfile.builder import safe_read, torch_file
from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.modules_json import Module
from encoderfile.errors import ModelError
from encoderfile.manifest import LayerSpec, PoolingSpec
from encoderfile.tasks.layers import ACTIVATIONS
from encoderfile.types import FloatArray

_FILES = ("model.safetensors", "pytorch_model.bin")
_PREFIXES = {"dense": "linear.", "layer_norm": "norm."}
"""Of the tensors in the files of `Dense` and `LayerNorm`."""
_VECTOR = "sentence_embedding"
"""The name that a text's vector has between modules."""


def layer(module: Module) -> LayerSpec | None:
    """A module as a layer; None for one of another kind.

    Raises `ModelError` for what is not supported. Source: sentence_transformers/base/modules/dense.py.
    """
    if module.kind == "LayerNorm":
        return LayerSpec("layer_norm", module.path)
    if module.kind != "Dense":
        return None
    names = (module.config.get(key) or _VECTOR for key in ("module_input_name", "module_output_name"))
    if any(name != _VECTOR for name in names):
        raise ModelError(
            f"the Dense module {module.path} reads or writes something other than {_VECTOR}, which is not supported: "
            "export with `--library-name sentence_transformers`, which puts every module into the graph"
        )
    return LayerSpec("dense", module.path, _activation(module.config))


def _activation(config: Mapping[str, Any]) -> str:
    """The name of the class. The library takes Tanh for one that is not of torch, and where none is named."""
    named = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    if not isinstance(named, str):
        raise ModelError("activation_function in the config.json of a Dense module should be a string: correct it")
    if not named.startswith("torch."):
        return "Tanh"
    found = named.rpartition(".")[2]
    if found not in ACTIVATIONS:
        raise ModelError(
            f"the activation_function {named} of a Dense module is not supported: export with "
            "`--library-name sentence_transformers`, which puts every module into the graph"
        )
    return found


def layer_tensors(folder: ModelFolder, pooling: PoolingSpec | None) -> dict[str, FloatArray]:
    """The weights of all layers, by `NAME.weight` and `NAME.bias`. Raises `ModelError` for missing and wrong ones."""
    found: dict[str, FloatArray] = {}
    configs = {module.path: module.config for module in folder.modules}
    for each in pooling.layers if pooling else ():
        if each.kind != "normalize":
            read = _read(folder, each)
            _check(each, configs.get(each.name, {}), read)
            found |= {f"{each.name}.{key}": value for key, value in read.items()}
    return found


def _read(folder: ModelFolder, each: LayerSpec) -> dict[str, FloatArray]:
    roots = (folder.path, folder.path.parent) if folder.path.resolve().name == "onnx" else (folder.path,)
    paths = [root / each.name / name for root in roots for name in _FILES]
    path = next((path for path in paths if path.exists() or path.is_symlink()), None)
    if path is None:
        raise ModelError(
            f"modules.json names {each.name}, whose weights are missing ({' or '.join(_FILES)}): copy them from the "
            "original model, or export with `--library-name sentence_transformers`, which puts every module into the "
            "graph"
        )
    real = safe_read.inside(path, _root(path, each.name))
    if path.suffix == ".safetensors":
        every = tensors.read(safe_read.read(real), f"{each.name}/{path.name}")
    else:
        every = torch_file.read(real)
    return {key.removeprefix(_PREFIXES[each.kind]): value for key, value in every.items()}


def _root(path: Path, name: str) -> Path:
    """The model's folder, of a file in its folder `name`."""
    return path.parents[len(Path(name).parts)]


def _check(each: LayerSpec, config: Mapping[str, Any], read: Mapping[str, FloatArray]) -> None:
    weight, bias = read.get("weight"), read.get("bias")
    if each.kind == "dense":
        wanted = (config.get("out_features"), config.get("in_features"))
        fits = weight is not None and weight.shape == wanted and (bias is None or bias.shape == wanted[:1])
        fits = fits and (bias is not None) == bool(config.get("bias", True))
    else:
        fits = weight is not None and bias is not None and weight.shape == bias.shape and weight.ndim == 1
    if not fits or read.keys() > {"weight", "bias"}:
        raise ModelError(
            f"the weights in {each.name} are not those that its config.json describes: copy the folder from the "
            "original model"
        )
