"""How much of each text of a pair is kept."""

from __future__ import annotations


def shares(strategy: str, room: int, first: int, second: int) -> tuple[int, int] | None:
    """Tokens that are kept of two texts which have `first` and `second`; None where `strategy` leaves no way.

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
