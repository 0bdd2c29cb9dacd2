"""How long a request took, as the answer says it: in milliseconds, and only what was measured."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import astuple

from encoderfile.service.metrics import Answering
from encoderfile.transports.http.sie.wire import SERVER_VERSION

HEADERS = ("X-Total-Time", "X-Queue-Time", "X-Tokenization-Time", "X-Inference-Time", "X-Postprocessing-Time")


class Times(Struct):
    """`timing` in the body of an answer; `postprocessing_ms` is null where there was none."""

    total_ms: float
    queue_ms: float
    tokenization_ms: float
    inference_ms: float
    postprocessing_ms: float | None = None

    def headers(self) -> dict[str, str]:
        """The same in headers."""
        told = zip(HEADERS, astuple(self), strict=True)
        return {
            "X-SIE-Server-Version": SERVER_VERSION,
            **{name: f"{value:.2f}" for name, value in told if value is not None},
        }


def times(answering: Answering, postprocessing: float | None = None) -> Times:
    """What is known when the answer is ready to be written; `postprocessing` in seconds."""
    timing = answering.timing
    measured = Times(
        answering.seconds * 1000, timing.queue * 1000, timing.tokenization * 1000, timing.inference * 1000
    )
    measured.postprocessing_ms = postprocessing and postprocessing * 1000
    return measured
