"""What the control groups (v2) of this process say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def found(file: str) -> Iterator[tuple[Path, str]]:
    """The folder and the text of `file` for the group of this process and for every group around it.

    A limit of any of them holds. Groups where there is no such file, or none that can be read, are left out.
    """
    folder = ROOT / _own()
    for group in (folder, *folder.parents):
        if not group.is_relative_to(ROOT):
            return
        try:
            yield group, (group / file).read_text().strip()
        except OSError:
            continue


def _own() -> str:
    """This process's group below the root; the root where it is not told, or lies outside what is mounted here."""
    try:
        path = next(line[3:] for line in OWN.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return ""
    return "" if ".." in path else path.strip("/")
