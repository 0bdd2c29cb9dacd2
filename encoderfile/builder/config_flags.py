"""What to build, as the command's flags say. Flags override the YAML file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from encoderfile.builder.config import BuildConfig
from encoderfile.builder.config_yaml import check_count, from_yaml
from encoderfile.builder.precision import PrecisionOptions
from encoderfile.errors import ConfigError


def from_flags(model_dir: Path | None, yaml_file: Path | None, **flags: Any) -> BuildConfig:
    """The YAML file's config, or an empty one, overridden by the flags that were given.

    `flags` are fields of `BuildConfig` and `PrecisionOptions`, and `max_length`; None means not given. Raises
    `ConfigError`.
    """
    max_length = flags.pop("max_length", None)
    precision_flags = {each.name: flags.pop(each.name, None) for each in fields(PrecisionOptions)}
    inputs = _pairs(flags.pop("inputs", None) or ())
    given = {name: value for name, value in flags.items() if value is not None}
    if yaml_file is not None:
        config = from_yaml(yaml_file)
        if model_dir is not None:
            config = replace(config, path=model_dir, files={}, onnx=None)
    elif model_dir is not None:
        config = BuildConfig(path=model_dir)
    else:
        raise ConfigError("no model given: name its folder, or a YAML file with -f")
    if max_length is not None:
        given["tokenizer"] = replace(config.tokenizer, max_length=check_count("--max-length", max_length, 1))
    given["inputs"] = {**config.inputs, **inputs}
    given_precision = {name: value for name, value in precision_flags.items() if value is not None}
    config = replace(config, **given, precision=replace(config.precision, **given_precision))
    _validate(config)
    return config


def _validate(config: BuildConfig) -> None:
    precision = config.precision
    if (precision.calibrate is not None or precision.max_flips is not None) and not precision.changes:
        raise ConfigError("--calibrate and --max-flips need --quantize or --optimize")
    name = config.model_name
    if not name.isprintable() or any(part in ("", ".", "..") for part in name.split("/")):
        raise ConfigError(f"the name {name!r} cannot be used: give printable text, like model or organisation/model")
    if not config.version.isprintable():
        raise ConfigError(f"the version {config.version!r} cannot be used: give printable text, like 1.2.0")


def _pairs(flags: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` of each `--input`; a name may hold an equals sign before the last one."""
    pairs = {}
    for each in flags:
        name, _, value = each.rpartition("=")
        if not name or not value:
            raise ConfigError(f"--input {each} should be NAME=VALUE, as in input_ids=tokens or task_id=0")
        pairs[name] = value
    return pairs
