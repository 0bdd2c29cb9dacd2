"""Files with a toy runtime in them, a shell script: the launcher's work without freezing anything."""

import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from encoderfile.builder.container_writer import Part, rewrap, write
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.builder.runtimes.platforms import launcher, this_platform
from encoderfile.container import Container, Slice
from encoderfile.manifest import GraphSpec, Manifest, TokenizerSpec

SAYS_WHERE = '#!/bin/sh\necho "$0|$ENCODERFILE_EXECUTABLE|$*"\n'


def make_file(
    folder: Path, script: str = SAYS_WHERE, name: str = "toy", filler: int = 0, parts: Sequence[Part] = ()
) -> Path:
    """A whole file named `name` in `folder` whose runtime is `script`, with `filler` further small files.

    `parts` are its payload.
    """
    source = folder / f"{name}-runtime"
    (source / "_internal").mkdir(parents=True)
    (source / "runtime").write_text(script)
    (source / "runtime").chmod(0o755)
    (source / "_internal" / "data.bin").write_bytes(random.Random(name).randbytes(5000) + bytes(100_000))
    (source / "_internal" / "link").symlink_to("data.bin")
    for number in range(filler):
        (source / "_internal" / f"{number}.txt").write_text(str(number) * 1000)
    packed = folder / f"{name}.pack"
    write_pack(source, packed, "2.17")
    target = folder / name
    write(
        target,
        launcher=Slice.whole(launcher(this_platform())),
        pack=Slice.whole(packed),
        parts=parts,
        describe=lambda artifacts: Manifest(
            name=name,
            version="1",
            model_type="embedding",
            builder_version="0",
            graph=GraphSpec((), "last_hidden_state"),
            tokenizer=TokenizerSpec(max_length=8),
            artifacts=artifacts,
        ),
    )
    return target


def repacked(folder: Path, source: Path) -> Path:
    """The toy file of `folder` again, after `source`, its runtime's folder, was changed."""
    write_pack(source, folder / "again.pack", "2.17")
    return rewrapped(folder, folder / "again.pack")


def rewrapped(folder: Path, packed: Path) -> Path:
    """The toy file of `folder` with another pack in it."""
    with Container(folder / "toy") as old:
        rewrap(folder / "again", old, launcher=Slice.whole(launcher(this_platform())), pack=Slice.whole(packed))
    return folder / "again"


def identity(file: Path) -> str:
    """The name of the folder that the file's runtime is unpacked into."""
    with Container(file) as container, file.open("rb") as source:
        source.seek(container.pack.offset + 8)
        return source.read(32).decode()


def as_user(number: int) -> tuple[str, ...]:
    """A command prefix that runs the rest as that user, with no group but his own."""
    return ("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups")


def run(
    file: Path,
    *arguments: str,
    cache: Path | None = None,
    env: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
) -> "subprocess.CompletedProcess[str]":
    """Runs the file with nothing in its environment but the cache folder and `env`."""
    environment = dict(env or {})
    if cache is not None:
        environment["ENCODERFILE_CACHE_DIR"] = str(cache)
    return subprocess.run(
        [*prefix, str(file), *arguments], capture_output=True, text=True, env=environment, check=False, timeout=60
    )


def read_only(folder: Path) -> tuple[str, ...]:
    return in_namespace(f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}"')


def in_namespace(prepare: str) -> tuple[str, ...]:
    """A command prefix that runs the rest in mounts of its own; skips where the machine allows none."""
    command = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{prepare} && exec "$@"', "sh")
    if sys.platform != "linux" or shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no mounts in a namespace")
    return command
