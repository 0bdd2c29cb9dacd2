"""What a long text costs: attention holds numbers for each pair of its tokens, all at once."""

from __future__ import annotations

from collections.abc import Sequence

from encoderfile.errors import TooLongError
from encoderfile.machine import available_memory
from encoderfile.types import EncodedText

_NEVER_ASKED = 256_000_000
"""Bytes that need no look at how much memory is left."""

_SHARE = 0.5
"""How much of it one text may take: what else runs on the machine, and in the same run, needs some too."""


def refuse_too_large(texts: Sequence[EncodedText], bytes_per_pair: int) -> None:
    """Raises `TooLongError` for a text whose attention takes more than half of the memory that is left."""
    for index, text in enumerate(texts):
        needed = bytes_per_pair * len(text) ** 2
        if needed <= _NEVER_ASKED:
            continue
        left = available_memory()
        if left is not None and needed > _SHARE * left:
            raise TooLongError(
                f"has {len(text)} tokens, which take {needed / 1e9:.1f} GB of memory, and one text may take half of "
                f"the {left / 1e9:.1f} GB that are left: send less text at a time",
                index,
            )
