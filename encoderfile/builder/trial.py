"""Runs a new file once, before it gets its name."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from encoderfile.builder.runtimes.platforms import this_platform
from encoderfile.errors import ConfigError, ModelError
from encoderfile.progress import waiting

_Done = subprocess.CompletedProcess[str]

# In namespaces of its own, where the kernel starts programs of the other processor with qemu: the launcher starts the
# runtime, so it is not enough to start the launcher with qemu. $1 is the registration, the rest is the command.
_REGISTERED = (
    "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && "
    'printf \'%s\' "$1" > /proc/sys/fs/binfmt_misc/register && shift && exec "$@"'
)
# Of 64-bit programs for Linux, with the number of the processor; see Documentation/admin-guide/binfmt-misc.rst.
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x{:02x}\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_NUMBERS = {"x86_64": 62, "aarch64": 183}


def try_out(file: Path, platform: str, say: Callable[[str], None]) -> None:
    """Runs `info` of the new file, which also compares all checksums; of another platform under qemu, if it is there.

    Raises `ModelError` when it fails, `ConfigError` when it cannot be run where it lies.
    """
    # The environment stays, CUDA_VISIBLE_DEVICES and the like included: the file must run wherever it was built.
    command = [str(file.resolve()), "info", "--json"]
    try:
        done = _run(command, "running the new file once", say)
    except OSError as error:
        if error.errno != errno.ENOEXEC or platform == this_platform():
            raise ConfigError(
                f"the new file cannot be run in {file.parent} ({error.strerror}): choose a folder that is not "
                "mounted noexec with --output-path"
            ) from error
        emulated = _emulated(command, platform, say)
        if emulated is None:
            say(f"note: the new file was not run, because this machine cannot run files for {platform}")
            return
        done = emulated
    if done.returncode != 0:
        raise ModelError(f"the new file does not run and was removed: {done.stderr.strip()[-500:]}")
    json.loads(done.stdout)


def _run(command: Sequence[str], what: str, say: Callable[[str], None]) -> _Done:
    say(what)
    with waiting(what):
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)


def _emulated(command: Sequence[str], platform: str, say: Callable[[str], None]) -> _Done | None:
    """Runs it with qemu; None where there is none, or where a user may not tell the kernel of it."""
    rule = registered(platform)
    if rule is None or shutil.which("unshare") is None:
        return None
    prefix = ["unshare", "--user", "--map-root-user", "--mount", *rule]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        return None
    return _run([*prefix, *command], f"running the new file once with qemu-{platform.partition('-')[2]}", say)


def registered(platform: str) -> list[str] | None:
    """A command prefix that runs the rest where programs for `platform` start with qemu; None without qemu.

    In a user namespace and a mount namespace of its own, the rule is for that namespace alone (Linux 6.7).
    """
    machine = platform.partition("-")[2]
    qemu = shutil.which(f"qemu-{machine}-static") or shutil.which(f"qemu-{machine}")
    if qemu is None:
        return None
    rule = f":encoderfile:M::{_MAGIC.format(_NUMBERS[machine])}:{_MASK}:{qemu}:F"
    return ["sh", "-c", _REGISTERED, "sh", rule]
