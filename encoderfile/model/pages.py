"""Mapped weights that were read once need not stay in memory."""

from __future__ import annotations

import contextlib
import mmap
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

_PAUSE = 0.01
"""Seconds between two rounds."""


def drop(mappings: Collection[mmap.mmap]) -> None:
    """Gives the pages of read-only mappings back to the system; they are read from the file when touched again."""
    for mapped in mappings:
        mapped.madvise(mmap.MADV_DONTNEED)


@contextmanager
def dropping(mappings: Collection[mmap.mmap]) -> Iterator[None]:
    """Drops pages again and again while the block runs, and once at its end.

    onnxruntime reads each weight once, to pack it for the processor: without this a model's weights would be in
    memory twice by the end of its loading.
    """
    done = threading.Event()

    def work() -> None:
        while not done.wait(_PAUSE):
            drop(mappings)

    worker = threading.Thread(target=work, name="drop-pages", daemon=True)
    with contextlib.suppress(RuntimeError):  # no thread to be had: more memory for a moment
        worker.start()
    try:
        yield
    finally:
        done.set()
        if worker.ident is not None:
            worker.join()
        drop(mappings)
