"""What zlib compresses, the launcher decompresses: every block type, every length; and damaged data."""

import random
import re
import zlib
from pathlib import Path

import pytest

from encoderfile.container import Slice
from encoderfile.pack import read
from support.launched import identity, make_file, repacked, run


def contents() -> dict[str, bytes]:
    rng = random.Random(7)
    words = [bytes(rng.choices(range(256), k=rng.randint(1, 12))) for _ in range(300)]
    return {
        "empty": b"",
        "one": b"x",
        "zeros": bytes(1_000_000),
        "noise": rng.randbytes(200_000),
        "words": b"".join(rng.choices(words, k=60_000)),
        "text": Path(__file__).read_bytes() * 40,
        "runs": b"".join(bytes([rng.randrange(4)]) * rng.randint(1, 300) for _ in range(5_000)),
        "far": rng.randbytes(32_000) * 3,
    }


@pytest.mark.parametrize("name", list(contents()))
def test_what_zlib_deflates_comes_out_of_the_launcher_as_it_was(name: str, tmp_path: Path) -> None:
    file = make_file(tmp_path)
    source = tmp_path / "toy-runtime"
    (source / "_internal" / name).write_bytes(contents()[name])
    file = repacked(tmp_path, source)
    assert run(file, cache=tmp_path / "cache").returncode == 0
    unpacked = tmp_path / "cache" / identity(file) / "_internal" / name
    assert unpacked.read_bytes() == contents()[name]


@pytest.mark.parametrize("strategy", [zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY])
@pytest.mark.parametrize("level", [1, 6, 9])
def test_every_form_of_block_is_understood(
    level: int, strategy: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda *_: real(level, zlib.DEFLATED, -15, 9, strategy))
    file = make_file(tmp_path)
    source = tmp_path / "toy-runtime"
    for name in ("words", "text", "runs", "zeros"):
        (source / "_internal" / name).write_bytes(contents()[name])
    file = repacked(tmp_path, source)
    assert run(file, cache=tmp_path / "cache").returncode == 0
    for name in ("words", "text", "runs", "zeros"):
        assert (tmp_path / "cache" / identity(file) / "_internal" / name).read_bytes() == contents()[name]


def test_a_flipped_byte_in_the_runtime_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    file = make_file(tmp_path, filler=20)
    data = bytearray(file.read_bytes())
    start = data.rindex(b"ENCPACK\x02") + 64
    end = len(data[: data.rindex(b"ENCFILE\x01")].rstrip(b"\0"))
    rng = random.Random(3)
    for place in [start, start + 60, *rng.sample(range(start, end), 30)]:
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        other = tmp_path / "damaged"
        other.write_bytes(damaged)
        other.chmod(0o755)
        result = run(other, cache=tmp_path / "cache")
        assert result.returncode == 1
        assert re.fullmatch(
            r"error: damaged: the runtime inside the file is damaged(, .*)?: copy the file again\n", result.stderr
        )
        assert [path for path in (tmp_path / "cache").glob("*") if path.suffix != ".lock"] == []


def test_the_builder_reads_a_file_back_out_of_a_pack(tmp_path: Path) -> None:
    make_file(tmp_path)
    packed = Slice.whole(tmp_path / "toy.pack")
    assert read(packed, "runtime") == (tmp_path / "toy-runtime" / "runtime").read_bytes()
    data = (tmp_path / "toy-runtime" / "_internal" / "data.bin").read_bytes()
    assert read(packed, "_internal/data.bin") == data
