"""The graph is loaded once more for runs side by side, where memory allows."""

import logging
from pathlib import Path
from typing import Any

import pytest

from encoderfile.errors import ModelError
from encoderfile.model import lanes as module
from encoderfile.model import memory
from encoderfile.model.lanes import Lanes

MB = 1 << 20


class Loads:
    """What loads a session, and how often it did."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count = 0
        self._error = error

    def __call__(self) -> Any:
        self.count += 1
        if self._error:
            raise self._error
        return "a session"


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets how much memory is left."""

    def set_free(amount: int | None) -> None:
        monkeypatch.setattr(module, "available", lambda: amount)

    return set_free


@pytest.mark.parametrize("amount", [200 * MB, None])
def test_lanes_are_opened_once(free: Any, amount: int | None) -> None:
    free(amount)
    load = Loads()
    lanes = Lanes(3, load, 100 * MB)
    assert load.count == 0, "nothing is loaded before it is wanted"
    assert (lanes.open(), lanes.open()) == (3, 3)
    assert load.count == 1
    assert lanes.session == "a session"


def test_one_lane_needs_no_second_session(free: Any) -> None:
    free(None)
    load = Loads()
    assert Lanes(1, load, 1).open() == 1
    assert load.count == 0


def test_too_little_memory_leaves_runs_one_after_another(free: Any, caplog: pytest.LogCaptureFixture) -> None:
    free(150 * MB)
    load = Loads()
    with caplog.at_level(logging.INFO):
        assert Lanes(4, load, 100 * MB).open() == 1
    assert load.count == 0
    assert "side by side takes 200 MB of free memory, 150 MB are left" in caplog.text


def test_a_session_that_cannot_be_loaded_leaves_runs_one_after_another(
    free: Any, caplog: pytest.LogCaptureFixture
) -> None:
    free(None)
    with caplog.at_level(logging.WARNING):
        assert Lanes(4, Loads(ModelError("no more room")), 1).open() == 1
    assert "no more room" in caplog.text


def group(folder: Path, limit: str, used: int = 0, idle: int = 0) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {idle}\nactive_file 7\n")
    return folder


def test_what_a_control_group_leaves_counts_idle_pages_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_CGROUP", group(tmp_path, "1000", 600, 100))
    assert memory.available() == 500


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_without_a_lower_limit_it_is_what_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(memory, "_CGROUP", group(tmp_path, limit))
    found = memory.available()
    assert found is not None
    assert 0 < found < 1 << 50


def test_a_system_that_says_nothing_has_no_known_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "none")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "none")
    assert memory.available() is None
