"""Files with a toy runtime in them, a shell script: the launcher's work without freezing anything."""

import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

from encoderfile.builder import pack
from encoderfile.builder.freeze import launcher
from encoderfile.container import Container, Slice, write
from encoderfile.manifest import GraphSpec, Manifest, TokenizerSpec
from encoderfile.types import ModelType

SAYS_WHERE = '#!/bin/sh\necho "$0|$ENCODERFILE_EXECUTABLE|$*"\n'


def make_file(folder: Path, script: str = SAYS_WHERE, name: str = "toy", filler: int = 0) -> Path:
    """A whole file named `name` in `folder` whose runtime is `script`, with `filler` further small files."""
    source = folder / f"{name}-runtime"
    (source / "_internal").mkdir(parents=True)
    (source / "runtime").write_text(script)
    (source / "runtime").chmod(0o755)
    (source / "_internal" / "data.bin").write_bytes(random.Random(name).randbytes(5000) + bytes(100_000))
    (source / "_internal" / "link").symlink_to("data.bin")
    for number in range(filler):
        (source / "_internal" / f"{number}.txt").write_text(str(number) * 1000)
    packed = folder / f"{name}.pack"
    pack.write(source, packed, "2.17")
    target = folder / name
    write(
        target,
        launcher=Slice.whole(launcher()),
        pack=Slice.whole(packed),
        parts=[],
        describe=lambda artifacts: Manifest(
            name=name,
            version="1",
            model_type=ModelType.EMBEDDING,
            builder_version="0",
            graph=GraphSpec((), "last_hidden_state"),
            tokenizer=TokenizerSpec(max_length=8),
            artifacts=artifacts,
        ),
    )
    return target


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
