"""Runtimes from other machines: what they are taken for, where they are kept, and which are refused."""

import csv
import importlib.metadata
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

import encoderfile
from encoderfile.builder import trial
from encoderfile.builder.runtimes import packs, sources, wheel
from encoderfile.builder.runtimes.cache import Runtime
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.builder.runtimes.platforms import PLATFORMS, launcher, platform_named, this_platform
from encoderfile.container import Slice
from encoderfile.errors import ConfigError, ContainerError, ModelError
from encoderfile.pack import FACTS_PATH, read

OTHER = next(name for name in PLATFORMS if name != this_platform())


def silent(_: str) -> None:
    """Says nothing."""


def made(folder: Path, name: str = "some.pack", **facts: Any) -> Path:
    """A pack of a small runtime for the other platform, which says `facts` of itself."""
    runtime = folder / "frozen"
    (runtime / "_internal").mkdir(parents=True, exist_ok=True)
    (runtime / "runtime").write_text("#!/bin/sh\n")
    (runtime / "runtime").chmod(0o755)
    said = {
        "version": encoderfile.__version__,
        "device": "cpu",
        "machine": OTHER.partition("-")[2],
        "sources": sources.digest(),
        **facts,
    }
    (runtime / FACTS_PATH).write_text(json.dumps(said))
    write_pack(runtime, folder / name, "2.17")
    return folder / name


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("linux-x86_64", "linux-x86_64"),
        ("linux-aarch64", "linux-aarch64"),
        ("x86_64-unknown-linux-gnu", "linux-x86_64"),
        ("aarch64-unknown-linux-gnu", "linux-aarch64"),
        ("aarch64-unknown-linux-musl", "linux-aarch64"),
        ("linux/amd64", "linux-x86_64"),
        ("linux/arm64/v8", "linux-aarch64"),
        ("Linux-ARM64", "linux-aarch64"),
    ],
)
def test_a_platform_has_the_names_that_the_field_uses(text: str, name: str) -> None:
    assert platform_named(text) == name
    assert launcher(name).is_file()


@pytest.mark.parametrize(
    "text",
    ["", "linux", "aarch64-apple-darwin", "x86_64-pc-windows-msvc", "armv7-unknown-linux-gnueabihf", "riscv64"],
)
def test_another_platform_is_refused_with_the_names_of_ours(text: str) -> None:
    with pytest.raises(ConfigError, match="is not supported: choose linux-x86_64 or linux-aarch64"):
        platform_named(text)


def test_an_imported_runtime_is_found_by_platform_and_device(tmp_path: Path, cache: Path) -> None:
    kept = packs.import_pack(made(tmp_path), cache)
    assert kept.data.path == cache / f"encoderfile-runtime-{encoderfile.__version__}-{OTHER}-cpu.pack"
    found = packs.runtime(OTHER, "cpu", cache, silent)
    assert found.pack == kept.data
    assert found.launcher == Slice.whole(launcher(OTHER))
    with pytest.raises(ConfigError, match=f"no runtime for {OTHER} and cuda here|no CUDA runtime for"):
        packs.runtime(OTHER, "cuda", cache, silent)


def test_without_one_the_error_says_how_to_get_one(cache: Path) -> None:
    with pytest.raises(ConfigError, match=r"run `encoderfile runtime export` on such a machine and .*base-binary"):
        packs.runtime(OTHER, "cpu", cache, silent)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"version": "0.0.9"}, f"it is of encoderfile 0.0.9, and this is {encoderfile.__version__}"),
        ({"sources": "0123456789abcdef"}, "it was made from other sources of encoderfile"),
    ],
)
def test_a_runtime_of_another_builder_is_refused(
    facts: dict[str, str], reason: str, tmp_path: Path, cache: Path
) -> None:
    path = made(tmp_path, **facts)
    with pytest.raises(ConfigError, match=reason):
        packs.import_pack(path, cache)
    with pytest.raises(ConfigError, match=reason):
        packs.usable(packs.opened(path), OTHER, "cpu")


def test_one_that_was_imported_before_an_upgrade_is_named(tmp_path: Path, cache: Path) -> None:
    cache.mkdir()
    made(cache, f"encoderfile-runtime-0.0.9-{OTHER}-cpu.pack", version="0.0.9")
    with pytest.raises(ConfigError, match=r"runtime-0\.0\.9-.* cannot be used: it is of encoderfile 0\.0\.9"):
        packs.runtime(OTHER, "cpu", cache, silent)


def test_a_runtime_for_another_platform_or_device_is_refused(tmp_path: Path) -> None:
    pack = packs.opened(made(tmp_path))
    with pytest.raises(ConfigError, match=f"is for {OTHER} and cpu, and the file would be for {this_platform()}"):
        packs.usable(pack, this_platform(), "cpu")
    with pytest.raises(ConfigError, match=f"would be for {OTHER} and cuda: see --platform and --device"):
        packs.usable(pack, OTHER, "cuda")


