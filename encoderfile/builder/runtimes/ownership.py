"""Who may own and change the cache folder: a runtime that another user can change would run wherever the file goes.

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
"""The owner that a user namespace shows where it has no mapping for the real one, often that of `/`."""


def own_folder(folder: Path) -> Path:
    """`folder` without links, made where it is missing, if only this user and root can change what is in it.

    Raises `ConfigError` with what to do where another user can, and `OSError` where it cannot be made.
    """
    folder = folder.resolve()
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=0o755, exist_ok=True)  # also with a umask of 0
        found = each.stat()
        is_parent = each != folder
        if not (is_parent and found.st_uid == _UNMAPPED and _root_is_unmapped()):
            _refuse_others(each, found, sticky_is_fine=is_parent)
    return folder


def own_file(path: Path) -> None:
    """Raises `ConfigError` unless `path` is a regular file, not a link, that only this user and root can change."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{path} is not a regular file: remove it, or choose another folder with --cache-dir")
    _refuse_others(path, found)


def _refuse_others(path: Path, found: os.stat_result, *, sticky_is_fine: bool = False) -> None:
    if os.environ.get("ENCODERFILE_CACHE_TRUSTED") == "1":
        return
    elsewhere = (
        "choose another folder with --cache-dir "
        "(ENCODERFILE_CACHE_TRUSTED=1 allows this one, on a machine without other users)"
    )
    if found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"{path} belongs to another user, uid {found.st_uid}, and its content would become part of the file: "
            f"{elsewhere}"
        )
    if _others_write(path, found) and not (sticky_is_fine and found.st_mode & stat.S_ISVTX):
        raise ConfigError(
            f"other users can write to {path}, and its content would become part of the file: "
            f"`chmod go-w {shlex.quote(str(path))}`, or {elsewhere}"
        )


def _others_write(path: Path, found: os.stat_result) -> bool:
    if not found.st_mode & _OTHERS:
        return False
    return bool(found.st_mode & stat.S_IWOTH) or _has_list(path) or not _private_group(found.st_gid, found.st_uid)


def _has_list(path: Path) -> bool:
    """Whether an access control list names other users; it shows as a group that can write."""
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:  # a file system without them
        return False


def _private_group(group_id: int, owner: int) -> bool:
    """Whether a group is its owner's alone, by its name and members, as many systems make one for each user."""
    try:
        user, group = pwd.getpwuid(owner).pw_name, grp.getgrgid(group_id)
    except KeyError:
        return False
    alone = all(each.pw_uid == owner for each in pwd.getpwall() if each.pw_gid == group_id)
    return alone and group.gr_name == user and set(group.gr_mem) <= {user}


def _root_is_unmapped() -> bool:
    """Whether root itself may have no mapping here, as in a user namespace."""
    try:
        return Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]
    except OSError:
        return False
