"""A pack whose sums are right and whose index asks for what no runtime needs: refused before anything is written."""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from encoderfile import pack
from support.launched import make_file, rewrapped, run

FILE, PROGRAM, LINK = stat.S_IFREG | 0o644, stat.S_IFREG | 0o755, stat.S_IFLNK | 0o777
SCRIPT = b"#!/bin/sh\necho ran\n"


@dataclass
class Entry:
    """An entry of an index; what is None is what fits."""

    path: bytes
    data: bytes = b"data"
    mode: int = FILE
    offset: int | None = None
    packed: int | None = None
    size: int | None = None
    length: int | None = None


def crafted(entries: list[Entry], behind: bytes = b"", count: int | None = None) -> bytes:
    """A pack of these entries in this order, sealed with the id that fits, with `behind` after the last file."""
    length = sum(pack.ENTRY.size + len(entry.path) + 1 for entry in entries)
    at, index, content = pack.HEADER.size + length, b"", b""
    for entry in entries:
        index += pack.ENTRY.pack(
            at if entry.offset is None else entry.offset,
            len(entry.data) if entry.packed is None else entry.packed,
            len(entry.data) if entry.size is None else entry.size,
            entry.mode,
            len(entry.path) if entry.length is None else entry.length,
            hashlib.sha256(entry.data).digest(),
        )
        index += entry.path + b"\0"
        at += len(entry.data)
        content += entry.data
    number = len(entries) if count is None else count
    return pack.header(number, index, "2.17") + index + content + behind


RUNTIME = Entry(b"runtime", SCRIPT, PROGRAM)

GOOD = [
    Entry(b"_internal/deep/link", b"../../data", LINK),
    Entry(b"_internal/folder", b"deep", LINK),
    Entry(b"data"),
    RUNTIME,
]

HOSTILE = {
    "absolute": [Entry(b"/etc/evil"), RUNTIME],
    "outside": [Entry(b"../evil"), RUNTIME],
    "outside from within": [Entry(b"a/../../evil"), RUNTIME],
    "itself": [Entry(b"."), RUNTIME],
    "a dot within": [Entry(b"a/./b"), RUNTIME],
    "an empty part": [Entry(b"a//b"), RUNTIME],
    "a folder's name": [Entry(b"a/"), RUNTIME],
    "no name": [Entry(b""), RUNTIME],
    "a zero byte": [Entry(b"a\0b"), RUNTIME],
    "a name no disk takes": [Entry(b"a" * 256), RUNTIME],
    "a path that is too long": [Entry(b"/".join([b"a"] * 1000)), RUNTIME],
    "twice": [Entry(b"a"), Entry(b"a"), RUNTIME],
    "out of order": [Entry(b"b"), Entry(b"a"), RUNTIME],
    "below a file": [Entry(b"a"), Entry(b"a/b"), RUNTIME],
    "below a link": [Entry(b"a", b"b", LINK), Entry(b"a/evil"), RUNTIME],
    "below a link, far from it": [Entry(b"a", b"b", LINK), Entry(b"a-b"), Entry(b"a/evil"), RUNTIME],
    "a link outside": [Entry(b"a", b"../evil", LINK), RUNTIME],
    "a link outside from within": [Entry(b"a/b", b"../../evil", LINK), RUNTIME],
    "a link up through another": [Entry(b"a/b", b"c/../../../evil", LINK), RUNTIME],
    "an absolute link": [Entry(b"a", b"/etc/passwd", LINK), RUNTIME],
    "an empty link": [Entry(b"a", b"", LINK), RUNTIME],
    "a link with a zero byte": [Entry(b"a", b"b\0c", LINK), RUNTIME],
    "setuid": [Entry(b"a", mode=FILE | stat.S_ISUID), RUNTIME],
    "for all to write": [Entry(b"a", mode=FILE | 0o666), RUNTIME],
    "a device": [Entry(b"a", mode=stat.S_IFCHR | 0o644), RUNTIME],
    "a folder": [Entry(b"a", mode=stat.S_IFDIR | 0o755), RUNTIME],
    "an offset behind the end": [Entry(b"a", offset=1 << 40), RUNTIME],
    "an offset that wraps around": [Entry(b"a", offset=(1 << 64) - 8), RUNTIME],
    "an offset inside the index": [Entry(b"a", offset=64), RUNTIME],
    "bytes of two": [Entry(b"a", packed=3), RUNTIME],
    "more bytes than there are": [Entry(b"a", packed=(1 << 64) - 1, size=(1 << 64) - 1), RUNTIME],
    "a bomb": [Entry(b"a", size=1 << 50), RUNTIME],
    "more than deflate can": [Entry(b"a", size=5000), RUNTIME],
    "smaller than packed": [Entry(b"a", size=2), RUNTIME],
    "a path longer than the index": [Entry(b"a", length=1 << 31), RUNTIME],
    "no program": [Entry(b"a")],
    "a program that cannot run": [Entry(b"runtime", SCRIPT, FILE)],
    "a link for a program": [Entry(b"a", SCRIPT, PROGRAM), Entry(b"runtime", b"a", LINK)],
    "nothing": [],
}


def start(content: bytes, folder: Path) -> tuple[int, str, str]:
    make_file(folder)
    (folder / "crafted.pack").write_bytes(content)
    result = run(rewrapped(folder, folder / "crafted.pack"), cache=folder / "cache")
    return result.returncode, result.stdout, result.stderr


def test_a_crafted_pack_without_fault_runs(tmp_path: Path) -> None:
    assert start(crafted(GOOD), tmp_path) == (0, "ran\n", "")


@pytest.mark.parametrize("case", list(HOSTILE))
def test_an_index_that_cannot_be_is_refused_before_anything_is_written(case: str, tmp_path: Path) -> None:
    code, said, error = start(crafted(HOSTILE[case]), tmp_path)
    assert (code, said) == (1, "")
    assert error.startswith("error: again: the runtime inside the file is damaged, ")
    assert error.endswith(": copy the file again\n")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("count", [0, 3, 5, 1 << 31, (1 << 32) - 1])
def test_a_wrong_number_of_entries_is_refused(count: int, tmp_path: Path) -> None:
    assert start(crafted(GOOD, count=count), tmp_path)[0] == 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("behind", [b"\1", bytes(4096), bytes(100) + b"\1"])
def test_bytes_that_belong_to_no_file_are_refused(behind: bytes, tmp_path: Path) -> None:
    assert start(crafted(GOOD, behind), tmp_path)[0] == 1


def test_one_bit_in_the_number_of_entries_does_no_harm_to_other_files(tmp_path: Path) -> None:
    """Once the runtime was unpacked in part under the id of the whole, and every good file failed after that."""
    file = make_file(tmp_path)
    good = file.read_bytes()
    damaged = bytearray(good)
    damaged[good.rindex(pack.MAGIC) + 40] ^= 1
    file.write_bytes(damaged)
    assert run(file, cache=tmp_path / "cache").stderr == (
        "error: toy: the runtime inside the file is damaged, its index does not match its id: copy the file again\n"
    )
    file.write_bytes(good)
    assert run(file, cache=tmp_path / "cache").returncode == 0
