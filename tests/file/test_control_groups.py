"""A file keeps to the quota and the memory limit of its control group v1, wherever the groups are mounted.

v2 is held by `tests/unit/test_control_groups.py`: a kernel has each controller in one version only.
"""

import os
import re
import shlex
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.files import BuiltFile, Done, namespace

MOUNTED = Path("/proc/self/mountinfo").read_text().splitlines()


def v1(controller: str) -> Path:
    """Where the groups of a controller are mounted; skips where they are not."""
    for line in MOUNTED:
        place, _, kind = line.partition(" - ")
        if kind.startswith("cgroup ") and controller in kind.split(" ")[-1].split(","):
            return Path(place.split(" ")[4])
    pytest.skip(f"control groups v1 are not mounted for {controller} here")


@pytest.fixture
def group() -> Iterator[Path]:
    """A group with a quota of one processor."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("a quota of one processor shows only where there are two")
    # Which path it has for this process is not asked: the quotas of the groups around it hold in any case.
    folder = v1("cpu") / f"encoderfile-test-{uuid.uuid4().hex}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no group can be made: {error}")
    try:
        (folder / "cpu.cfs_quota_us").write_text("100000")
        (folder / "inner").mkdir()
        yield folder
    finally:
        for each in (folder / "inner", folder):
            if each.exists():
                each.rmdir()


def joining(group: Path) -> str:
    return f"echo $$ > {shlex.quote(str(group))}/cgroup.procs"


def threads(done: Done) -> int:
    """As many as instances can run, which the file says when it is asked for more."""
    assert done.returncode == 0, done.stderr
    found = re.search(r"--instances 999: only (\d+) run at the same time, one for each thread", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def test_a_quota_of_one_processor_is_one_thread(sentiment: BuiltFile, group: Path) -> None:
    command = ["infer", "--instances", "999", "good"]
    assert threads(sentiment.run(*command)) > 1, "the machine itself has more"
    for each in (group, group / "inner"):
        prefix = ["sh", "-c", f'{joining(each)} && exec "$@"', "sh"]
        assert threads(sentiment.run(*command, prefix=prefix)) == 1


@pytest.mark.parametrize("member", ["", "inner"])
def test_a_container_finds_the_quota_of_its_mount(
    sentiment: BuiltFile, group: Path, tmp_path: Path, member: str
) -> None:
    """Its group alone is mounted, at an odd place, and the kernel names the group by its path on the host."""
    point = tmp_path / "odd place"
    point.mkdir()
    prepare = [
        joining(group / member),
        f"mount --bind {shlex.quote(str(group))} {shlex.quote(str(point))}",
        f"mount -t tmpfs tmpfs {shlex.quote(str(group.parent))}",
    ]
    prefix = namespace("mount", prepare=" && ".join(prepare))
    assert threads(sentiment.run("infer", "--instances", "999", "good", prefix=prefix)) == 1


def test_a_limit_of_memory_holds(sentiment: BuiltFile, tmp_path: Path) -> None:
    """Another number is mounted over the limit: a group made here would be inside one that is not this test's."""
    root = v1("memory")
    (line,) = (each for each in Path("/proc/self/cgroup").read_text().splitlines() if "memory" in each.split(":")[1])
    own = root / line.split(":", 2)[2].strip("/")
    limit = (own if own.is_dir() else root) / "memory.limit_in_bytes"
    (tmp_path / "limit").write_text("1000\n")
    prefix = namespace("mount", prepare=f"mount --bind {tmp_path}/limit {shlex.quote(str(limit))}")
    command = ["bench", "--log-level", "debug", "--threads", "2", "--max-batch-tokens", "64"]
    assert "up to 2 instances run" in sentiment.run(*command).stderr
    assert re.search(r"one instance only: .* and 0 MB are free", sentiment.run(*command, prefix=prefix).stderr)
