"""Turns an exported ONNX encoder and its tokenizer into one self-contained executable."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoderfile.api import (
        BatchLongest,
        EncoderfileBuilder,
        EncoderfileConfig,
        Fixed,
        InspectInfo,
        ModelConfig,
        ModelType,
        TargetSpec,
        TokenizerBuildConfig,
        TokenizerTruncationSide,
        TokenizerTruncationStrategy,
        build,
        build_from_config,
        read_metadata,
    )

__version__ = "0.1.0"

__all__ = [
    "BatchLongest",
    "EncoderfileBuilder",
    "EncoderfileConfig",
    "Fixed",
    "InspectInfo",
    "ModelConfig",
    "ModelType",
    "TargetSpec",
    "TokenizerBuildConfig",
    "TokenizerTruncationSide",
    "TokenizerTruncationStrategy",
    "__version__",
    "build",
    "build_from_config",
    "read_metadata",
]

if not TYPE_CHECKING:  # a type checker would take every name for one that is here

    def __getattr__(name):
        """Imports the Python API when a name of it is first asked for: built files import this package too."""
        if name in __all__:
            from encoderfile import api

            return getattr(api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
