"""A file that appears at its name when it is whole, and not before."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from encoderfile.errors import ConfigError


@contextlib.contextmanager
def replacing(path: Path, flag: str, say: Callable[[str], object] = lambda _: None) -> Iterator[Path]:
    """Gives a temporary path beside `path` and renames it there when the block ends well.

    `flag` is what a user sets to choose another place; errors name it. `say` is told of a folder that was made.

    A pipe or a device is written as it is: a rename would put a file in its place. Raises `ConfigError` with
    one sentence for a folder that cannot be written or a full disk; nothing is left behind and an older file
    at `path` stays as it was.
    """
    advice = f"; choose another place with {flag}"
    with _explained(f"cannot write {path}", advice):
        special = is_special(path)
        if not special:
            path = _target(path)
    if special:
        with _explained(f"cannot write {path}", ""):
            yield path
        return
    made: list[Path] = []
    temporary = None
    whole = False
    try:
        with _explained(f"cannot write into {path.parent}", advice):
            made = _make_folders(path.parent)
            # So short that a name which is just not too long leaves room for what is added.
            handle, name = tempfile.mkstemp(prefix=f".{path.name[:30]}.", suffix=".tmp", dir=path.parent)
            temporary = Path(name)
            os.fchmod(handle, 0o666 & ~_umask())
            os.close(handle)
        with _explained(f"cannot write {path}", advice):
            yield temporary
            if path.is_dir():
                raise ConfigError(f"{path} is a folder; give the name of a file with {flag}")
            temporary.rename(path)
        whole = True
    finally:
        if not whole:
            _remove(temporary, made)
    for folder in made[-1:]:
        say(f"made the folder {folder}")


@contextlib.contextmanager
def _explained(what: str, advice: str) -> Iterator[None]:
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


def _make_folders(folder: Path) -> list[Path]:
    """Makes `folder` and those above it that are missing; returns the new ones, the outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()][::-1]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove(temporary: Path | None, made: Sequence[Path]) -> None:
    """Takes back what was begun: the temporary file, and the folders made for it, unless others use them now."""
    if temporary is not None:
        temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for folder in reversed(made):
            folder.rmdir()


def _umask() -> int:
    """What new files of this process are not allowed; the call that tells it also sets it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
