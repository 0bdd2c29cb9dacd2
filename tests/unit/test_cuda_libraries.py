"""Which libraries of CUDA a file carries: those that the provider needs, by what they say of themselves."""

import json
import os
import sys
from pathlib import Path

import pytest

from encoderfile import pack
from encoderfile.builder.container_writer import Part
from encoderfile.builder.runtimes import cuda_libraries
from encoderfile.builder.runtimes.elf import needed
from encoderfile.container import Slice
from encoderfile.errors import ConfigError
from support.elf_files import library
from support.refusals import one_sentence

ROOTS = ["libcublas.so.13", "libcudart.so.13"]
WHEELS: dict[str, dict[str, bytes]] = {
    "nvidia-cublas": {
        "libcublas.so.13": library(["libcublasLt.so.13", "libc.so.6"]),
        "libcublasLt.so.13": library(["libc.so.6"], b"opens libnvrtc.so.13 when it must"),
        "libnvblas.so.13": library(["libcublas.so.13"]),
    },
    "nvidia-cuda-runtime": {"libcudart.so.13": library()},
    "nvidia-cuda-nvrtc": {
        "libnvrtc.so.13": library(content=b"libnvrtc-builtins.so.%d.%d"),
        "libnvrtc-builtins.so.13.5": library(),
    },
    "nvidia-cudnn-cu13": {
        "libcudnn.so.9": library(content=b"libcudnn_graph.so\0"),
        "libcudnn_graph.so.9": library(["libz.so.1"], b"libnvrtc.so.%d libcuda.so.1 libnvJitLink.so"),
    },
    "nvidia-nvjitlink": {"libnvJitLink.so.13": library()},
    "nvidia-cufft": {"libcufft.so.12": library(content=b"libnvJitLink.so.13 libcudart.so")},
}
CUDA = {
    "libcublas.so.13",
    "libcublasLt.so.13",
    "libcudart.so.13",
    "libnvrtc.so.13",
    "libnvrtc-builtins.so.13.5",
    "libcudnn.so.9",
    "libcudnn_graph.so.9",
    "libnvJitLink.so.13",
}


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """NVIDIA's wheels, installed, and no others of theirs."""
    site = tmp_path / "site"
    for name, files in WHEELS.items():
        folder = site / "nvidia" / name / "lib"
        folder.mkdir(parents=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        record = site / f"{name.replace('-', '_')}-13.1.dist-info"
        record.mkdir()
        (record / "METADATA").write_text(
            f"Metadata-Version: 2.4\nName: {name}\nVersion: 13.1\nLicense-Expression: LicenseRef-NVIDIA\n"
        )
        (record / "RECORD").write_text("".join(f"nvidia/{name}/lib/{file},,\n" for file in files))
    others = [entry for entry in sys.path if not (Path(entry) / "nvidia").exists()]
    monkeypatch.setattr(sys, "path", [str(site), *others])
    return site


def made(cache: Path, *op_types: str) -> dict[str, Part]:
    said: list[str] = []
    return {part.name: part for part in cuda_libraries.parts(ROOTS, op_types, cache, said.append)}


def names(part: Part) -> set[str]:
    return {entry.path for entry in pack.entries(part.slices[0])} - {pack.COMPONENTS_PATH}


def test_a_library_says_what_it_needs() -> None:
    assert needed(library(["libone.so", "libtwo.so.2"])) == ["libone.so", "libtwo.so.2"]
    assert needed(library()) == []


@pytest.mark.usefixtures("wheels")
def test_what_the_provider_needs_and_what_that_opens_by_name_is_packed(tmp_path: Path) -> None:
    parts = made(tmp_path, "MatMul", "Softmax")
    assert list(parts) == ["cuda-libraries.pack"]
    assert names(parts["cuda-libraries.pack"]) == CUDA
    content = pack.read(parts["cuda-libraries.pack"].slices[0], "libcublas.so.13")
    assert content == WHEELS["nvidia-cublas"]["libcublas.so.13"]


@pytest.mark.usefixtures("wheels")
def test_a_graph_with_a_fourier_transform_gets_cufft(tmp_path: Path) -> None:
    parts = made(tmp_path, "Rfft")
    assert list(parts) == ["cuda-libraries.pack", "cufft-libraries.pack"]
    assert names(parts["cufft-libraries.pack"]) == {"libcufft.so.12"}


@pytest.mark.usefixtures("wheels")
def test_each_pack_lists_its_packages_with_version_and_licence(tmp_path: Path) -> None:
    part = made(tmp_path, "MatMul")["cuda-libraries.pack"]
    components = json.loads(pack.read(part.slices[0], pack.COMPONENTS_PATH))
    assert [(each["name"], each["version"]) for each in components] == [
        ("nvidia-cublas", "13.1"),
        ("nvidia-cuda-nvrtc", "13.1"),
        ("nvidia-cuda-runtime", "13.1"),
        ("nvidia-cudnn-cu13", "13.1"),
        ("nvidia-nvjitlink", "13.1"),
    ]
    assert all(each["licenses"] == [{"expression": "LicenseRef-NVIDIA"}] for each in components)


def test_a_pack_is_made_once_and_again_when_a_library_changes_or_it_is_damaged(wheels: Path, tmp_path: Path) -> None:
    first = made(tmp_path, "MatMul")["cuda-libraries.pack"].slices[0].path
    made_at = first.stat().st_ino
    assert made(tmp_path, "MatMul")["cuda-libraries.pack"].slices[0].path.stat().st_ino == made_at
    data = bytearray(first.read_bytes())
    data[pack.entries(whole(first))[0].offset] ^= 1
    first.write_bytes(data)
    again = made(tmp_path, "MatMul")["cuda-libraries.pack"].slices[0].path
    assert again == first
    pack.verify(whole(again))
    changed = wheels / "nvidia" / "nvidia-cublas" / "lib" / "libcublas.so.13"
    changed.write_bytes(library(["libcublasLt.so.13"], b"newer"))
    os.utime(changed, (1, 1))
    assert made(tmp_path, "MatMul")["cuda-libraries.pack"].slices[0].path != first


def whole(path: Path) -> Slice:
    return Slice.whole(path)


def test_a_library_that_is_not_installed_is_named_with_the_command_that_installs_it(
    wheels: Path, tmp_path: Path
) -> None:
    (wheels / "nvidia_cudnn_cu13-13.1.dist-info" / "RECORD").write_text("")
    with pytest.raises(ConfigError) as refused:
        made(tmp_path, "Conv")
    sentence = one_sentence(refused.value)
    assert sentence.startswith(
        "--device cuda puts the libraries of CUDA into the file and needs libcudnn.so.9, which is not installed: "
    )
    assert "[cuda]" in sentence
    assert "--cuda-libraries system" in sentence


def test_without_any_of_the_wheels_a_build_ends_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ConfigError, match=r"needs NVIDIA's libraries, which are not installed: run `.*\[cuda\]"):
        cuda_libraries.require_installed()
