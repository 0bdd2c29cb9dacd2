"""The work of one request, for the edge that counts and logs it: set there, filled in where it is answered."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from encoderfile.types import Timing


@dataclass(slots=True)
class Work:
    """Texts that were answered and their tokens, special ones included; how long the phases took."""

    texts: int = 0
    tokens: int = 0
    timing: Timing = field(default_factory=Timing)
    started: float = 0.0
    """When the first phase began, by `time.perf_counter`."""


current_work: ContextVar[Work | None] = ContextVar("work", default=None)
"""That of the request at hand, on every task that answers it."""
