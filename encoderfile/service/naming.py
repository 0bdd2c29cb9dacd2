"""A refused text is named by the field of the request that it came in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from encoderfile.errors import InputError


@contextmanager
def naming(**lists: int) -> Iterator[None]:
    """`lists` are the fields that texts of this block came in, and their lengths, in the order of the inputs."""
    try:
        yield
    except InputError as error:
        for name, length in lists.items():
            if error.index is None or error.index < length:
                error.listed = name
                break
            error.index -= length
        raise
