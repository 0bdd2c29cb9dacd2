"""Header, index and footer with every byte flipped, files of every length: a message or a correct run, no crash."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from encoderfile import pack
from encoderfile.container import Container
from support.launched import make_file, repacked
from support.models import ROOT

SOURCES = ROOT / "build" / "launcher"
FOOTER = 88


@pytest.fixture(scope="module")
def fuzz(libdeflate: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher compiled with AddressSanitizer and UndefinedBehaviorSanitizer around tests/launcher/fuzz.c."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    program = tmp_path_factory.mktemp("fuzz") / "fuzz"
    sources = [str(path) for path in sorted(SOURCES.glob("*.c")) if path.name != "main.c"]
    command = [compiler, "-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command += [
        "-I",
        str(SOURCES),
        "-isystem",
        str(libdeflate),
        "-o",
        str(program),
        *sources,
        str(Path(__file__).with_name("fuzz.c")),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "cannot find" in done.stderr:
        pytest.skip("this compiler comes without sanitizers")
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    make_file(folder, script="#!/bin/sh\necho ran\n")
    (folder / "toy-runtime" / "_internal" / "words").write_bytes(Path(__file__).read_bytes()[:1200])
    return repacked(folder, folder / "toy-runtime")


class Places:
    """Where in the file header, index, content and footer lie."""

    def __init__(self, file: Path) -> None:
        with Container(file) as container:
            self.pack = container.pack.offset
            entries = pack.entries(container.pack)
        self.content = self.pack + entries[0].offset
        self.size = file.stat().st_size
        self.footer = self.size - FOOTER
        self.words = next(number for number, entry in enumerate(entries) if entry.path == "_internal/words")


@pytest.fixture
def places(file: Path) -> Places:
    return Places(file)


def flipped(kind: str, start: int, end: int) -> Iterator[str]:
    for place in range(start, end):
        yield f"{kind} {place} {1 << place % 8}"
        yield f"{kind} {place} {0xFF if place % 2 else 0x80}"


def hold(fuzz: Path, file: Path, cases: list[str], tmp_path: Path) -> None:
    """All cases in one process; fails with what it says of those that ended wrongly."""
    environment = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99", "PATH": os.defpath}
    command = [str(fuzz), str(file), str(tmp_path / "copy"), str(tmp_path / "cache")]
    done = subprocess.run(
        command,
        input="".join(f"{case}\n" for case in cases),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert done.stdout == f"{len(cases)} cases, 0 faults\n"


def test_every_byte_of_the_header_and_the_index(fuzz: Path, file: Path, places: Places, tmp_path: Path) -> None:
    hold(fuzz, file, list(flipped("flip", places.pack, places.content)), tmp_path)


def test_every_byte_of_the_index_under_an_id_that_fits_it(
    fuzz: Path, file: Path, places: Places, tmp_path: Path
) -> None:
    hold(fuzz, file, list(flipped("seal", places.pack + 40, places.content)), tmp_path)


def test_every_byte_of_the_footer(fuzz: Path, file: Path, places: Places, tmp_path: Path) -> None:
    hold(fuzz, file, list(flipped("flip", places.footer, places.size)), tmp_path)


def test_bytes_of_the_content_and_behind_it(fuzz: Path, file: Path, places: Places, tmp_path: Path) -> None:
    sampled = random.Random(11).sample(range(places.content, places.footer), 100)
    hold(fuzz, file, [f"flip {place} {1 << place % 8}" for place in sampled], tmp_path)


def test_a_file_of_every_length(fuzz: Path, file: Path, places: Places, tmp_path: Path) -> None:
    lengths = {*range(places.pack, places.content + 1), *range(places.footer, places.size), 0, 1, FOOTER}
    lengths.update(random.Random(13).sample(range(places.size), 50))
    hold(fuzz, file, [f"truncate {length}" for length in sorted(lengths)], tmp_path)


def test_a_pack_of_every_length(fuzz: Path, file: Path, places: Places, tmp_path: Path) -> None:
    lengths = range(places.content - places.pack + 2)
    hold(fuzz, file, [f"pack {length}" for length in lengths], tmp_path)


def test_compressed_bytes_with_any_bit_flipped(fuzz: Path, file: Path, places: Places, tmp_path: Path) -> None:
    hold(fuzz, file, [f"inflate {places.words}"], tmp_path)
