"""What the control groups of this process (v1, v2, or both) limit, wherever they are mounted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOUNTS = Path("/proc/self/mountinfo")
OWN_GROUPS = Path("/proc/self/cgroup")

_NO_LIMIT = 1 << 60
"""v1 has no word for no limit: the memory of an unlimited group is the largest number of the kernel, about 2**63."""


@dataclass(frozen=True)
class _Hierarchy:
    """A mount through which groups can be read."""

    version: int
    root: PurePosixPath
    """The group that is mounted: in a container that of the container, and not `/`."""
    point: Path


def cpu_quotas() -> Iterator[tuple[int, int]]:
    """Microseconds of processor time, and of the period for which they are granted, of every group with a quota."""
    for version, group in _groups("cpu"):
        try:
            if version == 2:
                quota, period = map(int, _text(group / "cpu.max").split())
            else:
                quota, period = (int(_text(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
        except (OSError, ValueError):
            continue  # no quota, which is the word max in v2, or nothing that can be read
        if quota > 0 and period > 0:  # a quota of -1 is none in v1
            yield quota, period


def memory_left() -> Iterator[int]:
    """Bytes that each limit leaves; pages of files that were not used lately are given up when needed."""
    for version, group in _groups("memory"):
        names = (
            ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
        )
        try:
            limit, used = (int(_text(group / name)) for name in names)
            if limit < _NO_LIMIT:
                yield max(0, limit - used + _idle_pages(group))
        except (OSError, ValueError):
            continue  # no limit, which is the word max in v2, or nothing that can be read


def _idle_pages(group: Path) -> int:
    """Bytes of files in memory that were not used lately. In v1 the groups in this one count only in `total_`."""
    found = dict(line.split() for line in _text(group / "memory.stat").splitlines())
    return int(found.get("total_inactive_file") or found.get("inactive_file") or 0)


def _groups(controller: str) -> Iterator[tuple[int, Path]]:
    """The version and the folder of the group of this process and of every group around it that is mounted.

    A hybrid system has v1 for most controllers and v2 beside it, so both are looked at: a file that a group does not
    have limits nothing.
    """
    hierarchies = list(_hierarchies(controller))
    for version, own in _own_groups(controller):
        mounted = [each for each in hierarchies if each.version == version]
        # A mount of some other group, as monitors in containers have, says nothing about this one. Where no mount has
        # this process's group, the path is one of outside of this container, whose own group is what is mounted.
        inside = [each for each in mounted if own.is_relative_to(each.root) and ".." not in own.parts]
        for each in inside or mounted:
            folder = each.point / own.relative_to(each.root) if inside else each.point
            yield version, folder
            for group in folder.parents:
                if not group.is_relative_to(each.point):
                    break
                yield version, group


def _own_groups(controller: str) -> Iterator[tuple[int, PurePosixPath]]:
    """This process's group in each version, from lines as `4:cpu,cpuacct:/docker/1f` and, of v2, `0::/a.slice`."""
    found = {1: "/", 2: "/"}
    for line in _lines(OWN_GROUPS):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            found[2] = path
        elif controller in controllers.split(","):
            found[1] = path
    for version, path in found.items():
        yield version, PurePosixPath("/" + path.strip("/"))


def _hierarchies(controller: str) -> Iterator[_Hierarchy]:
    """Where the groups of v2, and of v1 for `controller`, are mounted. `proc(5)` describes the lines."""
    for line in _lines(MOUNTS):
        if " - cgroup" not in line:
            continue  # a host of containers has thousands of mounts
        fields = line.split(" ")
        try:
            # A variable number of fields ends with a hyphen.
            kind, _, options = fields[fields.index("-", 6) + 1 :][:3]
        except ValueError:
            continue
        if kind == "cgroup2" or (kind == "cgroup" and controller in options.split(",")):
            root, point = map(_unescaped, fields[3:5])
            yield _Hierarchy(2 if kind == "cgroup2" else 1, PurePosixPath(root), Path(point))


def _unescaped(field: str) -> str:
    """The kernel writes spaces, tabs, line ends and backslashes as `\\040`, for example."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def _lines(file: Path) -> list[str]:
    try:
        return _text(file).split("\n")
    except OSError:
        return []


def _text(file: Path) -> str:
    """Names in it may be any bytes."""
    return os.fsdecode(file.read_bytes())
