"""The launcher's SHA-256, with the processor's own instructions and without: what hashlib says."""

import hashlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from encoderfile.builder.runtimes.platforms import this_platform
from support.models import ROOT

HERE = Path(__file__).parent
TRIPLES = {"linux-x86_64": "x86_64-linux-musl", "linux-aarch64": "aarch64-linux-musl"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ziglang", reason="`make .venv/installed-launcher` installs the compiler")
    target = tmp_path_factory.mktemp("digest") / "digest"
    launcher = ROOT / "build" / "launcher"
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TRIPLES[this_platform()], "-O2", "-static"]
    sources = [HERE / "digest.c", launcher / "sha256.c", launcher / "sha256_cpu.c"]
    subprocess.run([*command, "-I", launcher, "-o", target, *sources], check=True)
    return target


@pytest.mark.parametrize("arguments", [(), ("portable",)], ids=["the processor's own", "portable"])
@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 1000, 4096, 100_003])
def test_the_checksum_is_that_of_hashlib(program: Path, length: int, arguments: tuple[str, ...]) -> None:
    data = random.Random(length).randbytes(length)
    done = subprocess.run([program, *arguments], input=data, capture_output=True, check=False)
    if done.returncode == 3:
        pytest.skip("this processor has no instructions for SHA-256")
    assert done.stdout.decode() == hashlib.sha256(data).hexdigest()
