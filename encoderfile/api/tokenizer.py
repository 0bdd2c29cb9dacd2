"""How a model's texts are padded and truncated, fixed when it is built."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, final

from encoderfile.api.names import TokenizerTruncationSide, TokenizerTruncationStrategy, member


@final
@dataclass(frozen=True, slots=True)
class BatchLongest:
    """Pad to the longest text of a batch."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Pad every text to `n` tokens."""

    n: int

    def __post_init__(self) -> None:
        """Raises `TypeError` for what is no integer, `OverflowError` for a negative one."""
        object.__setattr__(self, "n", _count("n", self.n))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerBuildConfig:
    """Settings of the tokenizer. None leaves one to the model's files; `max_length` and `stride` are in tokens."""

    pad_strategy: BatchLongest | Fixed | None = None
    truncation_side: str | TokenizerTruncationSide | None = None
    truncation_strategy: str | TokenizerTruncationStrategy | None = None
    max_length: int | None = None
    stride: int | None = None

    def __post_init__(self) -> None:
        """Raises what encoderfile 0.7 raises.

        `TypeError` for another `pad_strategy` and for lengths that are no integers, `OverflowError` for negative
        ones, and an error that is both `ValueError` and `RuntimeError` for an unknown side or strategy.
        """
        if not isinstance(self.pad_strategy, BatchLongest | Fixed | None):
            raise TypeError(f"pad_strategy should be BatchLongest(), Fixed(n=...) or None, got {self.pad_strategy!r}")
        if self.truncation_side is not None:
            side = member(TokenizerTruncationSide, self.truncation_side, "truncation_side")
            object.__setattr__(self, "truncation_side", side)
        if self.truncation_strategy is not None:
            strategy = member(TokenizerTruncationStrategy, self.truncation_strategy, "truncation_strategy")
            object.__setattr__(self, "truncation_strategy", strategy)
        for name in ("max_length", "stride"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _count(name, value))

    def keys(self) -> dict[str, Any]:
        """The same as the `tokenizer` of a YAML file has it."""
        padding = {"fixed": self.pad_strategy.n} if isinstance(self.pad_strategy, Fixed) else None
        return {
            "pad_strategy": padding,
            "truncation_side": self.truncation_side,
            "truncation_strategy": self.truncation_strategy,
            "max_length": self.max_length,
            "stride": self.stride,
        }


def _count(name: str, value: int) -> int:
    number = operator.index(value)
    if number < 0:
        raise OverflowError(f"{name} should not be negative, got {number}")
    return number
