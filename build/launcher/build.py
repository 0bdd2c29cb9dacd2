"""Compiles the launcher for every platform into encoderfile/builder/launcher/. Run by `make launcher`.

The compiler is Zig's and the decoder is libdeflate's, both pinned: they make small static programs for every platform
on any machine, and the same bytes each time. The programs are committed, because a user's machine has no compiler; a
test compiles them again and compares the bytes. Their folder also has a list of the libraries in them, with
their licences, which becomes part of the SBOM of every built file.
"""

import importlib.metadata
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "encoderfile" / "builder" / "launcher"
PLATFORMS = {"linux-x86_64": "x86_64-linux-musl", "linux-aarch64": "aarch64-linux-musl"}
FLAGS = ["-std=c11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror"]
DOWNLOADED = Path(sys.prefix) / "libdeflate"
"""Where the Makefile puts the source archive of the PyPI package that contains libdeflate."""


def libdeflate(folder: Path) -> Path:
    """Unpacks libdeflate's sources into `folder`; returns where they are. Raises `FileNotFoundError` without them."""
    archive = next(DOWNLOADED.glob("deflate-*.tar.gz"), None)
    if archive is None:
        raise FileNotFoundError(f"libdeflate is not in {DOWNLOADED}: run `make .venv/installed-launcher`")
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz") / "libdeflate"


def build(target: Path) -> None:
    """Writes every platform's launcher, and the list of what is compiled into them, to the folder `target`."""
    import ziglang

    zig = Path(ziglang.__file__).parent
    musl = zig / "lib" / "libc" / "musl"
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as pool:
        decoder = libdeflate(Path(name))
        list(pool.map(lambda platform: _compile(target / platform, PLATFORMS[platform], decoder), PLATFORMS))
        parts = [
            _part("libdeflate", _version(decoder / "libdeflate.h"), decoder / "COPYING"),
            _part("musl", _version(musl / "src" / "internal" / "version.h"), musl / "COPYRIGHT"),
            _part("zig", importlib.metadata.version("ziglang"), zig / "LICENSE"),
        ]
    (target / "parts.json").write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")


def _compile(program: Path, triple: str, decoder: Path) -> None:
    sources = [path.name for path in sorted(HERE.glob("*.c"))]
    command = [sys.executable, "-m", "ziglang", "cc", "-target", triple, *FLAGS, "-isystem", str(decoder)]
    subprocess.run([*command, "-o", str(program), *sources], check=True, cwd=HERE)


def _version(header: Path) -> str:
    found = re.search(r'VERSION\w*\s+"([\d.]+)"', header.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{header} names no version")
    return found[1]


def _part(name: str, version: str, licence: Path) -> dict[str, object]:
    """A CycloneDX component, with the notice that the MIT licence requires in every copy."""
    notice = licence.read_text(encoding="utf-8").partition("\nAuthors/contributors")[0]
    return {
        "type": "library",
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "MIT", "text": {"content": notice}}}],
    }


if __name__ == "__main__":
    build(TARGET)
