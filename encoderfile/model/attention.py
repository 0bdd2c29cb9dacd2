"""What a long text costs: attention holds numbers for each pair of its tokens, all at once."""

from __future__ import annotations

from collections.abc import Sequence

from encoderfile.errors import TooLongError
from encoderfile.model import memory
from encoderfile.types import EncodedText

_NEVER_ASKED = 256_000_000
"""Bytes that need no look at how much memory is left."""


def refuse_too_large(texts: Sequence[EncodedText], bytes_per_pair: int) -> None:
    """Raises `TooLongError` for a text whose attention takes more memory than is left."""
    for index, text in enumerate(texts):
        needed = bytes_per_pair * len(text) ** 2
        if needed <= _NEVER_ASKED:
            continue
        left = memory.available()
        if left is not None and needed > left:
            raise TooLongError(
                f"has {len(text)} tokens, which take {needed / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are "
                "left: send less text at a time",
                index,
            )
