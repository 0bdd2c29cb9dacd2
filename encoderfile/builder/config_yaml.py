"""What to build, as a YAML file says: the format of encoderfile's ecosystem and our own keys."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from encoderfile.builder.config import DEFAULT_VERSION, BuildConfig, TokenizerOptions
from encoderfile.builder.precision import PrecisionOptions
from encoderfile.errors import ConfigError
from encoderfile.tasks import TASKS

_FIELDS = [each.name for each in (*fields(BuildConfig), *fields(PrecisionOptions))]
_KEYS = (*(name for name in _FIELDS if name not in ("files", "precision")), "transform")
_PATH_KEYS = {
    "model_config_path": "config.json",
    "model_weights_path": "model.onnx",
    "tokenizer_path": "tokenizer.json",
    "tokenizer_config_path": "tokenizer_config.json",
}
_TOKENIZER_KEYS = ("pad_strategy", "truncation_side", "truncation_strategy", "max_length", "stride")
_SIDES = ("left", "right")
_STRATEGIES = ("longest_first", "only_first", "only_second")
_MAX_TOKENS = (1 << 31) - 1
_MAX_BYTES = 1 << 20
"""Bytes of a YAML file, at most."""

_shown = reprlib.Repr()
"""Shortens values in errors: an alias of an alias may stand for gigabytes."""
_shown.maxlevel, _shown.maxstring, _shown.maxother = 2, 80, 80


def from_yaml(file: Path) -> BuildConfig:
    """Reads the YAML file of a build; relative paths are relative to the file. Raises `ConfigError`."""
    try:
        return _config(yaml.load(_read(file), Loader=_Loader), file)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ConfigError(f"{file} is not valid YAML: {reason}") from error


def _config(document: object, file: Path) -> BuildConfig:
    if not isinstance(document, dict) or "encoderfile" not in document:
        raise ConfigError(f"{file} has no top-level key `encoderfile:`: put name, path and the other keys below it")
    _only_known(document, ("encoderfile",), str(file))
    body = _mapping(document["encoderfile"], "encoderfile")
    _only_known(body, _KEYS, "encoderfile")
    if body.get("transform") is not None:
        raise ConfigError(
            "`transform` is not supported: remove it; softmax, pooling and normalisation are built in and need none"
        )
    return _Body(body, file.parent).config()


def _read(file: Path) -> bytes:
    """The file, which may be a pipe. Raises `ConfigError` for one that is unreadable or too large for a config."""
    try:
        with file.open("rb") as source:
            data = source.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{file} has more than {_MAX_BYTES >> 20} MB: give the YAML file of a build with -f")
    return data


class _Loader(yaml.SafeLoader):
    """Without merge keys: merges of merges grow without bound, and a build has no use for them."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Raises `ConstructorError` for a merge key."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not supported", key.start_mark
                )
        super().flatten_mapping(node)


