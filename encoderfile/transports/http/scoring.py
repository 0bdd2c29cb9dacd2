"""What `/v1/score` and `/rerank` share."""

from __future__ import annotations

from collections.abc import Sequence


def order(scores: Sequence[float]) -> list[int]:
    """Positions by falling score; equal ones keep their order."""
    return sorted(range(len(scores)), key=lambda index: -scores[index])
