"""How long a request took, as the answer says it: in milliseconds, and only what was measured."""

from __future__ import annotations

import time
from dataclasses import dataclass

from encoderfile.service.metrics import Measured
from encoderfile.transports.http.sie.wire import SERVER_VERSION
from encoderfile.types import Timing


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one request; `postprocessing` is 0 where there was none."""

    total: float
    queue: float
    tokenization: float
    inference: float
    postprocessing: float

    def to_json(self) -> dict[str, float | None]:
        """`timing` in the body of an answer."""
        return {
            "total_ms": self.total,
            "queue_ms": self.queue,
            "tokenization_ms": self.tokenization,
            "inference_ms": self.inference,
            "postprocessing_ms": self.postprocessing or None,
        }

    def headers(self, truncated_inputs: int) -> dict[str, str]:
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
        if truncated_inputs:
            headers["X-Truncated-Inputs"] = str(truncated_inputs)
        return headers


def times(measured: Measured, timing: Timing, postprocessing: float = 0.0) -> Times:
    """What is known when the answer is ready; `postprocessing` in seconds."""
    total = time.perf_counter() - measured.started
    seconds = (total, timing.queue, timing.tokenization, timing.inference, postprocessing)
    return Times(*(each * 1000 for each in seconds))
