"""What `import encoderfile` offers to Python programs: the names of encoderfile 0.7's package.

The builder and its libraries are imported when something is built.
"""

from encoderfile.api.building import EncoderfileBuilder, build, build_from_config
from encoderfile.api.metadata import EncoderfileConfig, InspectInfo, ModelConfig, read_metadata
from encoderfile.api.names import ModelType, TokenizerTruncationSide, TokenizerTruncationStrategy
from encoderfile.api.target import TargetSpec
from encoderfile.api.tokenizer import BatchLongest, Fixed, TokenizerBuildConfig

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
    "build",
    "build_from_config",
    "read_metadata",
]