def test_a_damaged_runtime_is_refused(tmp_path: Path, cache: Path) -> None:
    path = made(tmp_path)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"#!/bin/sh")
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(ContainerError, match="is damaged"):
        packs.import_pack(path, cache)
    assert not list(cache.glob("*.pack"))


@pytest.mark.parametrize("content", [b"", b"hello", b"#!/bin/sh\nexit 0\n", b"PK\x03\x04hello"], ids=str)
def test_what_is_no_runtime_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises((ConfigError, ContainerError), match=r"file (is neither a runtime|is damaged)"):
        packs.opened(tmp_path / "file")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*missing\.pack: No such file"):
        packs.opened(tmp_path / "missing.pack")


def test_another_program_is_no_built_file() -> None:
    with pytest.raises(ContainerError, match="is not a whole encoderfile"):
        packs.opened(launcher(this_platform()))


def test_a_wheel_holds_the_runtime_and_is_the_same_each_time(tmp_path: Path, cache: Path) -> None:
    pack = made(tmp_path)
    source = Runtime(Slice.whole(launcher(OTHER)), Slice.whole(pack))
    first = packs.export(source, tmp_path, as_wheel=True, say=silent)
    second = packs.export(source, tmp_path / "again.whl", as_wheel=True, say=silent)
    assert first.name == f"encoderfile_runtime_{OTHER.replace('-', '_')}-{encoderfile.__version__}-py3-none-any.whl"
    assert first.read_bytes() == second.read_bytes()
    kept = packs.import_pack(first, cache)
    assert kept.data.path.read_bytes() == pack.read_bytes()
    assert read(packs.opened(first).data, FACTS_PATH) == read(Slice.whole(pack), FACTS_PATH)


def test_a_wheel_lists_its_files_as_the_packaging_standard_asks(tmp_path: Path) -> None:
    source = Runtime(Slice.whole(launcher(OTHER)), Slice.whole(made(tmp_path)))
    path = packs.export(source, tmp_path, as_wheel=True, say=silent)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        (listed,) = [name for name in archive.namelist() if name.endswith("RECORD")]
        rows = list(csv.reader(archive.read(listed).decode().splitlines()))
        assert {row[0] for row in rows} == set(archive.namelist())
        assert all(int(size) == archive.getinfo(name).file_size for name, digest, size in rows if digest)


def test_an_installed_wheel_is_found_without_an_import(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Runtime(Slice.whole(launcher(OTHER)), Slice.whole(made(tmp_path)))
    path = packs.export(source, tmp_path, as_wheel=True, say=silent)
    with zipfile.ZipFile(path) as archive:  # which is what pip does with it
        archive.extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert importlib.metadata.version(wheel.distribution(OTHER)) == encoderfile.__version__
    found = packs.runtime(OTHER, "cpu", cache, silent)
    assert found.pack.path.is_relative_to(tmp_path / "site")


def test_a_runtime_that_other_users_could_change_is_refused(tmp_path: Path, cache: Path) -> None:
    kept = packs.import_pack(made(tmp_path), cache)
    kept.data.path.chmod(0o666)
    with pytest.raises(ConfigError, match="other users can write"):
        packs.runtime(OTHER, "cpu", cache, silent)


def test_an_imported_runtime_cannot_be_written_by_others_whatever_the_umask(tmp_path: Path, cache: Path) -> None:
    pack = made(tmp_path)
    before = os.umask(0)
    try:
        kept = packs.import_pack(pack, cache)
    finally:
        os.umask(before)
    assert kept.data.path.stat().st_mode & 0o777 == 0o644


def program(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o755)
    return path


def test_a_file_that_cannot_run_here_is_not_run_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no qemu
    said: list[str] = []
    trial.try_out(program(tmp_path / "file", "no program of this machine"), OTHER, said.append)
    assert said[-1] == f"note: the new file was not run, because this machine cannot run files for {OTHER}"


def test_one_for_this_machine_has_to_run(tmp_path: Path) -> None:
    file = program(tmp_path / "file", "no program of this machine")
    with pytest.raises(ConfigError, match=r"cannot be run in .* \(Exec format error\)"):
        trial.try_out(file, this_platform(), silent)


def test_one_for_another_machine_that_fails_under_emulation_is_refused(tmp_path: Path) -> None:
    """The kernel may start files of the other platform by itself; then a failure is a failure."""
    file = program(tmp_path / "file", "#!/bin/sh\necho no model >&2\nexit 1\n")
    with pytest.raises(ModelError, match="does not run and was removed: no model"):
        trial.try_out(file, OTHER, silent)
