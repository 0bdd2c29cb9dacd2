"""A file that appears at its name when it is whole, and not before."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from encoderfile.errors import ConfigError


@contextlib.contextmanager
def replacing(path: Path, flag: str, say: Callable[[str], object] = lambda _: None) -> Iterator[Path]:
    """Yields a temporary path beside `path` and renames it when the block ends without an error.

    Errors name `flag`, with which a user chooses another place. `say` is told of a folder that was made. A pipe or a
    device is written as it is. Raises `ConfigError` for a folder that cannot be written or a full disk; nothing is
    left behind and an older file at `path` stays as it was.
    """
    if is_special(path):
        with _explained(f"cannot write {path}"):
            yield path
        return
    advice = f"; choose another place with {flag}"
    with _explained(f"cannot write {path}", advice):
        path = _target(path)
    made: list[Path] = []
    temporary = None
    try:
        with _explained(f"cannot write into {path.parent}", advice):
            made = [each for each in path.parents if not each.exists()]
            path.parent.mkdir(parents=True, exist_ok=True)
            # So short that a name which is just not too long leaves room for what is added.
            handle, name = tempfile.mkstemp(prefix=f".{path.name[:30]}.", suffix=".tmp", dir=path.parent)
            temporary = Path(name)
            mask = os.umask(0o077)  # the only call that tells it also sets it
            os.umask(mask)
            os.fchmod(handle, 0o666 & ~mask)
            os.close(handle)
        with _explained(f"cannot write {path}", advice):
            yield temporary
            if path.is_dir():
                raise ConfigError(f"{path} is a folder; give the name of a file with {flag}")
            temporary.rename(path)
    except BaseException:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        for folder in made:
            with contextlib.suppress(OSError):  # others use it now
                folder.rmdir()
        raise
    for folder in made[:1]:
        say(f"made the folder {folder}")


@contextlib.contextmanager
def _explained(what: str, advice: str = "") -> Iterator[None]:
    """Raises `ConfigError` for an error of the operating system."""
    try:
        yield
    except OSError as error:
        raise ConfigError(f"{what}: {error.strerror}{advice}") from error


def _target(path: Path) -> Path:
    """What `path` leads to: a link stays a link, and its target is replaced. Raises `OSError`."""
    try:
        return path.resolve()
    except RuntimeError as error:  # before Python 3.13
        raise OSError(errno.ELOOP, "its links lead in a circle") from error


def is_special(path: Path) -> bool:
    """Whether `path` is or leads to a pipe or a device. `/dev/stderr` leads to what has no path of its own."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
