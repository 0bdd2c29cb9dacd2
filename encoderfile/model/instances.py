"""The graph once more, for runs of one thread each that go at the same time."""

from __future__ import annotations

import logging
from collections.abc import Callable

from encoderfile.errors import EncoderfileError
from encoderfile.machine import available_memory
from encoderfile.model.session import Session

log = logging.getLogger(__name__)


class Instances:
    """A second session of the same graph, loaded when it is first needed.

    The number of threads of a session is fixed. On two cores, two runs of one thread each answer more texts than runs
    of two threads one after the other (docs/performance.md); one text alone is answered sooner by all threads.
    Having both takes the packed weights a second time.
    """

    def __init__(self, count: int, load: Callable[[], Session], needs_bytes: int) -> None:
        """`count` runs may go at the same time; `load` makes a session of one thread, in about `needs_bytes`."""
        self.count = count
        self._load = load
        self._needs_bytes = needs_bytes
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """After `open`."""
        assert self._session is not None
        return self._session

    def open(self) -> bool:
        """Loads the session, once. False if there is not enough memory."""
        if self._session is not None:
            return True
        free, needed = available_memory(), 2 * self._needs_bytes
        if free is not None and free < needed:
            log.info(
                "one instance only: several need %d MB of free memory, and %d MB are free", needed >> 20, free >> 20
            )
            return False
        try:
            self._session = self._load()
        except EncoderfileError as error:
            log.warning("one instance only: %s", error)
            return False
        log.debug("up to %d instances run at the same time from now on", self.count)
        return True
