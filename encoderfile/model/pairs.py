"""How much is kept of the two texts of a pair, and what the pairs of one request share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from encoderfile.model.special_tokens import Part

_COUNTED = 1 << 16
"""Up to this many characters, tokens are counted to find the longer one of two texts; beyond, characters are."""


@dataclass(slots=True)
class Known:
    """What was read of one request's pairs: a query that passages share is tokenised once."""

    parts: dict[str, Part] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def lengths(self, pair: tuple[str, str], count: Callable[[str], int]) -> tuple[int, int]:
        """The lengths of two texts in one unit."""
        first, second = pair
        if max(len(first), len(second)) > _COUNTED:
            return len(first), len(second)
        for text in pair:
            if text not in self.counts:
                self.counts[text] = count(text)
        return self.counts[first], self.counts[second]


def shares(strategy: str, room: int, first: int, second: int) -> tuple[int, int] | None:
    """How many tokens are kept of two texts that have `first` and `second`; None where `strategy` leaves no way.

    The rule of the tokenizers library (`truncate_encodings` in tokenizers/src/utils/truncation.rs).
    """
    if first + second <= room:
        return first, second
    if strategy == "only_first":
        return (room - second, second) if second < room else None
    if strategy == "only_second":
        return (first, room - first) if first < room else None
    short, long = sorted((first, second))
    long = max(short, room - short)
    if short + long > room:
        short = room // 2
        long = room - short
    return (short, long) if first <= second else (long, short)
