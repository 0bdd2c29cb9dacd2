"""Hosts: folders that a file runs in as if each were the root of a machine."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.files import BuiltFile, namespace
from support.models import ROOT

KEPT = Path(os.environ.get("ENCODERFILE_TEST_HOSTS", ROOT / ".hosts"))
"""What `make hosts` fetched: roots of distributions, packages, the seccomp profile."""


@dataclass(frozen=True)
class Host:
    """A root. Commands in it see /proc, two devices and a /tmp of their own, and nothing else of this machine."""

    root: Path
    steps: Sequence[str] = ()
    """Shell commands that come before the command; `$root` is where the root is mounted."""
    user: str | None = None
    """The user and group to run as; None for root."""
    wrapper: Sequence[str] = ()
    """A command that runs `chroot`."""
    inside: Sequence[str] = ()
    """A command of the host that runs the file."""
    path: Path = Path("/app/model")
    """Where the file lies."""
    env: Mapping[str, str] = field(default_factory=dict)
    """All variables that the file is given."""
    devices: Sequence[str] = ("null", "urandom")

    def file(self) -> BuiltFile:
        """The file in this root, run with no variable at all but those of the host."""
        return _File(self.path, Path("/tmp"), self)

    def prefix(self) -> list[str]:
        """A command prefix that runs the rest in the root."""
        steps = [
            f"root='{self.root}'",
            'mount --bind "$root" "$root"',
            'mount --rbind /proc "$root/proc"',
            'mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"',
            'mount -t tmpfs tmpfs "$root/dev"',
            *(f'touch "$root/dev/{name}" && mount --bind "/dev/{name}" "$root/dev/{name}"' for name in self.devices),
            'mount -o remount,ro "$root/dev"',
            *self.steps,
        ]
        user = [f"--userspec={self.user}"] if self.user else []
        chroot = [*self.wrapper, shutil.which("chroot") or "/usr/sbin/chroot", *user, str(self.root), *self.inside]
        if os.geteuid() == 0:  # so that there are other users
            return ["unshare", "--mount", "sh", "-ec", "\n".join([*steps, 'exec "$@"']), "sh", *chroot]
        if self.user:
            pytest.skip("only root can become another user")
        return [*namespace("mount", prepare=" && ".join(steps)), *chroot]


@dataclass(frozen=True)
class _File(BuiltFile):
    host: Host

    def environment(self, **more: str) -> dict[str, str]:
        return {**self.host.env, **more}


def furnish(root: Path, file: Path) -> Path:
    """Puts the file into the root as /app/model, and empty folders where something is mounted."""
    for name in ("proc", "dev", "tmp", "app", "srv"):
        (root / name).mkdir(parents=True, exist_ok=True)
    target = root / "app" / "model"
    target.unlink(missing_ok=True)
    shutil.copy(file, target)
    return root


def distribution(name: str, file: Path) -> Path:
    """The root of a distribution, with the file."""
    root = KEPT / name
    if not (root / "etc" / "os-release").exists():
        pytest.skip(f"there is no root of {name}: `make hosts` makes it")
    return furnish(root, file)


def seccomp() -> list[str]:
    """A command prefix that runs the rest under the seccomp profile of container engines."""
    places = (KEPT / "packages/usr/share/containers/seccomp.json", Path("/usr/share/containers/seccomp.json"))
    profile = next((path for path in places if path.exists()), None)
    if profile is None:
        pytest.skip("no seccomp profile of a container engine is here: `make hosts` fetches it")
    return [sys.executable, str(ROOT / "tests" / "support" / "seccomp.py"), str(profile)]
