"""What the service counts, and a request while it is answered. Values change on the event loop alone: no locks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import encoderfile
from encoderfile.errors import QueueFullError
from encoderfile.service.families import Counter, Family, Gauge, Histogram
from encoderfile.service.work import current_work
from encoderfile.types import ModelInfo, Prediction, Timing

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency buckets."""
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Upper bounds of the batch size buckets."""


TRUNCATED = "x-truncated-inputs"
"""Beside an answer, where texts were truncated: how many."""

R = TypeVar("R")

_NOT_TIMED = Timing()


class Answering:
    """A request while it is answered, the same for every transport: timed, its truncated texts counted."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.timing = _NOT_TIMED
        self.truncated_inputs = 0

    async def by(self, work: Awaitable[Prediction[R]]) -> Prediction[R]:
        """Awaits what the service finds for this request."""
        started = time.perf_counter()
        found = await work
        self.timing, self.truncated_inputs = found.timing, found.truncated_inputs
        if (noted := current_work.get()) is not None:
            noted.texts, noted.tokens, noted.timing = len(found.results), found.token_count, found.timing
            noted.started = started
        return found

    @property
    def seconds(self) -> float:
        """Since the request came."""
        return time.perf_counter() - self._started

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, or gRPC's metadata, that go with the answer."""
        return {TRUNCATED: str(self.truncated_inputs)} if self.truncated_inputs else {}


class Metrics:
    """The counters of one service."""

    def __init__(self, info: ModelInfo, device: str, model_bytes: int) -> None:
        """`model_bytes` is the size of graph and weights; the weights are mapped, not copied."""
        self._model, self._device = info.model_id, device
        self._build = {
            "version": encoderfile.__version__,
            "model": info.model_id,
            "model_version": info.version,
            "model_type": info.model_type,
            "device": device,
        }
        self.model_bytes = model_bytes
        self.started = time.time()
        one = ("model",)
        self.requests = Counter("encoderfile_requests_total", "Requests.", ("model", "endpoint", "status"))
        self.durations = Histogram(
            "encoderfile_request_duration_seconds",
            "Duration of a request, by phase.",
            ("model", "endpoint", "phase"),
            SECONDS,
        )
        self.batches = Histogram("encoderfile_batch_size", "Texts of one run of the model.", one, TEXTS)
        self.tokens = Counter("encoderfile_tokens_processed_total", "Tokens, special ones included.", one)
        self.truncated = Counter("encoderfile_truncated_inputs_total", "Texts truncated at the limit.", one)
        self.http = Histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, by route.",
            ("http_request_method", "http_route", "http_response_status_code"),
            SECONDS,
        )
        self.rpc = Histogram(
            "rpc_server_call_duration_seconds",
            "Duration of gRPC calls, by method.",
            ("rpc_method", "rpc_response_status_code"),
            SECONDS,
        )
        self.active_requests = 0
        """HTTP requests that are being answered."""
        self.connections: Callable[[], int] = lambda: 0
        """Counts those that are open to the HTTP server; that of gRPC tells nobody."""
        # Zero from the first reading on: a rate needs a beginning.
        self.answered(0, 0)

    @contextmanager
    def request(self, endpoint: str) -> Iterator[Answering]:
        """Counts one request from its arrival until its answer is written; once it is answered, its phases too."""
        answering, status = Answering(), "error"
        try:
            yield answering
            status = "success"
        except QueueFullError:
            status = "queue_full"
            raise
        except asyncio.CancelledError:
            status = "cancelled"
            raise
        finally:
            self.requests.add((self._model, endpoint, status))
            phases = {"total": answering.seconds}
            if (timing := answering.timing) is not _NOT_TIMED:
                phases |= {"queue": timing.queue, "tokenize": timing.tokenization, "inference": timing.inference}
            for phase, seconds in phases.items():
                self.durations.observe((self._model, endpoint, phase), seconds)

    def answered(self, tokens: int, truncated: int) -> None:
        """Counts what one answered request brought."""
        self.tokens.add((self._model,), tokens)
        self.truncated.add((self._model,), truncated)

    def batch(self, texts: int) -> None:
        """Counts one run of the model."""
        self.batches.observe((self._model,), texts)

    def families(self, waiting: int, ready: bool) -> list[Family]:
        """Everything that is counted; `waiting` texts are queued now."""
        one, both = ("model",), ("model", "device")
        model, place = (self._model,), (self._model, self._device)
        return [
            self.requests,
            self.durations,
            self.batches,
            self.tokens,
            self.truncated,
            self.http,
            self.rpc,
            Gauge(
                "encoderfile_build_info", "What this file is.", tuple(self._build), {tuple(self._build.values()): 1}
            ),
            Gauge("encoderfile_http_connections", "Open HTTP connections.", (), {(): self.connections()}),
            Gauge("http_server_active_requests", "HTTP requests in flight.", (), {(): self.active_requests}),
            Gauge("encoderfile_queue_depth", "Texts that wait in the queue.", one, {model: waiting}),
            Gauge("encoderfile_model_loaded", "Whether the model takes requests.", both, {place: int(ready)}),
            Gauge("encoderfile_model_memory_bytes", "Size of graph and weights.", both, {place: self.model_bytes}),
        ]
