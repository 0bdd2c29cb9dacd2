"""Which frozen runtime of the cache folder is used again."""

import json
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import encoderfile
from encoderfile.builder.runtimes import cache as runtime_cache
from encoderfile.builder.runtimes import freeze, freeze_record
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.errors import ConfigError


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for PyInstaller; lists what was frozen for which reason."""
    said: list[str] = []

    def freeze_one(device: str, work: Path, expected: float) -> tuple[Path, Any]:
        pack = kept(work, "runtime", "new")
        return pack, json.loads(pack.with_suffix(runtime_cache.RECORD_SUFFIX).read_bytes())

    monkeypatch.setattr(freeze, "freeze", freeze_one)
    return said


def kept(cache: Path, stem: str, name: str, **record: Any) -> Path:
    """A pack in the cache with the record of one file, its own."""
    packed = cache / f"{stem}-{name}.pack"
    (cache / name).mkdir()
    (cache / name / "file").write_text(name)
    write_pack(cache / name, packed, "2.17")
    body = freeze_record.record([str(packed)], ["json"], {}) | record
    packed.with_suffix(runtime_cache.RECORD_SUFFIX).write_text(json.dumps(body))
    return packed


def stem() -> str:
    return f"runtime-{encoderfile.__version__}-cpu-{runtime_cache.fingerprint('cpu')}"


def test_a_pack_whose_files_are_as_they_were_is_used(tmp_path: Path, frozen: list[str]) -> None:
    packed = kept(tmp_path, stem(), "kept")
    assert runtime_cache.runtime("cpu", tmp_path, frozen.append).pack.path == packed
    assert frozen == []


def test_of_two_packs_the_one_that_fits_is_used(tmp_path: Path, frozen: list[str]) -> None:
    packed = kept(tmp_path, stem(), "kept")
    os.utime(packed, (1, 1))
    kept(tmp_path, stem(), "newer", versions={"click": "0.0"})
    assert runtime_cache.runtime("cpu", tmp_path, frozen.append).pack.path == packed
    assert frozen == []


def test_a_change_is_said_and_freezes_again(tmp_path: Path, frozen: list[str]) -> None:
    kept(tmp_path, stem(), "kept", versions={"no-such-package": "1.0"})
    assert runtime_cache.runtime("cpu", tmp_path, frozen.append).pack.path != tmp_path / f"{stem()}-kept.pack"
    assert frozen == ["freezing the cpu runtime, because no-such-package 1.0 is now gone (a minute or two)"]


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"files": {}}', "\0"])
def test_a_record_that_cannot_be_read_freezes_again(record: str, tmp_path: Path, frozen: list[str]) -> None:
    packed = kept(tmp_path, stem(), "kept")
    packed.with_suffix(runtime_cache.RECORD_SUFFIX).write_text(record)
    runtime_cache.runtime("cpu", tmp_path, frozen.append)
    assert frozen == ["freezing the cpu runtime, once for this version (a minute or two)"]


def test_a_damaged_pack_is_not_copied_into_files_but_frozen_again(tmp_path: Path, frozen: list[str]) -> None:
    packed = kept(tmp_path, stem(), "kept")
    raw = bytearray(packed.read_bytes())
    raw[raw.rindex(b"kept")] ^= 1
    packed.write_bytes(raw)
    record = json.loads(packed.with_suffix(runtime_cache.RECORD_SUFFIX).read_bytes())
    packed.with_suffix(runtime_cache.RECORD_SUFFIX).write_text(json.dumps(record | {"files": {}}))
    runtime_cache.runtime("cpu", tmp_path, frozen.append)
    assert frozen == [f"freezing the cpu runtime, because {packed} is damaged (a minute or two)"]


@pytest.mark.parametrize("suffix", [".pack", runtime_cache.RECORD_SUFFIX])
def test_a_pack_that_others_can_change_ends_in_no_file(suffix: str, tmp_path: Path, frozen: list[str]) -> None:
    path = kept(tmp_path, stem(), "kept").with_suffix(suffix)
    path.chmod(0o666)
    with pytest.raises(ConfigError, match=f"other users can write to {path}"):
        runtime_cache.runtime("cpu", tmp_path, frozen.append)
    assert frozen == []


def test_nor_does_one_in_a_folder_that_others_can_change(tmp_path: Path, frozen: list[str]) -> None:
    kept(tmp_path, stem(), "kept")
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match=f"other users can write to {tmp_path}"):
        runtime_cache.runtime("cpu", tmp_path, frozen.append)
    assert frozen == []


def test_what_a_killed_build_left_behind_is_removed_by_the_next_that_freezes(
    tmp_path: Path, frozen: list[str]
) -> None:
    for name, age in (("freeze-killed", 120), ("freeze-at-work", 120), ("freeze-new", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    with runtime_cache.held(tmp_path / "freeze-at-work"):
        runtime_cache.runtime("cpu", tmp_path, frozen.append)
    assert sorted(path.name for path in tmp_path.glob("freeze-*")) == ["freeze-at-work", "freeze-new"]


def test_a_cache_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write into the cache folder"):
        runtime_cache.runtime("cpu", tmp_path / "file", print)


TRACEBACK = """Traceback (most recent call last):
  File "place.py", line 1, in run
    write(data)
"""


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (TRACEBACK + "OSError: [Errno 28] No space left on device\n", "no space is left in {}; choose another"),
        (TRACEBACK + "ValueError: that is wrong\n", "ValueError: that is wrong"),
        ("libpython3.11.so shared library not found\n", "this Python has no shared library"),
        (
            "ERROR: On Linux, objdump is required. It is typically provided by ...\n",
            "PyInstaller needs objdump; install",
        ),
        ("", "PyInstaller gave no reason"),
    ],
)
def test_why_a_runtime_cannot_be_frozen_is_said(log: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "freeze-x").mkdir()
    (tmp_path / "freeze-x" / "log.txt").write_text(log)
    assert freeze.explain(tmp_path / "freeze-x" / "log.txt").startswith(sentence.format(tmp_path))


def test_a_full_disk_is_seen_where_the_log_had_no_room_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert "no space is left" in freeze.explain(tmp_path / "freeze-x" / "log.txt")
