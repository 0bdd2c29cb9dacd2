"""What to build: flags and YAML as one frozen value. Flags win."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from encoderfile.builder.precision import PrecisionWishes
from encoderfile.errors import ConfigError
from encoderfile.tasks import TASKS

DEFAULT_VERSION = "0.1.0"

_KEYS = (
    "name",
    "version",
    "path",
    "model_type",
    "output_path",
    "cache_dir",
    "base_binary_path",
    "tokenizer",
    "transform",
    "device",
    "onnx",
    "output",
    "inputs",
    "quantize",
    "optimize",
    "calibrate",
    "max_flips",
)
_PATH_KEYS = {
    "model_config_path": "config.json",
    "model_weights_path": "model.onnx",
    "tokenizer_path": "tokenizer.json",
    "tokenizer_config_path": "tokenizer_config.json",
}
_TOKENIZER_KEYS = ("pad_strategy", "truncation_side", "truncation_strategy", "max_length", "stride")
_SIDES = ("left", "right")
_MOST_TOKENS = (1 << 31) - 1
_LARGEST = 1 << 20
"""Bytes of a YAML file, at most."""

_shown = reprlib.Repr()
"""Values in errors, in few words: an alias of an alias may stand for gigabytes."""
_shown.maxlevel, _shown.maxstring, _shown.maxother = 2, 80, 80
_STRATEGIES = ("longest_first", "only_first", "only_second")


@dataclass(frozen=True, slots=True)
class TokenizerWishes:
    """What flags and YAML ask of the tokenizer; None leaves it to the model's files. Lengths in tokens."""

    max_length: int | None = None
    truncation_side: str | None = None
    truncation_strategy: str | None = None
    stride: int = 0
    fixed_length: int | None = None
    """Pad every text to this length (`pad_strategy: {fixed: N}`)."""


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """Everything one build needs. `files` gives single files under the names they have in an export."""

    path: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    onnx: Path | None = None
    output: str | None = None
    """The name of the graph's output to take."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """What inputs of unusual names are: a role and a name (`input_ids` and `tokens`), or a name and a value."""
    name: str | None = None
    version: str = DEFAULT_VERSION
    model_type: str | None = None
    output_path: Path | None = None
    cache_dir: Path | None = None
    base_binary_path: Path | None = None
    device: str = "auto"
    tokenizer: TokenizerWishes = TokenizerWishes()
    precision: PrecisionWishes = field(default_factory=PrecisionWishes)

    @property
    def model_name(self) -> str:
        """`name`, or the name of the model's folder."""
        return self.name or self.path.resolve().name

    @property
    def target(self) -> Path:
        """Where the executable goes: `output_path`, a file in it when it is a folder, else the working folder.

        A name as hubs give it, `organisation/model`, names the file by its last part.
        """
        file = f"{self.model_name.rpartition('/')[2]}.encoderfile"
        if self.output_path is None:
            return Path(file)
        return self.output_path / file if self.output_path.is_dir() else self.output_path


def from_flags(model_dir: Path | None, yaml_file: Path | None, **flags: Any) -> BuildConfig:
    """The YAML's config, or an empty one, with the flags that were given laid over it.

    `flags` are fields of `BuildConfig` and `PrecisionWishes`, and `max_length`; None means not given. Raises
    `ConfigError`.
    """
    max_length = flags.pop("max_length", None)
    asked = {each.name: flags.pop(each.name, None) for each in fields(PrecisionWishes)}
    inputs = _pairs(flags.pop("inputs", None) or ())
    given = {name: value for name, value in flags.items() if value is not None}
    if yaml_file is not None:
        config = from_yaml(yaml_file)
        if model_dir is not None:
            config = replace(config, path=model_dir, files={}, onnx=None)
    elif model_dir is not None:
        config = BuildConfig(path=model_dir)
    else:
        raise ConfigError("no model given: name its folder, or a config file with -f")
    if max_length is not None:
        asked_length = _count({"--max-length": max_length}, "--max-length", 1)
        given["tokenizer"] = replace(config.tokenizer, max_length=asked_length)
    given["inputs"] = {**config.inputs, **inputs}
    precision = replace(config.precision, **{name: value for name, value in asked.items() if value is not None})
    if (precision.calibrate is not None or precision.max_flips is not None) and not precision.changes:
        raise ConfigError("--calibrate and --max-flips need --quantize or --optimize")
    config = replace(config, **given, precision=precision)
    name = config.model_name
    if not name.isprintable() or any(part in ("", ".", "..") for part in name.split("/")):
        raise ConfigError(f"the name {name!r} cannot be used: give printable text, like model or organisation/model")
    if not config.version.isprintable():
        raise ConfigError(f"the version {config.version!r} cannot be used: give printable text, like 1.2.0")
    return config


