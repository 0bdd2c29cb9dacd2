"""A file that is cut, damaged, foreign or newer says so in one sentence with its name."""

import struct
from pathlib import Path

import pytest

from encoderfile import pack
from encoderfile.container import Container
from encoderfile.errors import ContainerError
from support.payload import CONTENTS, PACK, Made, make


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("where", ["first", "last"])
@pytest.mark.parametrize("name", [name for name, content in CONTENTS.items() if content])
def test_one_flipped_bit_names_the_artifact(made: Made, name: str, where: str) -> None:
    artifact = made.manifest.artifact(name)
    assert artifact is not None
    with Container(made.path) as container:
        place = container.slice_of(artifact)
    flip(made.path, place.offset if where == "first" else place.offset + place.length - 1)
    with Container(made.path) as container, pytest.raises(ContainerError) as refusal:
        container.verify()
    assert str(refusal.value) == (
        f"{made.path} is damaged: the sha256 of {name} differs from the manifest; "
        "copy the file again or build it again"
    )


def test_one_flipped_bit_in_the_manifest_is_found_at_once(made: Made) -> None:
    with Container(made.path) as container:
        offset = container.manifest_offset
    flip(made.path, offset + 10)
    with pytest.raises(ContainerError, match=r"is damaged: the checksum of its manifest differs"):
        Container(made.path)


@pytest.mark.parametrize("left", [0, 1, 4096, -1, -50, -80, -4096])
def test_a_truncated_file_is_refused_with_its_name(made: Made, left: int) -> None:
    made.path.write_bytes(made.path.read_bytes()[:left])
    with pytest.raises(ContainerError) as refusal:
        Container(made.path)
    assert str(refusal.value) == (
        f"{made.path} is not a whole encoderfile: its end is missing; copy the file again or build it again"
    )


def test_bytes_missing_from_the_middle_are_counted(made: Made) -> None:
    data = made.path.read_bytes()
    made.path.write_bytes(data[:5000] + data[6000:])
    with pytest.raises(ContainerError) as refusal:
        Container(made.path)
    assert f"has {len(data) - 1000} bytes and should have {len(data)}" in str(refusal.value)


def test_another_program_is_not_an_encoderfile(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF" + bytes(10_000))
    with pytest.raises(ContainerError, match=r"program is not a whole encoderfile"):
        Container(program)


def test_a_file_of_encoderfile_07_is_told_from_damage(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"\x7fELF" + bytes(10_000) + struct.pack("<8sIQQI", b"ENCFILE\0", 1, 5000, 100, 1))
    with pytest.raises(ContainerError, match=r"old was made by encoderfile 0\.7 or older: build it again"):
        Container(old)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match=r"cannot read .*absent: No such file"):
        Container(tmp_path / "absent")


def test_a_folder_is_not_an_encoderfile(tmp_path: Path) -> None:
    with pytest.raises(ContainerError, match=r"cannot read .*: Is a directory"):
        Container(tmp_path)


def test_the_layout_of_a_newer_version_is_told_from_damage(made: Made) -> None:
    data = made.path.read_bytes()
    made.path.write_bytes(data.replace(b"ENCFILE\x01", b"ENCFILE\x02"))
    with pytest.raises(ContainerError, match=r"was made by another version of encoderfile: build it again"):
        Container(made.path)


def test_a_footer_that_points_behind_the_end_is_refused(made: Made) -> None:
    data = bytearray(made.path.read_bytes())
    struct.pack_into("<Q", data, bytes(data).rindex(b"ENCFILE\x01") + 16, len(data))
    made.path.write_bytes(data)
    with pytest.raises(ContainerError, match=r"copy the file again"):
        Container(made.path)


def test_one_flipped_bit_in_the_runtime_is_found(made: Made) -> None:
    flip(made.path, made.path.read_bytes().index(PACK) + len(PACK) - 1)
    with Container(made.path) as container:
        container.verify()
        with pytest.raises(
            ContainerError, match=r"damaged: the checksum of its runtime differs; copy the file again"
        ):
            pack.verify(container.pack)


@pytest.mark.parametrize("byte", range(88))
def test_one_flipped_bit_anywhere_in_the_footer_is_found(made: Made, byte: int) -> None:
    flip(made.path, made.path.stat().st_size - 88 + byte)
    with pytest.raises(ContainerError):
        check_everything(made.path)


def check_everything(path: Path) -> None:
    with Container(path) as container:
        container.verify()
        pack.verify(container.pack)


def test_no_file_stays_open_after_a_refusal(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"nothing")
    before = len(list(folder.iterdir()))
    with pytest.raises(ContainerError):
        Container(foreign)
    assert len(list(folder.iterdir())) == before
