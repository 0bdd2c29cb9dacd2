"""How a model scores texts that reads a query and each text by themselves: the requests that are made of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from encoderfile.types import PredictRequest

_CHARACTERS = 12_000
"""Of the texts that are asked for together: each of their tokens is a vector that stays until they are scored."""


def score_requests(query: str, texts: Sequence[str], **asked: Any) -> list[PredictRequest]:
    """The query, then the texts in groups; `asked` are further fields of each request."""
    return [PredictRequest(each, allow_empty=True, raw=True, **asked) for each in ([query], *_groups(texts))]


def _groups(texts: Sequence[str]) -> list[list[str]]:
    groups: list[list[str]] = []
    held = 0
    for text in texts:
        held += len(text)
        if not groups or held > _CHARACTERS:
            groups.append([])
            held = len(text)
        groups[-1].append(text)
    return groups
