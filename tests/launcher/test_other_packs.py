"""Libraries that a file keeps beside its runtime: the launcher unpacks them when the runtime asks, and only then."""

import subprocess
from pathlib import Path

import pytest

from encoderfile.builder.container_writer import Part
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.container import Container, Slice
from support.launched import identity, make_file, read_only, run

NAME = "libraries.pack"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A toy file with one other pack."""
    source = tmp_path / "libraries"
    source.mkdir()
    (source / "libone.so").write_bytes(b"one" * 10_000)
    (source / "libtwo.so").write_bytes(b"two" * 10_000)
    write_pack(source, tmp_path / NAME, "2.17")
    pack = Slice.whole(tmp_path / NAME)
    return make_file(tmp_path, parts=[Part("small", b"small"), Part(NAME, slices=[pack], length=pack.length)])


def place(file: Path) -> Slice:
    with Container(file) as container:
        artifact = container.manifest.artifact(NAME)
        assert artifact is not None
        return container.slice_of(artifact)


def asked(file: Path) -> dict[str, str]:
    where = place(file)
    return {"ENCODERFILE_UNPACK": f"{where.offset}:{where.length}"}


def unpack(file: Path, cache: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return run(file, "ignored", cache=cache, env=environment or asked(file))


def test_they_are_unpacked_when_they_are_asked_for_and_their_folder_is_printed(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    done = unpack(file, cache)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.removesuffix("\n"))
    assert sorted(path.name for path in folder.iterdir()) == ["libone.so", "libtwo.so"]
    assert (folder / "libtwo.so").read_bytes() == b"two" * 10_000
    assert folder.parent == cache
    assert (cache / f"{folder.name}.lock").exists()
    assert not (cache / identity(file)).exists()


def test_a_second_time_takes_what_is_there_and_mends_what_was_changed(file: Path, tmp_path: Path) -> None:
    folder = Path(unpack(file, tmp_path / "cache").stdout.strip())
    before = folder.stat().st_ino
    assert Path(unpack(file, tmp_path / "cache").stdout.strip()).stat().st_ino == before
    (folder / "libone.so").write_bytes(b"changed")
    assert unpack(file, tmp_path / "cache").returncode == 0
    assert (folder / "libone.so").read_bytes() == b"one" * 10_000


def test_a_usual_start_unpacks_the_runtime_alone(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert run(file, cache=cache).returncode == 0
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == [identity(file)]


@pytest.mark.parametrize(
    "given", ["", "x", "0:100", "1:2", "65536", "65536:1:2", "-65536:10", "65536:99999999999999"]
)
def test_what_is_no_part_of_the_payload_is_refused(file: Path, tmp_path: Path, given: str) -> None:
    done = unpack(file, tmp_path / "cache", {"ENCODERFILE_UNPACK": given})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "error: toy: ENCODERFILE_UNPACK does not name a part of the file: unset it\n"


def test_a_part_that_is_no_pack_is_refused(file: Path, tmp_path: Path) -> None:
    with Container(file) as container:
        start = container.payload_offset
    done = unpack(file, tmp_path / "cache", {"ENCODERFILE_UNPACK": f"{start}:5"})
    assert done.stderr == (
        "error: toy: a pack of libraries inside the file is damaged, it is too short: copy the file again\n"
    )


def test_damaged_libraries_are_never_left_in_the_cache(file: Path, tmp_path: Path) -> None:
    data = bytearray(file.read_bytes())
    data[data.index(b"libtwo.so\0", place(file).offset) + len(b"libtwo.so\0") + 4] ^= 1
    file.write_bytes(data)
    done = unpack(file, tmp_path / "cache")
    assert done.returncode == 1
    assert done.stderr.startswith("error: toy: a pack of libraries inside the file is damaged")
    assert [path for path in (tmp_path / "cache").glob("*") if path.suffix != ".lock"] == []


def test_without_a_folder_to_write_to_the_message_names_what_could_not_be_unpacked(
    file: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    done = run(file, cache=cache, env=asked(file), prefix=read_only(cache))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: toy: a pack of libraries cannot be unpacked into any of {cache} (")
