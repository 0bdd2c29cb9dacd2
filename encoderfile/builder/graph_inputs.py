"""What each input of the graph is fed with: a text's tokens, a constant, or an empty cache.

Most exports use the input names of transformers. TensorFlow adds `:0`, exports of generators have inputs for the
keys and values of earlier tokens, others for a task or an image: `--input` says what those are.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from encoderfile.builder.folder import ModelFolder
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import GraphInput
from encoderfile.model.padding import CONSTANT, ROLES
from encoderfile.model.session import ValueInfo

_OTHER_NAMES = {
    "input_word_ids": "input_ids",
    "input_mask": "attention_mask",
    "segment_ids": "token_type_ids",
    "input_type_ids": "token_type_ids",
}
"""The names in Google's own BERT."""

_TOO_LARGE = {"int64": 2**63, "int32": 2**31, "bool": 2}
_INTEGERS = frozenset(_TOO_LARGE)
_FLOATS = frozenset({"float32", "float16", "float64"})


def graph_inputs(
    folder: ModelFolder,
    inputs: Sequence[ValueInfo],
    options: Mapping[str, str],
    known: Mapping[str, str] = MappingProxyType({}),
) -> tuple[GraphInput, ...]:
    """How to feed every input. `options` are those of `--input`: a role and a name, or a name and a value.

    `known` are the roles of further inputs, by their names.

    Raises `ConfigError` for an option that does not fit the graph, `ModelError` for an input that is not known.
    """
    names = [each.name for each in inputs]
    roles, constants = _roles_and_constants(options, names)
    roles = {name: role for name, role in known.items() if name in names and name not in constants} | roles
    if not any(_role(each, roles) == "input_ids" and each.name not in constants for each in inputs):
        raise ModelError(
            f"the graph has no input called input_ids (its inputs: {', '.join(names)}): name it with "
            "--input input_ids=NAME, or export the model with `optimum-cli export onnx`"
        )
    found = tuple(_graph_input(folder, each, roles, constants) for each in inputs)
    taken = [each.role or each.name for each in found if each.role != CONSTANT]
    doubled = next((role for role in taken if taken.count(role) > 1), None)
    if doubled is not None:
        both = ", ".join(each.name for each in found if (each.role or each.name) == doubled)
        raise ModelError(
            f"the graph has several inputs for {doubled} ({both}): choose one with --input {doubled}=NAME"
        )
    return found


def _roles_and_constants(options: Mapping[str, str], names: Sequence[str]) -> tuple[dict[str, str], dict[str, float]]:
    """The roles and the constants, by the name of the input."""
    roles: dict[str, str] = {}
    constants: dict[str, float] = {}
    for left, right in options.items():
        if left in ROLES and right in names:
            roles[right] = left
        elif left not in names:
            known = f"{', '.join(names)}; ROLE in --input ROLE=NAME is one of {', '.join(ROLES)}"
            raise ConfigError(f"--input {left}={right}: the graph has no such input, it has {known}")
        else:
            constants[left] = _number(left, right)
    return roles, constants


def _number(name: str, text: str) -> float:
    words = {"true": 1.0, "false": 0.0}
    try:
        value = words[text.lower()] if text.lower() in words else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"--input {name}={text} should be a number, true or false, or the name of an input")
    return value


def _graph_input(
    folder: ModelFolder, each: ValueInfo, roles: Mapping[str, str], constants: Mapping[str, float]
) -> GraphInput:
    if each.name in constants:
        return _constant(each, constants[each.name], each.shape)
    role = _role(each, roles)
    if role is not None:
        return _of_text(each, role)
    if "past" in each.name and len(each.shape) > 2:
        cache = _constant(each, 0.0, _empty_cache(folder, each))
        return dataclasses.replace(cache, batch=each.shape[0])
    if each.name == "use_cache_branch":
        return _constant(each, 0.0, each.shape)
    raise ModelError(
        f"the graph needs {each.name}, for which a text encoder has no value (known: {', '.join(ROLES)}): export "
        f"the encoder alone, or, if one value is right for all texts, give it with --input {each.name}=VALUE"
        f"{_values(folder, each.name)}"
    )


def _role(each: ValueInfo, roles: Mapping[str, str]) -> str | None:
    """What an input is by an option, else by its name, unless an option gives that role to another."""
    role = _OTHER_NAMES.get(each.plain, each.plain)
    return roles.get(each.name) or (role if role in ROLES and role not in roles.values() else None)


def _of_text(each: ValueInfo, role: str) -> GraphInput:
    if role not in ROLES:
        return GraphInput(each.name, each.dtype, role="" if role == each.name else role)
    if len(each.shape) != 2:
        raise ModelError(
            f"the graph takes {role} with {len(each.shape)} dimensions, texts have two, [batch, tokens]: "
            "export the model again"
        )
    if each.dtype not in _INTEGERS | _FLOATS:
        raise ModelError(
            f"the graph takes {each.name} as {each.dtype}, which is not supported: export the model again"
        )
    return GraphInput(each.name, each.dtype, *each.shape, role="" if role == each.name else role)


def _constant(each: ValueInfo, value: float, shape: tuple[int | None, ...]) -> GraphInput:
    if each.dtype not in _INTEGERS | _FLOATS:
        raise ModelError(
            f"the graph takes {each.name} as {each.dtype}, which is not supported: export the model again"
        )
    if each.dtype in _INTEGERS and not (value.is_integer() and abs(value) < _TOO_LARGE[each.dtype]):
        raise ConfigError(
            f"--input {each.name}={value:g} should be an integer in the range of {each.dtype}, which the graph takes"
        )
    if shape.count(None) > 2:
        raise ModelError(
            f"the graph takes {each.name} with {shape.count(None)} dynamic dimensions, a constant has at most two, "
            "batch and tokens: export the encoder alone"
        )
    return GraphInput(each.name, each.dtype, role=CONSTANT, value=value, shape=shape)


def _empty_cache(folder: ModelFolder, each: ValueInfo) -> tuple[int | None, ...]:
    """[batch, heads, 0, head_dim]: the keys or values of no earlier tokens."""
    if len(each.shape) != 4 or each.shape[2] is not None:
        raise ModelError(
            f"the graph takes a cache {each.name} of an unknown shape, not [batch, heads, tokens, size]: "
            "export it without a cache, `optimum-cli export onnx --task feature-extraction`"
        )
    config = folder.config
    heads = config.get("num_attention_heads")
    kept = each.shape[1] or config.get("num_key_value_heads") or heads
    size = each.shape[3] or config.get("head_dim") or _share(config.get("hidden_size"), heads)
    if not isinstance(kept, int) or not isinstance(size, int):
        raise ModelError(
            f"config.json does not give the shape of the cache {each.name} (num_attention_heads, hidden_size): "
            "export it without a cache, `optimum-cli export onnx --task feature-extraction`"
        )
    return (each.shape[0], kept, 0, size)


def _share(hidden: object, heads: object) -> int | None:
    return hidden // heads if isinstance(hidden, int) and isinstance(heads, int) and heads else None


def _values(folder: ModelFolder, name: str) -> str:
    """The values of a task input and their meanings, as config.json lists them."""
    tasks: Any = folder.config.get("lora_adaptations") or folder.config.get("task_names")
    if not name.startswith("task") or not isinstance(tasks, list):
        return ""
    return " (" + ", ".join(f"{index} is {task}" for index, task in enumerate(tasks)) + ")"
