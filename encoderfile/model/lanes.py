"""The graph once more, for runs of one thread each, side by side."""

from __future__ import annotations

import logging
from collections.abc import Callable

from encoderfile.errors import EncoderfileError
from encoderfile.model.memory import available
from encoderfile.model.session import Session

log = logging.getLogger(__name__)


class Lanes:
    """A second session of the same graph, loaded when it is first wanted.

    onnxruntime gives a session its threads once and for all, and they share every run of it. Two runs of one
    thread each answer a fourth more texts than one run of two threads, and the difference grows with the cores;
    one text alone is answered sooner by all threads. Both at once cost the packed weights a second time.
    """

    def __init__(self, count: int, load: Callable[[], Session], needs_bytes: int) -> None:
        """`load` makes a session of one thread, which takes about `needs_bytes` of memory."""
        self._count = count
        self._load = load
        self._needs_bytes = needs_bytes
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The session whose runs go side by side; `open` comes first."""
        assert self._session is not None
        return self._session

    def open(self) -> int:
        """Loads the session and returns how many runs there may be: 1 where memory is too short for it."""
        if self._count == 1:
            return 1
        if self._session is None:
            free, needed = available(), 2 * self._needs_bytes
            if free is not None and free < needed:
                log.info(
                    "requests overlap and still run one after another: side by side takes %d MB of free memory, "
                    "%d MB are left",
                    needed >> 20,
                    free >> 20,
                )
                return 1
            try:
                self._session = self._load()
            except EncoderfileError as error:
                log.warning("requests overlap and still run one after another: %s", error)
                return 1
            log.info("requests overlap: up to %d run side by side from now on", self._count)
        return self._count
