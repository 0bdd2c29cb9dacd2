"""Files for aarch64, made here and run here under qemu, answer as those for this machine do."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from encoderfile.builder.runtimes import packs
from encoderfile.builder.runtimes.cache import cache_folder
from encoderfile.builder.runtimes.platforms import this_platform
from encoderfile.builder.trial import registered
from encoderfile.errors import ConfigError
from support.files import BuiltFile, encoderfile, namespace
from support.hosts import furnish
from support.models import DEMO

PLATFORM = "linux-aarch64"
TEXTS = {
    "sentiment": ["What a wonderful film!", "I want my money back."],
    "ner": ["Grace Hopper was born in New York and worked for the United States Navy."],
    "embed": ["a photograph of a cat", "the cat sat on the mat", "interest rates rise"],
}
TOLERANCE = 1e-4


def built(name: str, folder: Path, *flags: str) -> Path:
    done = encoderfile("build", DEMO[name], "--device", "cpu", "-o", folder / name, *flags)
    assert done.returncode == 0, done.stderr
    return folder / name


@pytest.fixture(scope="module", params=TEXTS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, BuiltFile, Path]:
    """A model's name, its file for this machine, and a root that holds nothing but its file for aarch64."""
    if this_platform() == PLATFORM:
        pytest.skip("this machine is of that platform: all other tests run it")
    try:
        packs.runtime(PLATFORM, "cpu", cache_folder(None), print)
    except ConfigError as error:
        pytest.skip(f"{error} (`make runtime-aarch64` does both)")
    folder = tmp_path_factory.mktemp(request.param)
    here = BuiltFile(built(request.param, folder), folder / "cache")
    (folder / "other").mkdir()
    other = built(request.param, folder / "other", "--platform", PLATFORM)
    return request.param, here, furnish(folder / "root", other)


def emulated(root: Path) -> tuple[BuiltFile, list[str]]:
    """The file in the root, and a command prefix that runs it there."""
    steps = [
        f'mount --rbind /proc "{root}/proc"',
        f'mount -t tmpfs tmpfs "{root}/tmp"',
        f'mount --rbind /dev "{root}/dev"',
    ]
    rule = registered(PLATFORM)
    if rule is None:
        pytest.skip("qemu-aarch64-static is not installed")
    prefix = [*namespace("mount"), *rule, "sh", "-ec", "\n".join([*steps, 'exec "$@"']), "sh"]
    chroot = shutil.which("chroot") or "/usr/sbin/chroot"
    return BuiltFile(Path("/app/model"), Path("/tmp/cache")), [*prefix, chroot, str(root)]


def numbers(answer: Any) -> list[float]:
    """All numbers of an answer, in order."""
    if isinstance(answer, dict):
        return [number for each in answer.values() for number in numbers(each)]
    if isinstance(answer, list):
        return [number for each in answer for number in numbers(each)]
    return [float(answer)] if isinstance(answer, int | float) else []


def words(answer: Any) -> list[str]:
    """All that is no number."""
    return re.findall(r'"[^"]*"', json.dumps(answer))


def same(one: Any, other: Any) -> None:
    assert words(one) == words(other)
    np.testing.assert_allclose(numbers(one), numbers(other), atol=TOLERANCE, rtol=0)


def test_a_file_answers_as_the_one_for_this_machine_does(pair: tuple[str, BuiltFile, Path]) -> None:
    name, here, root = pair
    file, prefix = emulated(root)
    done = file.run("infer", *TEXTS[name], prefix=prefix)
    assert done.returncode == 0, done.stderr
    same(json.loads(done.stdout)["results"], json.loads(here.run("infer", *TEXTS[name]).stdout)["results"])


def test_a_server_does_too(pair: tuple[str, BuiltFile, Path]) -> None:
    name, here, root = pair
    file, prefix = emulated(root)
    with file.serve(prefix=prefix) as server:
        answer = httpx.post(f"{server.url}/predict", json={"inputs": TEXTS[name]}, timeout=120)
        assert server.end() == 0
    same(answer.json()["results"], json.loads(here.run("infer", *TEXTS[name]).stdout)["results"])


def test_info_names_the_processor_and_its_own_c_library(pair: tuple[str, BuiltFile, Path]) -> None:
    _, _, root = pair
    file, prefix = emulated(root)
    said = file.run("info", prefix=prefix)
    assert re.search(r"^needs +Linux aarch64$", said.stdout, re.MULTILINE), said.stderr
    assert re.search(r"^C library +its own, glibc 2\.\d+$", said.stdout, re.MULTILINE)


def test_the_payload_is_the_one_of_this_machine(pair: tuple[str, BuiltFile, Path]) -> None:
    """Byte for byte: nothing in it depends on where it was made."""
    _, here, root = pair
    inspected = [encoderfile("inspect", path).stdout for path in (here.path, root / "app" / "model")]
    first, second = (json.loads(text)["manifest"] for text in inspected)
    assert first == second
