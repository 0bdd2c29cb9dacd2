"""The exceptions of the Python API: the usual ones of Python, with the sentence that the command would print."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from encoderfile.errors import ConfigError, ContainerError, EncoderfileError, MissingError, ModelError


class InvalidError(ValueError, RuntimeError):
    """A config, model, transform or built file that cannot be used.

    Encoderfile 0.7 documents `ValueError` and raises `RuntimeError`; programs may catch either.
    """


class NotFoundError(FileNotFoundError, RuntimeError):
    """A path at which nothing is; `RuntimeError` for the same reason."""


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raises our errors as `NotFoundError`, `InvalidError` or, for whatever else went wrong, `RuntimeError`.

    Blocks may not be nested: the outer one would not know these from errors of the operating system.
    """
    try:
        yield
    except EncoderfileError as error:
        cause = error.__cause__
        if isinstance(error, MissingError) or isinstance(cause, FileNotFoundError):
            raise NotFoundError(str(error)) from error
        if isinstance(cause, OSError) or not isinstance(error, ConfigError | ContainerError | ModelError):
            raise RuntimeError(str(error)) from error
        raise InvalidError(str(error)) from error
    except OSError as error:
        kind = NotFoundError if isinstance(error, FileNotFoundError) else RuntimeError
        raise kind(f"cannot use {error.filename or 'a file'}: {error.strerror or error}") from error
