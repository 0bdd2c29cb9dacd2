"""Compiles the launcher for every platform into encoderfile/builder/launcher/. Run by `make launcher`.

The compiler is Zig's, pinned in pyproject.toml: it makes small static programs for every platform on any
machine, and the same bytes each time. The programs are committed, because a user's machine has no compiler.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "encoderfile" / "builder" / "launcher"
PLATFORMS = {"linux-x86_64": "x86_64-linux-musl", "linux-aarch64": "aarch64-linux-musl"}
FLAGS = ["-std=c11", "-O2", "-static", "-s", "-Wall", "-Wextra", "-Werror"]


def source_sum() -> str:
    """The sha256 of the sources, which each program carries so that a test can tell it is current."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.[ch]")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Compiles every platform's launcher."""
    TARGET.mkdir(exist_ok=True)
    sources = [path.name for path in sorted(HERE.glob("*.c"))]
    for platform, triple in PLATFORMS.items():
        command = [sys.executable, "-m", "ziglang", "cc", "-target", triple, *FLAGS]
        command += [f"-DSOURCE_SUM={source_sum()}", "-o", str(TARGET / platform), *sources]
        subprocess.run(command, check=True, cwd=HERE)


if __name__ == "__main__":
    main()
