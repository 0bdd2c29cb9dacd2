"""Reading a pack and comparing it with what was unpacked: what is damaged is named."""

import os
import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from encoderfile import pack
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.container import PAGE, Slice
from encoderfile.errors import ContainerError

FILES = {
    "_internal/a-b": b"",
    "_internal/a/b": bytes(3_000_000),
    "runtime": b"#!/bin/sh\n",
    "größe": os.urandom(5000),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is frozen: files, and a link to a folder."""
    root = tmp_path / "frozen"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "runtime").chmod(0o755)
    (root / "link").symlink_to("_internal/a")
    return root


@pytest.fixture
def packed(folder: Path, tmp_path: Path) -> Slice:
    """Its pack, in the middle of a file."""
    write_pack(folder, tmp_path / "alone", "2.17")
    data = (tmp_path / "alone").read_bytes()
    path = tmp_path / "file"
    path.write_bytes(bytes(PAGE) + data + b"more")
    return Slice(path, PAGE, len(data))


def test_every_file_is_read_back(packed: Slice) -> None:
    assert {name: pack.read(packed, name) for name in FILES} == FILES
    assert pack.read(packed, "link") == b"_internal/a"


def test_the_entries_are_in_the_order_of_their_bytes(packed: Slice) -> None:
    names = [os.fsencode(entry.path) for entry in pack.entries(packed)]
    assert names == sorted(names)


def test_a_file_that_is_not_in_it_is_named(packed: Slice) -> None:
    with pytest.raises(ContainerError, match=r"holds no absent in its runtime"):
        pack.read(packed, "absent")


def test_the_same_folder_gives_the_same_bytes(folder: Path, packed: Slice, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "elsewhere", symlinks=True)
    write_pack(copy, tmp_path / "again", "2.17")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "alone").read_bytes()


def test_large_files_are_packed_without_being_held_in_memory_and_read_back(tmp_path: Path) -> None:
    root = tmp_path / "large"
    root.mkdir()
    noise = random.Random(1).randbytes(1 << 20)
    contents = {
        "shrinks": bytes(40 << 20) + noise,
        "stays": b"".join(random.Random(number).randbytes(1 << 20) for number in range(33)),
    }
    for name, data in contents.items():
        (root / name).write_bytes(data)
    place = tmp_path / "packs"
    place.mkdir()
    write_pack(root, place / "pack", "2.17")
    made = Slice.whole(place / "pack")
    pack.verify(made)
    assert {entry.path: entry.packed == entry.size for entry in pack.entries(made)} == {
        "shrinks": False,
        "stays": True,
    }
    assert all(pack.read(made, name) == data for name, data in contents.items())
    assert [path.name for path in place.iterdir()] == ["pack"]


def test_any_byte_of_header_and_index_that_is_turned_is_found(packed: Slice) -> None:
    whole = packed.path.read_bytes()
    for place in range(pack.entries(packed)[0].offset):
        damaged = bytearray(whole)
        damaged[packed.offset + place] ^= 1 << place % 8
        packed.path.write_bytes(damaged)
        with pytest.raises(ContainerError, match=r"is damaged: the checksum of its runtime differs"):
            pack.verify(packed)


def test_any_byte_behind_the_index_that_is_turned_is_found(packed: Slice) -> None:
    whole = packed.path.read_bytes()
    for place in {*range(pack.entries(packed)[0].offset, packed.length, 61), packed.length - 1}:
        damaged = bytearray(whole)
        damaged[packed.offset + place] ^= 1 << place % 8
        packed.path.write_bytes(damaged)
        with pytest.raises(ContainerError, match=r"is damaged: the checksum of its runtime differs"):
            pack.verify(packed)


@pytest.mark.parametrize("length", [0, 10, 64, 200, 5000])
def test_a_truncated_pack_is_refused(length: int, packed: Slice) -> None:
    with pytest.raises(ContainerError, match=r"is damaged"):
        pack.verify(Slice(packed.path, packed.offset, length))
    os.truncate(packed.path, packed.offset + length)
    with pytest.raises(ContainerError, match=r"is damaged"):
        pack.verify(packed)


def test_what_was_packed_is_what_is_there(packed: Slice, folder: Path) -> None:
    pack.compare(packed, folder)


def one_byte(folder: Path) -> None:
    path = folder / "_internal/a/b"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    with path.open("r+b") as file:
        file.seek(2_500_000)
        file.write(b"\1")
    os.utime(path, ns=times)


def shorter(folder: Path) -> None:
    os.truncate(folder / "_internal/a/b", 2_999_999)


def longer(folder: Path) -> None:
    os.truncate(folder / "_internal/a/b", 3_000_001)


def missing(folder: Path) -> None:
    (folder / "_internal/a/b").unlink()


def added(folder: Path) -> None:
    (folder / "_internal/a/b.py").touch()


def link_added(folder: Path) -> None:
    (folder / "_internal/a/again").symlink_to(".")


def link_turned(folder: Path) -> None:
    (folder / "link").unlink()
    (folder / "link").symlink_to("_internal")


def link_for_a_file(folder: Path) -> None:
    (folder / "runtime").rename(folder.parent / "runtime")
    (folder / "runtime").symlink_to(folder.parent / "runtime")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (one_byte, "_internal/a/b"),
        (shorter, "_internal/a/b"),
        (longer, "_internal/a/b"),
        (missing, "_internal/a/b"),
        (added, "_internal/a/b.py"),
        (link_added, "_internal/a/again"),
        (link_turned, "link"),
        (link_for_a_file, "runtime"),
    ],
)
def test_what_differs_is_named_with_the_remedy(
    change: Callable[[Path], None], name: str, packed: Slice, folder: Path
) -> None:
    change(folder)
    with pytest.raises(ContainerError) as refusal:
        pack.compare(packed, folder)
    assert str(refusal.value) == (
        f"{folder / name} differs from {packed.path}: remove {folder}, and the next start unpacks it again"
    )


def test_a_file_of_the_layout_before_this_one_can_still_be_read(tmp_path: Path) -> None:
    """Files of encoderfile 0.1.0: `upgrade` asks what their runtime was frozen for."""
    name, data = b"_internal/sbom.cdx.json", b'{"metadata": {}}' * 20
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = deflate.compress(data) + deflate.flush()
    start = 64 + 40 + len(name)
    index = struct.pack("<QQQIIII", start, len(content), len(data), 0o100644, zlib.crc32(data), len(name), 0) + name
    header = struct.pack("<8s32sII12sI", b"ENCPACK\x01", b"0" * 32, 1, len(index), b"2.17", zlib.crc32(index))
    path = tmp_path / "older"
    path.write_bytes(header + index + content)
    assert pack.read(Slice.whole(path), "_internal/sbom.cdx.json") == data
    path.write_bytes(header + index[:-1])
    with pytest.raises(ContainerError, match=r"is damaged"):
        pack.read(Slice.whole(path), "_internal/sbom.cdx.json")
