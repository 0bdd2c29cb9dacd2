"""A file that carries the libraries of CUDA: when they are unpacked and loaded, and what is done with them else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoderfile import pack
from encoderfile.builder import build as builder
from encoderfile.builder.built_files import extract, upgrade
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.container_writer import Part, rewrap
from encoderfile.builder.precision import PrecisionOptions
from encoderfile.builder.runtimes import cuda_libraries as bundling
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError, EncoderfileError
from encoderfile.manifest import CUDA_LIBRARIES
from encoderfile.model.device import Device, provider_folder
from encoderfile.runtime import cuda_libraries
from support.launched import make_file
from support.refusals import one_sentence

LIBRARY = provider_folder() / "libonnxruntime_providers_shared.so"
"""A small library that needs no other."""
PACKAGE = {"name": "nvidia-cuda-runtime", "version": "13.1"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A toy file with one library of CUDA."""
    source = tmp_path / "libraries"
    source.mkdir()
    shutil.copy(LIBRARY, source / "libcudart.so.13")
    (source / "libcudnn_graph.so.9").write_bytes(b"opened by libcudnn alone")
    (source / pack.COMPONENTS_PATH).write_text(json.dumps([PACKAGE]))
    write_pack(source, tmp_path / "libraries.pack", "2.17")
    monkeypatch.setenv("ENCODERFILE_CACHE_DIR", str(tmp_path / "cache"))
    libraries = Slice.whole(tmp_path / "libraries.pack")
    return make_file(
        tmp_path,
        parts=[Part("config.json", b"{}"), Part(CUDA_LIBRARIES, slices=[libraries], length=libraries.length)],
    )


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None] | None]:
    """What `choose` was given to load the libraries with."""
    given: list[Callable[[], None] | None] = []

    def choose(wanted: str, index: int, libraries: Any = "those of the machine") -> Device:
        given.append(libraries)
        return Device(wanted, "as asked", index)

    monkeypatch.setattr(cuda_libraries, "choose", choose)
    return given


def test_they_are_unpacked_and_loaded_when_cuda_is_about_to_be_used(
    file: Path, tmp_path: Path, chosen: list[Callable[[], None]]
) -> None:
    assert cuda_libraries.device(file, "cuda", 1) == Device("cuda", "as asked", 1)
    assert not (tmp_path / "cache").exists()
    chosen[0]()
    folder = next(path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    assert str(folder / "libcudart.so.13") in Path("/proc/self/maps").read_text()


@pytest.mark.usefixtures("chosen")
def test_to_say_which_device_would_be_used_unpacks_nothing(file: Path, tmp_path: Path, chosen: list[Any]) -> None:
    cuda_libraries.device(file, "auto", 0, load_now=False)
    assert chosen == [None]
    assert not (tmp_path / "cache").exists()


def test_a_file_without_them_uses_those_of_the_machine(tmp_path: Path, chosen: list[Any]) -> None:
    cuda_libraries.device(make_file(tmp_path), "auto", 0)
    assert chosen == ["those of the machine"]


def test_where_they_cannot_be_unpacked_that_is_the_reason_against_cuda(
    file: Path, chosen: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENCODERFILE_CACHE_DIR", "/proc/nowhere")
    cuda_libraries.device(file, "cuda", 0)
    with pytest.raises(ConfigError, match=r"^the libraries of CUDA in this file cannot be unpacked$"):
        chosen[0]()


def test_their_folder_is_locked_while_the_process_lives(file: Path) -> None:
    (place,) = cuda_libraries.places(file)
    folder = cuda_libraries.folder(place)
    held = Path(f"/proc/self/fdinfo/{_descriptor_of(folder.with_name(f'{folder.name}.lock'))}").read_text()
    assert "FLOCK  ADVISORY  READ" in held


def _descriptor_of(path: Path) -> str:
    return next(each.name for each in Path("/proc/self/fd").iterdir() if each.exists() and each.samefile(path))


def test_extract_leaves_them_out_because_they_are_no_part_of_the_model(file: Path, tmp_path: Path) -> None:
    extract(file, tmp_path / "model")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["config.json"]


def test_an_upgrade_to_the_cpu_is_refused_because_they_would_stay(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        upgrade(file, None, "cpu", tmp_path / "cache", lambda _: None)
    assert one_sentence(refused.value) == (
        f"{file} carries the libraries of CUDA, which stay: build it again with --device cpu"
    )


def test_an_upgrade_to_a_provider_that_needs_others_is_refused(file: Path) -> None:
    with Container(file) as container:
        bundling.check_kept(container, ["libcudart.so.13"])
        with pytest.raises(ConfigError) as refused:
            bundling.check_kept(container, ["libcudart.so.13", "libcublas.so.14"])
    assert one_sentence(refused.value) == (
        f"{file} carries no libcublas.so.14, which this version needs: build it again"
    )


def test_the_list_of_packages_has_those_of_the_libraries_too(file: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "toy-runtime"
    (runtime / pack.SBOM_PATH).write_text(json.dumps({"components": [{"name": "python"}]}))
    write_pack(runtime, tmp_path / "described.pack", "2.17")
    with Container(file) as old:
        launcher = Slice(file, 0, old.payload_offset)
        rewrap(tmp_path / "described", old, launcher=launcher, pack=Slice.whole(tmp_path / "described.pack"))
    with Container(tmp_path / "described") as container:
        assert json.loads(pack.sbom_of(container))["components"] == [{"name": "python"}, PACKAGE]


@pytest.mark.parametrize(
    ("installed", "wanted", "says"),
    [
        (True, None, "this machine has a usable CUDA device"),
        (True, "system", None),
        (False, None, None),
    ],
)
def test_a_build_for_this_machine_needs_no_toolkit_where_the_file_will_carry_the_libraries(
    installed: bool, wanted: str | None, says: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def obstacle(index: int, libraries: Any = "those of the machine") -> str | None:
        return None if libraries is None else "libcublas.so.13 is missing"

    monkeypatch.setattr(builder, "cuda_obstacle", obstacle)
    monkeypatch.setattr(bundling, "are_installed", lambda: installed)
    config = BuildConfig(tmp_path / "nothing", precision=PrecisionOptions(quantize="int8"), cuda_libraries=wanted)
    with pytest.raises(EncoderfileError) as refused:
        builder.build(config, lambda _: None)
    assert ("this file would be for CUDA" in str(refused.value)) == (says is not None)
    assert says is None or says in str(refused.value)
