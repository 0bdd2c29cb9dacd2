"""Freezing again is for changes of what is frozen, and for nothing else."""

import hashlib
import importlib
import importlib.metadata
import json
import os
import sysconfig
from pathlib import Path
from typing import BinaryIO

import pytest

from encoderfile.builder.runtimes import freeze_record


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages beside the real one, with two of them."""
    site = tmp_path / "site"
    (site / "shipped").mkdir(parents=True)
    (site / "shipped" / "__init__.py").write_text("one = 1\n")
    (site / "shipped" / "more.py").write_text("two = 2\n")
    install(site, "shipped", "1.0")
    monkeypatch.syspath_prepend(site)
    return site


def install(site: Path, name: str, version: str) -> None:
    """What pip leaves behind beside a package."""
    for old in site.glob(f"{name}-*.dist-info"):
        (old / "METADATA").unlink()
        old.rmdir()
    (site / f"{name}-{version}.dist-info").mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (site / f"{name}-{version}.dist-info" / "METADATA").write_text(metadata)
    importlib.invalidate_caches()


@pytest.fixture
def record(site: Path) -> freeze_record.Json:
    files = [str(path) for path in site.rglob("*.py")]
    modules = ["shipped", "optional_one", "shipped.absent", "json"]
    made: freeze_record.Json = json.loads(json.dumps(freeze_record.record(files, modules, {"shipped": "1.0"})))
    return made


def changes(record: freeze_record.Json) -> list[str]:
    return list(freeze_record.changes(record))


def test_nothing_changed(record: freeze_record.Json) -> None:
    assert changes(record) == []


def test_another_package_that_is_installed_changes_nothing(record: freeze_record.Json, site: Path) -> None:
    (site / "another.py").write_text("")
    install(site, "another", "3.0")
    assert changes(record) == []


def test_a_file_that_was_written_again_with_the_same_bytes_is_the_same(
    record: freeze_record.Json, site: Path
) -> None:
    file = site / "shipped" / "more.py"
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content)
    os.utime(file, (1, 1))
    assert changes(record) == []
    assert record["seen"][str(file)] == [len(content), 1_000_000_000, file.stat().st_ctime_ns]


def test_a_file_that_was_seen_is_not_read_again(record: freeze_record.Json, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(file: BinaryIO, _: str) -> None:
        raise AssertionError(f"{file.name} was read")

    monkeypatch.setattr(hashlib, "file_digest", read)
    assert changes(record) == []


def test_another_version_of_a_shipped_package(record: freeze_record.Json, site: Path) -> None:
    install(site, "shipped", "1.1")
    assert changes(record) == ["shipped 1.0 is now 1.1"]


@pytest.mark.parametrize("content", ["two = 3\n", "two = 22\n", None], ids=["same size", "another size", "gone"])
def test_another_content_of_a_shipped_file(record: freeze_record.Json, site: Path, content: str | None) -> None:
    file = site / "shipped" / "more.py"
    file.unlink()
    if content is not None:
        file.write_text(content)
    assert changes(record) == [f"{file} changed"]


def test_a_module_that_was_missing_and_is_there_now(record: freeze_record.Json, site: Path) -> None:
    (site / "optional_one.py").write_text("")
    importlib.invalidate_caches()
    (change,) = changes(record)
    assert change.startswith("the module optional_one, which was not there, is now ")


def test_a_module_inside_of_a_package_that_was_missing_and_is_there_now(
    record: freeze_record.Json, site: Path
) -> None:
    (site / "shipped" / "absent.py").write_text("")
    importlib.invalidate_caches()
    assert changes(record)[0].startswith("the module shipped.absent, which was not there, is now ")


def test_a_module_that_hides_a_shipped_one(
    record: freeze_record.Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "json.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "first")
    assert changes(record)[0].startswith("the module json, which was stdlib:json/__init__.py, is now ")


def test_names_are_the_same_in_every_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    numpy = importlib.import_module("numpy")
    made = freeze_record.record([str(numpy.__file__)], ["numpy"], {"numpy": importlib.metadata.version("numpy")})
    (name,) = made["files"]
    assert name == "purelib:numpy/__init__.py"
    assert made["modules"] == {"numpy": name}
    # The same package in another place.
    elsewhere = tmp_path / "site-packages"
    (elsewhere / "numpy").mkdir(parents=True)
    (elsewhere / "numpy" / "__init__.py").write_bytes(Path(str(numpy.__file__)).read_bytes())
    real = sysconfig.get_path
    monkeypatch.setattr(
        sysconfig, "get_path", lambda kind: str(elsewhere) if kind in ("purelib", "platlib") else real(kind)
    )
    monkeypatch.setattr("sys.path", [str(elsewhere)])
    made["versions"] = {}
    assert changes(made) == []
