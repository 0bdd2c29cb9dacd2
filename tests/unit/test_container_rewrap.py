"""The same payload between another launcher and another runtime."""

from pathlib import Path

import pytest

from encoderfile import pack
from encoderfile.builder.container_writer import copy_out, rewrap
from encoderfile.container import ALIGNMENT, Container, Slice
from support.payload import CONTENTS, Made, make, packed


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)


@pytest.fixture(params=[1, 4096, 20_000], ids=["shorter", "a page", "longer"])
def rewrapped(made: Made, request: pytest.FixtureRequest) -> Path:
    folder = made.path.parent
    (folder / "new-launcher").write_bytes(b"L" * request.param)
    (folder / "new-pack").write_bytes(packed(b"newer" * 500))
    target = folder / "upgraded"
    with Container(made.path) as container:
        rewrap(
            target, container, launcher=Slice.whole(folder / "new-launcher"), pack=Slice.whole(folder / "new-pack")
        )
    return target


def test_the_payload_is_the_same_to_the_byte(made: Made, rewrapped: Path) -> None:
    with Container(made.path) as before, Container(rewrapped) as after:
        assert after.manifest == before.manifest
        assert {name: after.read(name) for name in CONTENTS} == CONTENTS
        after.verify()


def test_the_payload_still_begins_on_a_page_of_any_kernel(rewrapped: Path) -> None:
    with Container(rewrapped) as after:
        assert after.payload_offset % ALIGNMENT == 0
        assert all(after.slice_of(artifact).offset % ALIGNMENT == 0 for artifact in after.manifest.artifacts)
        mapped = after.map("weights.bin")
    assert mapped is not None
    assert mapped[:] == CONTENTS["weights.bin"]


def test_launcher_and_runtime_are_the_new_ones(rewrapped: Path) -> None:
    assert rewrapped.read_bytes().startswith(b"L")
    with Container(rewrapped) as after:
        pack.verify(after.pack)
        start = after.pack.offset
    assert rewrapped.read_bytes()[start : start + after.pack.length] == packed(b"newer" * 500)


def test_wrapping_twice_gives_the_same_bytes(made: Made, rewrapped: Path) -> None:
    folder = made.path.parent
    with Container(rewrapped) as container:
        rewrap(
            folder / "again",
            container,
            launcher=Slice.whole(folder / "new-launcher"),
            pack=Slice.whole(folder / "new-pack"),
        )
    assert (folder / "again").read_bytes() == rewrapped.read_bytes()


def test_a_part_is_copied_out_as_a_file_of_its_own(made: Made) -> None:
    target = made.path.parent / "weights"
    with Container(made.path) as container:
        artifact = container.manifest.artifact("weights.bin")
        assert artifact is not None
        copy_out(container.slice_of(artifact), target)
    assert target.read_bytes() == CONTENTS["weights.bin"]
