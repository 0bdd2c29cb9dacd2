"""The layout of the executable: what is written is found again, where it should lie."""

import hashlib
import stat
from pathlib import Path

import pytest

from encoderfile.builder.container_writer import Part, write
from encoderfile.container import ALIGNMENT, Container, Slice
from encoderfile.errors import ContainerError
from support.payload import CONTENTS, LAUNCHER, PACK, Made, make, manifest


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


@pytest.mark.parametrize("name", CONTENTS)
def test_an_artifact_comes_back_as_it_went_in(made: Made, name: str) -> None:
    with Container(made.path) as container:
        assert container.read(name) == CONTENTS[name]


def test_the_manifest_comes_back_as_it_went_in(made: Made) -> None:
    with Container(made.path) as container:
        assert container.manifest == made.manifest


@pytest.mark.parametrize("name", CONTENTS)
def test_every_artifact_begins_on_a_page_of_any_kernel_and_has_its_checksum(made: Made, name: str) -> None:
    artifact = made.manifest.artifact(name)
    assert artifact is not None
    with Container(made.path) as container:
        place = container.slice_of(artifact)
    assert place.offset % ALIGNMENT == 0
    assert artifact.sha256 == hashlib.sha256(CONTENTS[name]).hexdigest()
    assert made.path.read_bytes()[place.offset : place.offset + place.length] == CONTENTS[name]


def test_the_launcher_comes_first_and_the_runtime_ends_before_the_footer(made: Made) -> None:
    data = made.path.read_bytes()
    assert data.startswith(LAUNCHER)
    footer = data.rindex(b"ENCFILE\x01")
    assert data[:footer].endswith(PACK)
    assert len(data) - footer == 88


def test_the_manifest_and_the_runtime_begin_on_a_page_of_any_kernel(made: Made) -> None:
    with Container(made.path) as container:
        assert container.manifest_offset % ALIGNMENT == 0
    assert made.path.read_bytes().index(PACK) % ALIGNMENT == 0


def test_the_file_may_be_executed_by_everyone(made: Made) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o755


def test_a_whole_file_passes_its_own_check(made: Made) -> None:
    with Container(made.path) as container:
        container.verify()


def test_a_mapped_artifact_outlives_the_open_file(made: Made) -> None:
    with Container(made.path) as container:
        mapped = container.map("weights.bin")
    assert mapped is not None
    assert mapped[:] == CONTENTS["weights.bin"]


@pytest.mark.parametrize("name", ["empty.json", "unheard-of"])
def test_nothing_is_mapped_where_there_is_nothing(made: Made, name: str) -> None:
    with Container(made.path) as container:
        assert container.map(name) is None


def test_an_artifact_that_is_not_there_is_named(made: Made) -> None:
    with Container(made.path) as container, pytest.raises(ContainerError, match=r"holds no unheard-of"):
        container.read("unheard-of")


def test_the_same_parts_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    assert make(tmp_path / "first").path.read_bytes() == make(tmp_path / "second").path.read_bytes()


def test_a_source_that_shrinks_while_it_is_read_is_named(tmp_path: Path) -> None:
    short = tmp_path / "weights"
    short.write_bytes(b"x" * 10)
    with pytest.raises(ContainerError, match=r"weights became shorter while it was read"):
        write(
            tmp_path / "model",
            launcher=Slice(short, 0, 10),
            pack=Slice(short, 0, 10),
            parts=[Part("weights.bin", slices=(Slice(short, 0, 11),), length=11)],
            describe=manifest,
        )
