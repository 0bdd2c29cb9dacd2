"""Small executables of the right layout, without a runtime inside."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from encoderfile import pack
from encoderfile.builder.container_writer import Part, write
from encoderfile.container import Slice
from encoderfile.manifest import Artifact, GraphInput, GraphSpec, Manifest, TokenizerSpec


def manifest(artifacts: tuple[Artifact, ...] = (), **changes: Any) -> Manifest:
    """A manifest of a model with two labels."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "version": "1.2.3",
        "model_type": "sequence_classification",
        "builder_version": "0.0.0",
        "graph": GraphSpec(
            (GraphInput("input_ids", "int64"), GraphInput("attention_mask", "int32", 1, 16)), "logits"
        ),
        "tokenizer": TokenizerSpec(max_length=64),
        "id2label": {0: "no", 1: "yes"},
        "artifacts": artifacts,
    }
    return Manifest(**(fields | changes))


@dataclass(frozen=True)
class Made:
    """An executable and what went into it."""

    path: Path
    manifest: Manifest


def packed(content: bytes) -> bytes:
    """A pack of one file, stored, with the header that says its sum."""
    path = b"runtime"
    start = pack.HEADER.size + pack.ENTRY.size + len(path) + 1
    digest = hashlib.sha256(content).digest()
    index = pack.ENTRY.pack(start, len(content), len(content), 0o100755, len(path), digest) + path + b"\0"
    return pack.header(1, index, "2.17") + index + content


LAUNCHER, PACK = b"\x7fELF" + bytes(range(256)) * 40, packed(b"archive" * 999)
"""What stands in for the launcher and the packed runtime; neither ends on a page."""

CONTENTS = {
    "graph.onnx": b"graph" * 1000,
    "empty.json": b"",
    "tokenizer.json": b"{}",
    "weights.bin": b"\x01" * 5000 + bytes(3192) + b"\x02" * 100 + bytes(3996),
}


def make(folder: Path, **changes: Any) -> Made:
    """Writes an executable of four artifacts; `weights.bin` is copied from slices of two files on disk.

    `changes` are those of the manifest.
    """
    launcher, runtime, one, two = (folder / name for name in ("launcher", "pack", "one.bin", "two.bin"))
    launcher.write_bytes(LAUNCHER)
    runtime.write_bytes(b"skipped" + PACK)
    one.write_bytes(b"before" + b"\x01" * 5000 + b"after")
    two.write_bytes(b"\x02" * 100)
    parts = [
        Part("graph.onnx", CONTENTS["graph.onnx"]),
        Part("empty.json", b""),
        Part("tokenizer.json", CONTENTS["tokenizer.json"]),
        Part("weights.bin", slices=(Slice(one, 6, 5000), Slice(two, 0, 100, at=8192)), length=12288),
    ]
    path = folder / "model"
    written = write(
        path,
        launcher=Slice(launcher, 0, len(LAUNCHER)),
        pack=Slice(runtime, 7, len(PACK)),
        parts=parts,
        describe=partial(manifest, **changes),
    )
    return Made(path, written)


def crafted(
    folder: Path,
    parts: list[Part],
    *,
    pack: bytes = PACK,
    of: Callable[[tuple[Artifact, ...]], Manifest] = manifest,
    **changes: Any,
) -> Path:
    """A file whose sums are right and whose manifest says for its first artifact what `changes` say."""
    for name, content in (("launcher", b"\x7fELF" + bytes(4092)), ("pack", pack)):
        (folder / name).write_bytes(content)
    write(
        folder / "file",
        launcher=Slice.whole(folder / "launcher"),
        pack=Slice.whole(folder / "pack"),
        parts=parts,
        describe=lambda artifacts: of((replace(artifacts[0], **changes), *artifacts[1:])),
    )
    return folder / "file"
