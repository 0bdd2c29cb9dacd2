"""Building a file from Python: encoderfile 0.7's builder and its two functions.

Each turns its arguments into the keys of a YAML file, so there is one way in which they are read and refused.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from encoderfile.api.failures import InvalidError, NotFoundError, explained
from encoderfile.api.names import ModelType, TokenizerTruncationSide, TokenizerTruncationStrategy, member
from encoderfile.api.target import TargetSpec
from encoderfile.api.tokenizer import BatchLongest, Fixed, TokenizerBuildConfig
from encoderfile.progress import quietly

if TYPE_CHECKING:
    from encoderfile.builder.config import BuildConfig

log = logging.getLogger(__name__)

StrPath = str | os.PathLike[str]


@final
class EncoderfileBuilder:
    """What to build; `build` builds it.

    Errors are those of Python, with the sentence that the command would print: `FileNotFoundError` for a path at
    which nothing is, `ValueError` for a config, model or transform that cannot be used, `RuntimeError` for the rest.
    All of them are a `RuntimeError` too, as encoderfile 0.7 raises it.
    """

    def __init__(  # noqa: PLR0913 - encoderfile 0.7's
        self,
        *,
        name: str,
        model_type: ModelType | str,
        path: StrPath | Mapping[str, StrPath],
        version: str | None = None,
        output_path: StrPath | None = None,
        cache_dir: StrPath | None = None,
        base_binary_path: StrPath | None = None,
        transform: str | None = None,
        lua_libs: list[str] | None = None,
        tokenizer: TokenizerBuildConfig | None = None,
        validate_transform: bool = True,
        target: str | TargetSpec | None = None,
    ) -> None:
        """Takes what the YAML of a build takes, by the same names.

        `path` is the folder of an exported model, or its files: `model_weights_path`, `model_config_path`,
        `tokenizer_path`, `tokenizer_config_path`. `version` is 0.1.0 unless given, `output_path` NAME.encoderfile.
        `base_binary_path` is a runtime that was exported, or any built file, whose runtime is taken. `transform` is
        a script in Lua, or the name of its file, which ends in `.lua`. `target` is a triple, such as
        `aarch64-unknown-linux-gnu`.

        Raises `ValueError` for values that cannot be used, `TypeError` for those of another kind.
        """
        if isinstance(path, Mapping):
            model: str | dict[str, str] = {key: os.fspath(each) for key, each in path.items()}
        else:
            model = os.fspath(path)
        triple = target if isinstance(target, TargetSpec | None) else TargetSpec(target)
        self._keys: Mapping[str, Any] = {
            "name": name,
            "version": version,
            "path": model,
            "model_type": member(ModelType, model_type, "model_type").value,
            "output_path": _path(output_path),
            "cache_dir": _path(cache_dir),
            "base_binary_path": _path(base_binary_path),
            "transform": {"path": transform} if _is_file_name(transform) else transform,
            "lua_libs": None if lua_libs is None else list(lua_libs),
            "tokenizer": None if tokenizer is None else tokenizer.keys(),
            "validate_transform": validate_transform,
            "target": None if triple is None else str(triple),
        }
        self._folder = Path()
        self._check()

    @classmethod
    def from_config(cls, config_path: StrPath) -> EncoderfileBuilder:
        """What a YAML file describes; relative paths in it are relative to the file.

        Raises `FileNotFoundError` where there is no file, `ValueError` for one that cannot be followed.
        """
        builder = cls.__new__(cls)
        with explained():
            from encoderfile.builder.config_sources import keys

            builder._keys = keys(Path(config_path))
        builder._folder = Path(config_path).parent
        builder._check()
        return builder

    def build(self, workdir: StrPath | None = None, version: str | None = None, no_download: bool = False) -> Path:
        """Builds the file and returns its path; it is executable, and has been run once.

        Relative paths start in `workdir`, where that is given. `version` is the version of the runtime: there is
        this one alone. Nothing is ever downloaded, whatever `no_download` says: the runtime is frozen on this
        machine once, or comes from a file (`base_binary_path`). The steps are logged at INFO.

        Raises `FileNotFoundError`, `ValueError` or `RuntimeError`, as the class says.
        """
        with explained(), quietly():
            from encoderfile.builder.build import build as build_file
            from encoderfile.builder.config import refuse_other_runtime

            if version is not None:
                refuse_other_runtime(version)
            folders = (self._folder, Path()) if workdir is None else (Path(workdir), Path(workdir))
            return build_file(self._read(*folders), lambda line: log.info("%s", line)).path

    def _check(self) -> None:
        """Reads the keys once. A script that is not there may be in the `workdir` of the build."""
        with contextlib.suppress(NotFoundError), explained():
            self._read(self._folder, Path())

    def _read(self, folder: Path, output: Path) -> BuildConfig:
        from encoderfile.builder.config_sources import complete, from_keys

        return complete(from_keys(self._keys, folder), output)


def build(  # noqa: PLR0913 - encoderfile 0.7's
    *,
    name: str,
    model_type: ModelType | str,
    path: StrPath | Mapping[str, StrPath],
    version: str | None = None,
    output_path: StrPath | None = None,
    cache_dir: StrPath | None = None,
    base_binary_path: StrPath | None = None,
    transform_str: str | None = None,
    transform_path: StrPath | None = None,
    lua_libs: list[str] | None = None,
    tokenizer_pad_to: Literal["batch_longest"] | int | None = None,
    tokenizer_truncation_side: str | TokenizerTruncationSide | None = None,
    tokenizer_truncation_strategy: str | TokenizerTruncationStrategy | None = None,
    tokenizer_max_length: int | None = None,
    tokenizer_stride: int | None = None,
    validate_transform: bool = True,
    target: str | TargetSpec | None = None,
    workdir: StrPath | None = None,
    no_download: bool = False,
) -> Path:
    """Builds a file in one call, and returns its path. Arguments and errors are those of `EncoderfileBuilder`.

    `transform_str` is a script in Lua and `transform_path` the file of one. `tokenizer_pad_to` is `"batch_longest"`
    or a number of tokens.
    """
    if transform_str is not None and transform_path is not None:
        raise InvalidError("transform_str and transform_path are both given: give one of them")
    script = transform_str if transform_path is None else _script(Path(workdir or ".") / transform_path)
    tokenizer = TokenizerBuildConfig(
        pad_strategy=_padding(tokenizer_pad_to),
        truncation_side=tokenizer_truncation_side,
        truncation_strategy=tokenizer_truncation_strategy,
        max_length=tokenizer_max_length,
        stride=tokenizer_stride,
    )
    builder = EncoderfileBuilder(
        name=name,
        model_type=model_type,
        path=path,
        version=version,
        output_path=output_path,
        cache_dir=cache_dir,
        base_binary_path=base_binary_path,
        transform=script,
        lua_libs=lua_libs,
        tokenizer=tokenizer,
        validate_transform=validate_transform,
        target=target,
    )
    return builder.build(workdir, no_download=no_download)


def build_from_config(config_path: StrPath, workdir: StrPath | None = None, no_download: bool = False) -> Path:
    """Builds what a YAML file describes, and returns the path of the file, as `EncoderfileBuilder` does."""
    return EncoderfileBuilder.from_config(config_path).build(workdir, no_download=no_download)


def _path(path: StrPath | None) -> str | None:
    return None if path is None else os.fspath(path)


def _is_file_name(transform: str | None) -> bool:
    """Whether it is one word that ends in `.lua`, which is no script."""
    return transform is not None and transform.strip().endswith(".lua") and len(transform.split()) == 1


def _script(file: Path) -> str:
    with explained():
        from encoderfile.builder.transform_source import transform_in

        return transform_in(file)


def _padding(pad_to: str | int | None) -> BatchLongest | Fixed | None:
    if pad_to is None:
        return None
    if isinstance(pad_to, int):
        return Fixed(n=pad_to)
    if pad_to == "batch_longest":
        return BatchLongest()
    raise InvalidError(f"tokenizer_pad_to should be 'batch_longest' or a number of tokens, got {pad_to!r}")
