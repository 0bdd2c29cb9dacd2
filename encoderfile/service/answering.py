"""A request while it is answered, the same for every transport: counted, timed, its truncated texts told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from encoderfile.service.metrics import Measured
from encoderfile.service.service import Service
from encoderfile.types import Prediction, Timing

TRUNCATED = "x-truncated-inputs"
"""Beside an answer, where texts were truncated: how many."""


R = TypeVar("R")


class Answering:
    """Takes from what the service finds what every answer says of it."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self.timing = Timing()
        self.truncated_inputs = 0

    async def by(self, work: Awaitable[Prediction[R]]) -> Prediction[R]:
        """Awaits what the service finds for this request."""
        found = await work
        self._measured.timing = self.timing = found.timing
        self.truncated_inputs = found.truncated_inputs
        return found

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.perf_counter() - self._measured.started

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, or gRPC's metadata, that go with the answer."""
        return {TRUNCATED: str(self.truncated_inputs)} if self.truncated_inputs else {}


@contextmanager
def answering(service: Service, endpoint: str) -> Iterator[Answering]:
    """The block from a request's arrival to the last chunk of its answer, written and not yet sent."""
    with service.metrics.request(endpoint) as measured:
        yield Answering(measured)
