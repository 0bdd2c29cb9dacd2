"""What to build, as the command's flags and a YAML file say: the ecosystem's keys and our own. Flags override."""

from __future__ import annotations

import contextlib
import difflib
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from encoderfile.builder import safe_yaml
from encoderfile.builder.config import DEFAULT_VERSION, BuildConfig, TokenizerOptions
from encoderfile.builder.precision import PrecisionOptions
from encoderfile.builder.runtimes.platforms import platform_named
from encoderfile.builder.transform_source import lua_libs, transform_in, transform_source
from encoderfile.errors import ConfigError
from encoderfile.tasks import TASKS

Read = Callable[[str, object, Path], Any]
"""Reads the value of a key; the last argument is the folder that paths are relative to. Raises `ConfigError`."""

_PATH_KEYS = {
    "model_config_path": "config.json",
    "model_weights_path": "model.onnx",
    "tokenizer_path": "tokenizer.json",
    "tokenizer_config_path": "tokenizer_config.json",
}
_MAX_TOKENS = (1 << 31) - 1
_MAX_BYTES = 1 << 20
"""Bytes of a YAML file, at most."""

_shown = reprlib.Repr()
"""Shortens values in errors: an alias of an alias may stand for gigabytes."""
_shown.maxlevel, _shown.maxstring, _shown.maxother = 2, 80, 80


def from_yaml(file: Path, folder: Path | None = None) -> BuildConfig:
    """Reads the YAML file of a build; relative paths start in `folder`, else in the file's. Raises `ConfigError`."""
    with _valid(file):
        return from_keys(keys(file), folder or file.parent)


def keys(file: Path) -> Mapping[str, Any]:
    """What a YAML file has below `encoderfile:`, as it is written. Raises `ConfigError`."""
    with _valid(file):
        document = safe_yaml.load(_read(file))
    if not isinstance(document, dict) or "encoderfile" not in document:
        raise ConfigError(f"{file} has no top-level key `encoderfile:`: put name, path and the other keys below it")
    _only_known(document, ("encoderfile",), str(file))
    return _mapping(document["encoderfile"], "encoderfile")


