"""What a request may say beside its inputs: each option is declared once, for HTTP, gRPC, MCP and `infer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option. Its name is that of the JSON field, of the protobuf field and of the flag of `infer`."""

    name: str
    type: Any
    """As msgspec takes it: `bool`, `float`, `list[str]`, ..."""
    description: str
    required: bool = False
    """Whether a request must say it."""
    default: Any = None
    """What holds for `infer` where the flag is left out; None: what the model does by itself."""
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What JSON Schema says of the value beside its type and description."""


NORMALIZE = Option(
    "normalize",
    bool,
    "Whether each vector is divided by its L2 norm. Left out: as the model's own files say.",
)

NORMALIZE_REQUIRED = replace(
    NORMALIZE, description="Whether each vector is divided by its L2 norm.", required=True, default=True
)
