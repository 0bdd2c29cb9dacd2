"""What to build, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import encoderfile
from encoderfile.builder.precision import PrecisionOptions
from encoderfile.errors import ConfigError

DEFAULT_VERSION = "0.1.0"


def refuse_other_runtime(version: str) -> None:
    """Raises `ConfigError` for a version other than this one: its runtime is not here, and is never downloaded."""
    own = encoderfile.__version__
    if version.removeprefix("v") != own:
        raise ConfigError(
            f"this is encoderfile {own}, which puts its own runtime into files: leave the runtime version {version} "
            "out, or build with the encoderfile of that version"
        )


@dataclass(frozen=True, slots=True)
class TokenizerOptions:
    """Options of the tokenizer; None leaves a setting to the model's files. Lengths in tokens."""

    max_length: int | None = None
    truncation_side: str | None = None
    truncation_strategy: str | None = None
    stride: int = 0
    fixed_length: int | None = None
    """Pad every text to this length (`pad_strategy: {fixed: N}`)."""


@dataclass(frozen=True, slots=True)
class BuildConfig:
    """Everything one build needs. `files` gives single files by the names they have in an export."""

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
    """Where the runtime comes from: a pack, or a built file."""
    platform: str | None = None
    """One of `builder.runtimes.platforms.PLATFORMS`; None for this machine's."""
    device: str = "auto"
    cuda_libraries: str | None = None
    """`bundled` into a file for CUDA, or the `system`'s, which is to say its machine's; None: bundled."""
    tokenizer: TokenizerOptions = TokenizerOptions()
    precision: PrecisionOptions = field(default_factory=PrecisionOptions)
    transform: str | None = None
    """Lua source whose `Postprocess` changes the graph's output before results are made of it."""
    lua_libs: tuple[str, ...] | None = None
    """The standard libraries of Lua that it may use; None: table, string and math."""
    validate_transform: bool = True
    """Whether it is tried on made-up tensors before the model is run with it."""

    @property
    def model_name(self) -> str:
        """`name`, or the name of the model's folder."""
        return self.name or self.path.resolve().name

    @property
    def target(self) -> Path:
        """Where the executable goes: `output_path`, or a file in it when it is a folder; else the working folder.

        A name as hubs write it, `organisation/model`, gives the file its last part.
        """
        file = f"{self.model_name.rpartition('/')[2]}.encoderfile"
        if self.output_path is None:
            return Path(file)
        return self.output_path / file if self.output_path.is_dir() else self.output_path
