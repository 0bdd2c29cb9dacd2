"""The graph once more, for runs of one thread each, side by side."""

from __future__ import annotations

import logging
from collections.abc import Callable

from encoderfile.errors import EncoderfileError
from encoderfile.machine import available_memory
from encoderfile.model.session import Session

log = logging.getLogger(__name__)


class Lanes:
    """A second session of the same graph, loaded when it is first wanted.

    onnxruntime gives a session its threads once and for all, and they share every run of it. On two cores, two runs
    of one thread each answer a fifth more texts than one run of two threads after the other; one text alone is
    answered sooner by all threads. Both at once cost the packed weights a second time.
    """

    def __init__(self, count: int, load: Callable[[], Session], needs_bytes: int) -> None:
        """`count` runs may go side by side; `load` makes a session of one thread, in about `needs_bytes`."""
        self.count = count
        self._load = load
        self._needs_bytes = needs_bytes
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The session whose runs go side by side; `open` comes first."""
        assert self._session is not None
        return self._session

    def open(self) -> bool:
        """Loads the session, once. False where memory is too short for it."""
        if self._session is not None:
            return True
        free, needed = available_memory(), 2 * self._needs_bytes
        if free is not None and free < needed:
            log.info(
                "batches run one after another: side by side takes %d MB of free memory, %d MB are left",
                needed >> 20,
                free >> 20,
            )
            return False
        try:
            self._session = self._load()
        except EncoderfileError as error:
            log.warning("batches run one after another: %s", error)
            return False
        log.debug("up to %d batches run side by side from now on", self.count)
        return True