@contextlib.contextmanager
def _valid(file: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise ConfigError(f"{file} is not valid YAML: {reason}") from error


def from_keys(body: Mapping[str, Any], folder: Path) -> BuildConfig:
    """The build that the keys of the YAML describe; relative paths start in `folder`. Raises `ConfigError`."""
    values = _values(body, _READERS, "encoderfile", folder)
    if (target := values.pop("target", None)) is not None:  # encoderfile's own word for it
        values.setdefault("platform", target)
    values.pop("build", None)
    model = values.pop("path", None)
    if model is None:
        raise ConfigError("`path` is missing: give the model's folder, or its files one by one")
    return BuildConfig(precision=PrecisionOptions(**_precision(values)), **{**model, **values})


def _precision(values: dict[str, Any]) -> dict[str, Any]:
    """Takes the fields of `PrecisionOptions` out of `values`."""
    return {each.name: values.pop(each.name) for each in fields(PrecisionOptions) if each.name in values}


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


def _model(key: str, value: object, folder: Path) -> dict[str, Any] | None:
    """The fields of `BuildConfig` that say where the model is: its folder, or its files one by one."""
    if isinstance(value, str):
        return {"path": _path(key, value, folder)}
    if not isinstance(value, dict):
        return None
    found = _values(value, dict.fromkeys(_PATH_KEYS, _path), key, folder)
    for each in _PATH_KEYS:
        if each not in found and each != "tokenizer_config_path":
            raise ConfigError(f"`path.{each}` is missing: give it, or give the model's folder as `path`")
    files = {_PATH_KEYS[each]: path for each, path in found.items()}
    onnx = files.pop("model.onnx")
    return {"path": onnx.parent, "files": files, "onnx": onnx}


def _string(key: str, value: object, _: Path) -> str:
    """A string, or a number or a date that is meant as one: a version, a folder."""
    if isinstance(value, bool | list | dict | set | tuple | bytes):
        raise ConfigError(f"`{key}` should be a string, got {_shown.repr(value)}")
    text = str(value)
    if not text.isprintable():
        raise ConfigError(f"`{key}` should be printable, got {_shown.repr(text)}")
    return text


def _path(key: str, value: object, folder: Path) -> Path:
    text = _string(key, value, folder)
    try:
        return folder / (Path(text).expanduser() if text.startswith("~") else text)
    except RuntimeError as error:
        raise ConfigError(f"`{key}` is {text}, and there is no such home folder: write the path in full") from error


def _platform(key: str, value: object, folder: Path) -> str:
    return platform_named(_string(key, value, folder))


def _choice(*known: str) -> Read:
    def read(key: str, value: object, folder: Path) -> str:
        text = _string(key, value, folder)
        if text not in known:
            raise ConfigError(f"`{key}` is {text}: choose {' or '.join(known)}")
        return text

    return read


def _flag(key: str, value: object, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"`{key}` should be true or false, got {_shown.repr(value)}")
    return value


def _build(key: str, value: object, folder: Path) -> None:
    """A key of encoderfile 0.7's documents."""
    if not _flag(key, value, folder):
        raise ConfigError(f"`{key}: false` has no files to leave: `encoderfile check` says what would be built")


def _share(key: str, value: object, _: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"`{key}` should be a number from 0 to 1, got {_shown.repr(value)}")
    return float(value)


def _inputs(key: str, value: object, _: Path) -> dict[str, str]:
    found = _mapping(value or {}, key)
    for name, each in found.items():
        if not isinstance(each, str | int | float):
            raise ConfigError(f"`inputs.{name}` should be the name of an input or a number, got {each!r}")
    return {str(name): str(each) for name, each in found.items()}


def _tokenizer(key: str, value: object, folder: Path) -> TokenizerOptions:
    values = _values(_mapping(value or {}, key), _TOKENIZER_READERS, key, folder)
    fixed_length = values.pop("pad_strategy", None)
    return TokenizerOptions(**values, fixed_length=fixed_length)


def _fixed_length(key: str, strategy: object, folder: Path) -> int | None:
    if strategy == "batch_longest":
        return None
    if isinstance(strategy, dict) and list(strategy) == ["fixed"] and strategy["fixed"] is not None:
        return _count(1)(f"{key}.fixed", strategy["fixed"], folder)  # type: ignore[no-any-return]
    raise ConfigError(f"`{key}` is {_shown.repr(strategy)}: choose batch_longest or {{fixed: N}}")


def _count(least: int) -> Read:
    """Reads a number of tokens."""

    def read(key: str, value: object, _: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"`{key}` should be an integer of at least {least}, got {_shown.repr(value)}")
        if value > _MAX_TOKENS:
            raise ConfigError(f"`{key}` should be at most {_MAX_TOKENS}")
        return value

    return read


def _transform(key: str, value: object, folder: Path) -> str:
    """The source of a script: the value itself, or the file that it names."""
    if isinstance(value, dict):
        (path,) = _values(value, {"path": _path}, key, folder).values() or (None,)
        if path is None:
            raise ConfigError(f"`{key}.path` is missing: name the file of the script")
        return transform_in(path)
    if not isinstance(value, str):
        raise ConfigError(f"`{key}` should be a script in Lua or {{path: FILE}}, got {_shown.repr(value)}")
    return transform_source(value, f"`{key}`")


def _lua_libs(key: str, value: object, _: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError(f"`{key}` should be a list of names, got {_shown.repr(value)}")
    return lua_libs(value)


def _values(body: Mapping[Any, Any], readers: Mapping[str, Read], where: str, folder: Path) -> dict[str, Any]:
    """The values of the mapping at `where`, without keys that are empty. Raises `ConfigError` for unknown keys."""
    _only_known(body, readers, where)
    prefix = "" if where == "encoderfile" else f"{where}."
    return {key: readers[key](prefix + key, value, folder) for key, value in body.items() if value is not None}


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


_TOKENIZER_READERS: dict[str, Read] = {
    "pad_strategy": _fixed_length,
    "truncation_side": _choice("left", "right"),
    "truncation_strategy": _choice("longest_first", "only_first", "only_second"),
    "max_length": _count(1),
    "stride": _count(0),
}
_READERS: dict[str, Read] = {
    "path": _model,
    "name": _string,
    "version": lambda *value: _string(*value) or DEFAULT_VERSION,
    "model_type": _choice(*TASKS),
    "output_path": _path,
    "cache_dir": _path,
    "base_binary_path": _path,
    "platform": _platform,
    "target": _platform,
    "transform": _transform,
    "build": _build,
    "lua_libs": _lua_libs,
    "validate_transform": _flag,
    "tokenizer": _tokenizer,
    "device": _choice("auto", "cpu", "cuda"),
    "cuda_libraries": _choice("bundled", "system"),
    "onnx": _path,
    "output": _string,
    "inputs": _inputs,
    "quantize": _choice("int8"),
    "optimize": _flag,
    "calibrate": _path,
    "max_flips": _share,
}
"""How the value of each key is read; most are fields of `BuildConfig` and `PrecisionOptions`."""


def from_flags(
    model_dir: Path | None,
    yaml_file: Path | None,
    directory: Path | None = None,
    output_dir: Path | None = None,
    **flags: Any,
) -> BuildConfig:
    """The YAML file's config, or an empty one, overridden by the flags that were given.

    `flags` are fields of `BuildConfig` and `PrecisionOptions`, and `max_length`; None means not given. All relative
    paths but `yaml_file` start in `directory`. The file goes into `output_dir` under its usual name. Raises
    `ConfigError`.
    """
    start = directory or Path()
    given = {name: value for name, value in flags.items() if value is not None}
    given |= {name: start / value for name, value in given.items() if isinstance(value, Path)}
    model_dir = None if model_dir is None else start / model_dir
    if (script := given.pop("transform", None)) is not None:
        given["transform"] = transform_in(script)
    if "platform" in given:
        given["platform"] = platform_named(given["platform"])
    if yaml_file is not None:
        config = from_yaml(yaml_file, directory)
        if model_dir is not None:
            config = replace(config, path=model_dir, files={}, onnx=None)
    elif model_dir is not None:
        config = BuildConfig(path=model_dir)
    else:
        raise ConfigError("no model given: name its folder, or a YAML file with -f")
    if (max_length := given.pop("max_length", None)) is not None:
        given["tokenizer"] = replace(config.tokenizer, max_length=_count(1)("--max-length", max_length, Path()))
    given["inputs"] = {**config.inputs, **_pairs(given.pop("inputs", ()))}
    config = replace(config, precision=replace(config.precision, **_precision(given)), **given)
    if output_dir is not None:
        config = replace(config, output_path=start / output_dir / config.target.name)
    return complete(config, start)


def complete(config: BuildConfig, folder: Path) -> BuildConfig:
    """`config` whose file lies in `folder` where nothing else was said. Raises `ConfigError` for what cannot be."""
    precision = config.precision
    if config.device == "cpu" and config.cuda_libraries is not None:
        raise ConfigError("--cuda-libraries is for files that run on CUDA: leave it out, or give --device cuda")
    if (precision.calibrate is not None or precision.max_flips is not None) and not precision.changes:
        raise ConfigError("--calibrate and --max-flips need --quantize or --optimize")
    name = config.model_name
    if not name.isprintable() or any(part in ("", ".", "..") for part in name.split("/")):
        raise ConfigError(f"the name {name!r} cannot be used: give printable text, like model or organisation/model")
    if not config.version.isprintable():
        raise ConfigError(f"the version {config.version!r} cannot be used: give printable text, like 1.2.0")
    placed = config.output_path is not None or folder == Path()
    return config if placed else replace(config, output_path=folder / config.target)


def _pairs(flags: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` of each `--input`; a name may hold an equals sign before the last one."""
    pairs = {}
    for each in flags:
        name, _, value = each.rpartition("=")
        if not name or not value:
            raise ConfigError(f"--input {each} should be NAME=VALUE, as in input_ids=tokens or task_id=0")
        pairs[name] = value
    return pairs
