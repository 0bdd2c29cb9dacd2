"""Which frozen runtime of the cache folder is used again, and what is said when none can be made."""

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

from encoderfile.builder import freeze
from encoderfile.errors import ConfigError

ONCE = "freezing the cpu runtime, once for this version (a minute or two)"


class PyInstaller:
    """Stands in for the process that freezes: makes a runtime of one file, or fails with a `log`."""

    log: str | None = None

    def __call__(
        self, command: Sequence[str], *, stdout: BinaryIO, env: Mapping[str, str], **_: Any
    ) -> "nullcontext[PyInstaller]":
        if self.log is not None:
            stdout.write(self.log.encode())
            return nullcontext(self)
        runtime = Path(command[command.index("--distpath") + 1]) / "runtime"
        (runtime / "_internal").mkdir(parents=True)
        (runtime / "file").write_text("frozen")
        found = {"modules": [json.__file__], "files": [], "originals": [], "names": ["json"]}
        Path(env["ENCODERFILE_FREEZE_CONTENTS"]).write_text(json.dumps(found))
        return nullcontext(self)

    def wait(self) -> int:
        return 0 if self.log is None else 1


@pytest.fixture(scope="module")
def frozen_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with one pack."""
    cache = tmp_path_factory.mktemp("frozen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", PyInstaller())
        freeze.runtime("cpu", cache, print)
    return cache


@pytest.fixture
def pyinstaller(monkeypatch: pytest.MonkeyPatch) -> PyInstaller:
    found = PyInstaller()
    monkeypatch.setattr(subprocess, "Popen", found)
    return found


@pytest.fixture
def cache(frozen_once: Path, tmp_path: Path, pyinstaller: PyInstaller) -> Path:
    """A cache folder of the test's own with one pack."""
    return shutil.copytree(frozen_once, tmp_path / "cache")


def pack_in(cache: Path) -> Path:
    (found,) = cache.glob("*.pack")
    return found


def record_of(pack: Path) -> Path:
    """What a pack was frozen from."""
    return pack.with_suffix(".contents.json")


def change_record(pack: Path, **parts: Any) -> None:
    record_of(pack).write_text(json.dumps(json.loads(record_of(pack).read_text()) | parts))


def runtime(cache: Path) -> tuple[Path, list[str]]:
    """The pack that is used, and what was said of it."""
    said: list[str] = []
    return freeze.runtime("cpu", cache, said.append).pack.path, said


def test_a_pack_whose_files_are_as_they_were_is_used(cache: Path) -> None:
    kept = pack_in(cache)
    assert runtime(cache) == (kept, [])


def test_of_two_packs_the_one_that_fits_is_used(cache: Path) -> None:
    kept = pack_in(cache)
    for path in cache.glob(f"{kept.stem}.*"):
        shutil.copy(path, path.with_name(path.name.replace(kept.stem, f"{kept.stem}-newer")))
    os.utime(kept, (1, 1))
    change_record(kept.with_stem(f"{kept.stem}-newer"), versions={"click": "0.0"})
    assert runtime(cache) == (kept, [])


def test_a_change_is_said_and_freezes_again(cache: Path) -> None:
    change_record(pack_in(cache), versions={"no-such-package": "1.0"})
    _, said = runtime(cache)
    assert said == ["freezing the cpu runtime, because no-such-package 1.0 is now gone (a minute or two)"]
    _, said = runtime(cache)
    assert said == []


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"files": {}}', "\0"])
def test_a_record_that_cannot_be_read_freezes_again(record: str, cache: Path) -> None:
    record_of(pack_in(cache)).write_text(record)
    _, said = runtime(cache)
    assert said == [ONCE]


def test_a_damaged_pack_is_not_copied_into_files_but_frozen_again(cache: Path) -> None:
    pack = pack_in(cache)
    raw = bytearray(pack.read_bytes())
    raw[raw.rindex(b"frozen")] ^= 1
    pack.write_bytes(raw)
    _, said = runtime(cache)
    assert said == [f"freezing the cpu runtime, because {pack} is damaged (a minute or two)"]


def test_a_pack_that_others_can_change_is_not_used(cache: Path) -> None:
    pack = pack_in(cache)
    for path in (pack, *cache.glob(f"{pack.stem}.*json")):
        path.chmod(0o666)
        with pytest.raises(ConfigError, match=f"others may write into {path}"):
            runtime(cache)
        path.chmod(0o644)
    assert runtime(cache) == (pack, [])


def test_a_pack_in_a_folder_that_others_can_change_is_not_used(cache: Path) -> None:
    cache.chmod(0o777)
    with pytest.raises(ConfigError, match=f"others may write into {cache}"):
        runtime(cache)


def test_what_a_killed_build_left_behind_is_removed_by_the_next_that_freezes(
    tmp_path: Path, pyinstaller: PyInstaller
) -> None:
    for name, age in (("freeze-killed", 120), ("freeze-at-work", 120), ("freeze-new", 0)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    at_work = os.open(tmp_path / "freeze-at-work", os.O_RDONLY)
    try:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        assert runtime(tmp_path)[1] == [ONCE]
    finally:
        os.close(at_work)
    assert sorted(path.name for path in tmp_path.glob("freeze-*")) == ["freeze-at-work", "freeze-new"]


def test_a_cache_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write into the cache folder"):
        runtime(tmp_path / "file")


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
        ("", "PyInstaller gave no reason"),
    ],
)
def test_why_a_runtime_cannot_be_frozen_is_said(
    log: str, sentence: str, tmp_path: Path, pyinstaller: PyInstaller
) -> None:
    pyinstaller.log = log
    with pytest.raises(ConfigError) as refusal:
        runtime(tmp_path)
    assert f"the runtime cannot be frozen: {sentence.format(tmp_path)}" in str(refusal.value)


def test_a_full_disk_is_seen_where_the_log_had_no_room_either(
    tmp_path: Path, pyinstaller: PyInstaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyinstaller.log = ""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(ConfigError, match=f"no space is left in {tmp_path}"):
        runtime(tmp_path)
