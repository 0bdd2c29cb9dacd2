"""Runs a command under the seccomp profile of a container engine: `python seccomp.py PROFILE COMMAND...`.

PROFILE is JSON as Docker and Podman read it. Each rule is added as the engines add it for a container with no
capability but those that a container has by default.
"""

import ctypes
import errno
import json
import os
import platform
import sys
from typing import Any

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
OPERATORS = {
    "SCMP_CMP_NE": 1,
    "SCMP_CMP_LT": 2,
    "SCMP_CMP_LE": 3,
    "SCMP_CMP_EQ": 4,
    "SCMP_CMP_GE": 5,
    "SCMP_CMP_GT": 6,
}
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}
CAPABILITIES = {"CAP_SYS_CHROOT", "CAP_AUDIT_WRITE"}
"""Those of a container's default that a profile asks about."""


class Comparison(ctypes.Structure):
    """`struct scmp_arg_cmp` of libseccomp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


def applies(rule: dict[str, Any]) -> bool:
    includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
    if "arches" in includes and ARCHITECTURE[platform.machine()] not in includes["arches"]:
        return False
    return set(includes.get("caps", ())) <= CAPABILITIES and not set(excludes.get("caps", ())) & CAPABILITIES


def load(profile: dict[str, Any]) -> int:
    """Loads the profile into this process; returns the number of rules. Raises `OSError`."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    # A container runs a process that may gain no rights: without that, seccomp needs a capability.
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ERRNO | errno.EPERM)))
    count = 0
    for rule in filter(applies, profile["syscalls"]):
        if rule["action"] != "SCMP_ACT_ALLOW":
            continue  # refused with EPERM, as what no rule names
        comparisons = [
            Comparison(each["index"], OPERATORS[each["op"]], each["value"], each.get("valueTwo", 0))
            for each in rule.get("args") or ()
        ]
        array = (Comparison * len(comparisons))(*comparisons)
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number >= 0:
                action = ctypes.c_uint32(ALLOW)
                failed = library.seccomp_rule_add_array(context, action, number, len(comparisons), array)
                count += failed == 0
    failed = library.seccomp_load(context)
    if failed:
        raise OSError(-failed, os.strerror(-failed))
    return count


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123
        load(json.load(file))
    os.execvp(sys.argv[2], sys.argv[2:])
