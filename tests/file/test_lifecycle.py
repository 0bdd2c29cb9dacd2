"""What can be done with a file after it was built: unpacked, extracted, upgraded, listed."""

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from encoderfile.builder.container_writer import rewrap
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.builder.runtimes.platforms import launcher, this_platform
from encoderfile.container import Container, Slice
from encoderfile.pack import read
from support.files import BuiltFile, encoderfile, namespace
from support.models import DEMO, ROOT

GOOD = ["infer", "What a wonderful film!"]


def test_a_file_unpacked_to_a_folder_needs_no_cache(sentiment: BuiltFile, tmp_path: Path) -> None:
    done = sentiment.run("unpack", tmp_path / "there")
    assert done.stdout == f"{tmp_path / 'there' / sentiment.path.name}\n"
    moved = (tmp_path / "there").rename(tmp_path / "moved") / sentiment.path.name
    alone = BuiltFile(moved, Path("/proc/nowhere"))
    assert alone.run(*GOOD).stdout == sentiment.run(*GOOD).stdout != ""


def test_a_folder_with_something_in_it_is_not_unpacked_into(sentiment: BuiltFile, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = sentiment.run("unpack", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path} is not empty: give a new folder\n"


def test_an_extracted_folder_builds_to_the_same_bytes(sentiment: BuiltFile, tmp_path: Path) -> None:
    folder, again = tmp_path / "folder", tmp_path / "again"
    assert encoderfile("extract", sentiment.path, folder).stdout == f"{folder}\n"
    assert (folder / "tokenizer.json").read_bytes() == (DEMO["sentiment"] / "tokenizer.json").read_bytes()
    done = encoderfile("build", folder, "--name", "sentiment", "-o", again)
    assert done.returncode == 0, done.stderr
    same = again.read_bytes() == sentiment.path.read_bytes()
    assert same


def test_a_damaged_file_is_not_extracted(sentiment: BuiltFile, tmp_path: Path) -> None:
    damaged = Path(shutil.copy(sentiment.path, tmp_path / "damaged"))
    with Container(damaged) as container:
        place = container.payload_offset
    data = bytearray(damaged.read_bytes())
    data[place] ^= 1
    damaged.write_bytes(data)
    done = encoderfile("extract", damaged, tmp_path / "folder")
    assert done.returncode == 1
    assert "is damaged" in done.stderr
    assert not (tmp_path / "folder").exists()


@pytest.fixture
def older(sentiment: BuiltFile, tmp_path: Path) -> Path:
    """The same payload around another runtime, as another version would have it."""
    runtime = tmp_path / "runtime"
    (runtime / "_internal").mkdir(parents=True)
    (runtime / "runtime").write_text("#!/bin/sh\nexit 3\n")
    with Container(sentiment.path) as container:
        (runtime / "_internal" / "sbom.cdx.json").write_bytes(read(container.pack, "_internal/sbom.cdx.json"))
        write_pack(runtime, tmp_path / "older.pack", "2.17")
        rewrap(
            tmp_path / "older",
            container,
            launcher=Slice.whole(launcher(this_platform())),
            pack=Slice.whole(tmp_path / "older.pack"),
        )
    return tmp_path / "older"


def test_an_upgrade_gives_the_runtime_of_this_version_and_keeps_the_payload(
    older: Path, sentiment: BuiltFile, tmp_path: Path
) -> None:
    before = older.read_bytes()
    done = encoderfile("upgrade", older, "-o", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'new'}\n"
    same = (tmp_path / "new").read_bytes() == sentiment.path.read_bytes()
    assert same
    assert older.read_bytes() == before


def test_an_upgrade_without_another_place_replaces_the_file(older: Path, sentiment: BuiltFile) -> None:
    assert encoderfile("upgrade", older).returncode == 0
    same = older.read_bytes() == sentiment.path.read_bytes()
    assert same


def test_the_list_of_parts_is_written_by_build_and_told_by_the_file(sentiment: BuiltFile, tmp_path: Path) -> None:
    listed = tmp_path / "sbom.json"
    encoderfile("build", DEMO["sentiment"], "-o", tmp_path / "file", "--sbom", listed)
    assert sentiment.run("info", "--sbom").stdout == listed.read_text()
    document = json.loads(listed.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    packages = {part["name"]: part for part in document["components"] if "version" in part}
    assert {"python", "numpy", "tokenizers", "grpcio", "mcp", "uvicorn"} <= set(packages)
    assert all(part["licenses"] for part in packages.values())


def test_every_part_of_a_file_is_there_for_a_reason(sentiment: BuiltFile) -> None:
    document = json.loads(sentiment.run("info", "--sbom").stdout)
    maker = page_maker()
    packages = set(maker.packages(document))
    reasons = maker.REASONS
    assert "glibc" in packages
    assert packages - set(reasons) == set(), (
        "give a reason in docs/make_inside.py, or leave it out of build/runtime.spec"
    )
    page = (ROOT / "docs" / "what-is-inside.md").read_text()
    assert {name for name in packages if f"- `{name}`: {reasons[name]}" not in page} == set(), "run `make docs`"


def page_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_inside", ROOT / "docs" / "make_inside.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_build_needs_no_network(sentiment: BuiltFile, tmp_path: Path) -> None:
    target = tmp_path / "file"
    done = encoderfile("build", DEMO["sentiment"], "--name", "sentiment", "-o", target, prefix=namespace("net"))
    assert done.returncode == 0, done.stderr
    same = target.read_bytes() == sentiment.path.read_bytes()
    assert same