def _pairs(flags: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` of each `--input`; a name may hold an equals sign before its last one."""
    pairs = {}
    for each in flags:
        name, _, value = each.rpartition("=")
        if not name or not value:
            raise ConfigError(f"--input {each} should be NAME=VALUE, as in input_ids=tokens or task_id=0")
        pairs[name] = value
    return pairs


def from_yaml(file: Path) -> BuildConfig:
    """Reads the ecosystem's YAML; relative paths are relative to the file. Raises `ConfigError`."""
    try:
        return _config(yaml.load(_read(file), Loader=_Loader), file)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ConfigError(f"{file} is not valid YAML: {reason}") from error


def _config(document: object, file: Path) -> BuildConfig:
    if not isinstance(document, dict) or "encoderfile" not in document:
        raise ConfigError(f"{file} has no top key `encoderfile:`: put name, path and the other keys below it")
    _only_known(document, ("encoderfile",), str(file))
    body = _mapping(document["encoderfile"], "encoderfile")
    _only_known(body, _KEYS, "encoderfile")
    if body.get("transform") is not None:
        raise ConfigError(
            "`transform` is not supported: remove it; softmax, pooling and normalisation are built in and need none"
        )
    return _Yaml(body, file.parent).config()


def _read(file: Path) -> bytes:
    """The file, which may be a pipe. Raises `ConfigError` for one that is too large to be a config, or unreadable."""
    try:
        with file.open("rb") as source:
            data = source.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise ConfigError(f"{file} has more than {_LARGEST >> 20} MB: give the YAML file of a build with -f")
    return data


class _Loader(yaml.SafeLoader):
    """Without merge keys: merges of merges grow without bound, and no config of ours has a use for them."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Raises `ConstructorError` for a merge key."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not known here", key.start_mark
                )
        super().flatten_mapping(node)


class _Yaml:
    """One `encoderfile:` mapping and the folder its paths start from."""

    def __init__(self, body: Mapping[str, Any], folder: Path) -> None:
        self._body = body
        self._folder = folder

    def config(self) -> BuildConfig:
        path, files, onnx = self._model_path()
        return BuildConfig(
            path=path,
            files=files,
            onnx=self._path("onnx") or onnx,
            output=self._text("output"),
            inputs=self._inputs(),
            name=self._text("name"),
            version=self._text("version") or DEFAULT_VERSION,
            model_type=self._choice("model_type", tuple(TASKS)),
            output_path=self._path("output_path"),
            cache_dir=self._path("cache_dir"),
            base_binary_path=self._path("base_binary_path"),
            device=self._choice("device", ("auto", "cpu", "cuda")) or "auto",
            tokenizer=_tokenizer(_mapping(self._body.get("tokenizer") or {}, "tokenizer")),
            precision=PrecisionWishes(
                quantize=self._choice("quantize", ("int8",)),
                optimize=self._flag("optimize"),
                calibrate=self._path("calibrate"),
                max_flips=self._share("max_flips"),
            ),
        )

    def _model_path(self) -> tuple[Path, dict[str, Path], Path | None]:
        value = self._body.get("path")
        if isinstance(value, str):
            return self._folder / _name("path", value), {}, None
        if not isinstance(value, dict):
            raise ConfigError("`path` is missing: give the model's folder, or its files one by one")
        _only_known(value, tuple(_PATH_KEYS), "path")
        files = {
            _PATH_KEYS[key]: self._folder / _name(f"path.{key}", found)
            for key, found in value.items()
            if found is not None
        }
        for key in ("model_config_path", "model_weights_path", "tokenizer_path"):
            if _PATH_KEYS[key] not in files:
                raise ConfigError(f"`path` lacks {key}: give it, or the model's folder")
        onnx = files.pop("model.onnx")
        return onnx.parent, files, onnx

    def _inputs(self) -> dict[str, str]:
        found = _mapping(self._body.get("inputs") or {}, "inputs")
        for name, value in found.items():
            if not isinstance(value, str | int | float):
                raise ConfigError(f"`inputs.{name}` should be the name of an input or a number, got {value!r}")
        return {str(name): str(value) for name, value in found.items()}

    def _text(self, key: str) -> str | None:
        value = self._body.get(key)
        if value is None:
            return None
        return _name(key, value)

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

    def _path(self, key: str) -> Path | None:
        value = self._text(key)
        return None if value is None else self._folder / value

    def _choice(self, key: str, known: tuple[str, ...]) -> str | None:
        value = self._text(key)
        if value is not None and value not in known:
            raise ConfigError(f"`{key}` is {value}: choose {_either(known)}")
        return value


def _name(key: str, value: object) -> str:
    """A text, or a number or a date that stands for one: a version, a folder. Raises `ConfigError`."""
    if isinstance(value, bool | list | dict | set | tuple | bytes):
        raise ConfigError(f"`{key}` should be a text, got {_shown.repr(value)}")
    text = str(value)
    if not text.isprintable():
        raise ConfigError(f"`{key}` should be printable text, got {_shown.repr(text)}")
    return text


def _tokenizer(body: Mapping[str, Any]) -> TokenizerWishes:
    _only_known(body, _TOKENIZER_KEYS, "tokenizer")
    for key, known in (("truncation_side", _SIDES), ("truncation_strategy", _STRATEGIES)):
        if body.get(key) is not None and body[key] not in known:
            found = body[key] if isinstance(body[key], str) else _shown.repr(body[key])
            raise ConfigError(f"`tokenizer.{key}` is {found}: choose {_either(known)}")
    return TokenizerWishes(
        max_length=_count(body, "max_length", 1),
        truncation_side=body.get("truncation_side"),
        truncation_strategy=body.get("truncation_strategy"),
        stride=_count(body, "stride", 0) or 0,
        fixed_length=_fixed_length(body.get("pad_strategy")),
    )


def _fixed_length(strategy: object) -> int | None:
    if strategy is None or strategy == "batch_longest":
        return None
    if isinstance(strategy, dict) and list(strategy) == ["fixed"] and strategy["fixed"] is not None:
        return _count(strategy, "fixed", 1)
    raise ConfigError(f"`tokenizer.pad_strategy` is {_shown.repr(strategy)}: choose batch_longest or {{fixed: N}}")


def _count(body: Mapping[str, Any], key: str, least: int) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"`{key}` should be a whole number of at least {least}, got {_shown.repr(value)}")
    if value > _MOST_TOKENS:
        raise ConfigError(f"`{key}` should be at most {_MOST_TOKENS}")
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


def _either(known: Iterable[str]) -> str:
    return " or ".join(known)
