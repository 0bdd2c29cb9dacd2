"""Copying by the kernel, and by hand where the kernel will not."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from encoderfile.container import Container
from support.payload import CONTENTS, make


@pytest.mark.parametrize("code", [errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM])
def test_a_disk_that_refuses_kernel_copies_gets_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> int:
        raise OSError(code, os.strerror(code))

    (tmp_path / "kernel").mkdir()
    (tmp_path / "hand").mkdir()
    by_kernel = make(tmp_path / "kernel").path.read_bytes()
    monkeypatch.setattr(os, "copy_file_range", refuse)
    assert make(tmp_path / "hand").path.read_bytes() == by_kernel


def test_short_kernel_copies_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = os.copy_file_range
    monkeypatch.setattr(os, "copy_file_range", lambda a, b, count, **more: copy(a, b, min(count, 777), **more))
    with Container(make(tmp_path).path) as container:
        assert container.read("weights.bin") == CONTENTS["weights.bin"]


def test_a_kernel_that_gives_up_half_way_is_helped_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, calls = os.copy_file_range, iter(range(1000))

    def moody(a: int, b: int, count: int, **more: Any) -> int:
        if next(calls) % 2:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return copy(a, b, min(count, 777), **more)

    (tmp_path / "whole").mkdir()
    (tmp_path / "moody").mkdir()
    whole = make(tmp_path / "whole").path.read_bytes()
    monkeypatch.setattr(os, "copy_file_range", moody)
    assert make(tmp_path / "moody").path.read_bytes() == whole


def test_a_full_disk_is_not_mistaken_for_a_disk_without_kernel_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "copy_file_range", full)
    with pytest.raises(OSError, match="No space left"):
        make(tmp_path)
