"""How long a request took, as the answer says it: in milliseconds, and only what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from encoderfile.service.answering import Answering
from encoderfile.transports.http.sie.wire import SERVER_VERSION

HEADERS = ("X-Total-Time", "X-Queue-Time", "X-Tokenization-Time", "X-Inference-Time")


class EncodeTiming(Struct):
    """`timing` in the body of an answer."""

    total_ms: float
    queue_ms: float
    tokenization_ms: float
    inference_ms: float
    postprocessing_ms: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one request; `postprocessing` is 0 where there was none."""

    total: float
    queue: float
    tokenization: float
    inference: float
    postprocessing: float

    def to_json(self) -> dict[str, float | None]:
        """The JSON of `EncodeTiming`."""
        return {
            "total_ms": self.total,
            "queue_ms": self.queue,
            "tokenization_ms": self.tokenization,
            "inference_ms": self.inference,
            "postprocessing_ms": self.postprocessing or None,
        }

    def headers(self) -> dict[str, str]:
        """The headers of an answer."""
        headers = {
            "X-SIE-Server-Version": SERVER_VERSION,
            "X-Queue-Time": f"{self.queue:.2f}",
            "X-Tokenization-Time": f"{self.tokenization:.2f}",
            "X-Inference-Time": f"{self.inference:.2f}",
            "X-Total-Time": f"{self.total:.2f}",
        }
        if self.postprocessing > 0:
            headers["X-Postprocessing-Time"] = f"{self.postprocessing:.2f}"
        return headers


def times(answering: Answering, postprocessing: float = 0.0) -> Times:
    """What is known when the answer is ready to be written; `postprocessing` in seconds."""
    timing = answering.timing
    seconds = (answering.seconds, timing.queue, timing.tokenization, timing.inference, postprocessing)
    return Times(*(each * 1000 for each in seconds))
