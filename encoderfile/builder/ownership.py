"""Whose frozen runtimes a build takes: one that somebody else made, or can change, would run wherever the file goes.

The rules are those of the launcher for what it unpacks (build/launcher/folder.c, docs/serve.md).
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
from pathlib import Path

from encoderfile.errors import ConfigError

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_UNMAPPED = 65534
"""How a user namespace shows an owner whom it has no number for, often that of `/`."""


def own_folder(folder: Path) -> Path:
    """`folder` without links, made where it is missing, once nobody but this user and root can change what is in it.

    Raises `ConfigError` with what to do where somebody else could, and `OSError` where it cannot be made.
    """
    folder = folder.resolve()
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=0o755, exist_ok=True)  # also with a umask of 0
        found = each.stat()
        on_the_way = each != folder
        if not (on_the_way and found.st_uid == _UNMAPPED and _root_is_unmapped()):
            _judge(each, found, sticky_is_fine=on_the_way)
    return folder


def own_file(path: Path) -> None:
    """Raises `ConfigError` unless `path` is a file, no link, that only this user and root can change."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path} is no file: remove it, or choose another folder with --cache-dir")
    _judge(path, found)


def _judge(path: Path, found: os.stat_result, *, sticky_is_fine: bool = False) -> None:
    if os.environ.get("ENCODERFILE_CACHE_TRUSTED") == "1":
        return
    elsewhere = (
        "choose another folder with --cache-dir "
        "(ENCODERFILE_CACHE_TRUSTED=1 takes this one, where nobody else is around)"
    )
    if found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"{path} belongs to another user, number {found.st_uid}, and what it holds would end in the file: "
            f"{elsewhere}"
        )
    if _others_write(path, found) and not (sticky_is_fine and found.st_mode & stat.S_ISVTX):
        raise ConfigError(
            f"others may write into {path}, and what it holds would end in the file: "
            f"`chmod go-w {shlex.quote(str(path))}`, or {elsewhere}"
        )


def _others_write(path: Path, found: os.stat_result) -> bool:
    if not found.st_mode & _OTHERS:
        return False
    return bool(found.st_mode & stat.S_IWOTH) or _has_list(path) or not _private_group(found.st_gid, found.st_uid)


def _has_list(path: Path) -> bool:
    """Whether an access list names others; it shows as a group that may write."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:  # a file system that knows none
        return False


def _private_group(number: int, owner: int) -> bool:
    """Whether a group is its owner's own, by its name and its members, as many systems make them."""
    try:
        user, group = pwd.getpwuid(owner).pw_name, grp.getgrgid(number)
    except KeyError:
        return False
    alone = all(each.pw_uid == owner for each in pwd.getpwall() if each.pw_gid == number)
    return alone and group.gr_name == user and set(group.gr_mem) <= {user}


def _root_is_unmapped() -> bool:
    """Whether root itself may have no number here, as in a user namespace."""
    try:
        return Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]
    except OSError:
        return False