class _Body:
    """The mapping below `encoderfile:` and the folder its paths start from."""

    def __init__(self, body: Mapping[str, Any], folder: Path) -> None:
        self._body = body
        self._folder = folder

    def config(self) -> BuildConfig:
        path, files, onnx = self._model_path()
        return BuildConfig(
            path=path,
            files=files,
            onnx=self._path("onnx") or onnx,
            output=self._string("output"),
            inputs=self._inputs(),
            name=self._string("name"),
            version=self._string("version") or DEFAULT_VERSION,
            model_type=self._choice("model_type", tuple(TASKS)),
            output_path=self._path("output_path"),
            cache_dir=self._path("cache_dir"),
            base_binary_path=self._path("base_binary_path"),
            device=self._choice("device", ("auto", "cpu", "cuda")) or "auto",
            tokenizer=_tokenizer(_mapping(self._body.get("tokenizer") or {}, "tokenizer")),
            precision=PrecisionOptions(
                quantize=self._choice("quantize", ("int8",)),
                optimize=self._flag("optimize"),
                calibrate=self._path("calibrate"),
                max_flips=self._share("max_flips"),
            ),
        )

    def _model_path(self) -> tuple[Path, dict[str, Path], Path | None]:
        value = self._body.get("path")
        if isinstance(value, str):
            return self._folder / _string("path", value), {}, None
        if not isinstance(value, dict):
            raise ConfigError("`path` is missing: give the model's folder, or its files one by one")
        _only_known(value, tuple(_PATH_KEYS), "path")
        files = {
            _PATH_KEYS[key]: self._folder / _string(f"path.{key}", found)
            for key, found in value.items()
            if found is not None
        }
        for key in ("model_config_path", "model_weights_path", "tokenizer_path"):
            if _PATH_KEYS[key] not in files:
                raise ConfigError(f"`path.{key}` is missing: give it, or give the model's folder as `path`")
        onnx = files.pop("model.onnx")
        return onnx.parent, files, onnx

    def _inputs(self) -> dict[str, str]:
        found = _mapping(self._body.get("inputs") or {}, "inputs")
        for name, value in found.items():
            if not isinstance(value, str | int | float):
                raise ConfigError(f"`inputs.{name}` should be the name of an input or a number, got {value!r}")
        return {str(name): str(value) for name, value in found.items()}

    def _string(self, key: str) -> str | None:
        value = self._body.get(key)
        return None if value is None else _string(key, value)

    def _path(self, key: str) -> Path | None:
        value = self._string(key)
        return None if value is None else self._folder / value

    def _choice(self, key: str, known: tuple[str, ...]) -> str | None:
        value = self._string(key)
        if value is not None and value not in known:
            raise ConfigError(f"`{key}` is {value}: choose {' or '.join(known)}")
        return value

    def _flag(self, key: str) -> bool | None:
        value = self._body.get(key)
        if value is not None and not isinstance(value, bool):
            raise ConfigError(f"`{key}` should be true or false, got {_shown.repr(value)}")
        return value

    def _share(self, key: str) -> float | None:
        value = self._body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ConfigError(f"`{key}` should be a number from 0 to 1, got {_shown.repr(value)}")
        return float(value)


def _string(key: str, value: object) -> str:
    """A string, or a number or a date that is meant as one: a version, a folder. Raises `ConfigError`."""
    if isinstance(value, bool | list | dict | set | tuple | bytes):
        raise ConfigError(f"`{key}` should be a string, got {_shown.repr(value)}")
    text = str(value)
    if not text.isprintable():
        raise ConfigError(f"`{key}` should be printable, got {_shown.repr(text)}")
    return text


def _tokenizer(body: Mapping[str, Any]) -> TokenizerOptions:
    _only_known(body, _TOKENIZER_KEYS, "tokenizer")
    for key, known in (("truncation_side", _SIDES), ("truncation_strategy", _STRATEGIES)):
        if body.get(key) is not None and body[key] not in known:
            found = body[key] if isinstance(body[key], str) else _shown.repr(body[key])
            raise ConfigError(f"`tokenizer.{key}` is {found}: choose {' or '.join(known)}")
    return TokenizerOptions(
        max_length=check_count("max_length", body.get("max_length"), 1),
        truncation_side=body.get("truncation_side"),
        truncation_strategy=body.get("truncation_strategy"),
        stride=check_count("stride", body.get("stride"), 0) or 0,
        fixed_length=_fixed_length(body.get("pad_strategy")),
    )


def _fixed_length(strategy: object) -> int | None:
    if strategy is None or strategy == "batch_longest":
        return None
    if isinstance(strategy, dict) and list(strategy) == ["fixed"] and strategy["fixed"] is not None:
        return check_count("fixed", strategy["fixed"], 1)
    raise ConfigError(f"`tokenizer.pad_strategy` is {_shown.repr(strategy)}: choose batch_longest or {{fixed: N}}")


def check_count(key: str, value: object, least: int) -> int | None:
    """`value`, a number of tokens of at least `least`, or None. Raises `ConfigError` for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"`{key}` should be an integer of at least {least}, got {_shown.repr(value)}")
    if value > _MAX_TOKENS:
        raise ConfigError(f"`{key}` should be at most {_MAX_TOKENS}")
    return value


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"`{name}` should hold keys and values, got {_shown.repr(value)}")
    return value


def _only_known(body: Mapping[Any, Any], known: Iterable[str], where: str) -> None:
    for key in body:
        if key not in known:
            name = str(key)[:80]
            near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
            raise ConfigError(f"{where} has an unknown key `{name}`: did you mean `{near[0]}`?")
