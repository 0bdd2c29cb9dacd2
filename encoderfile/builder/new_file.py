"""A new file before it gets its name: it is run once, and its checksum is computed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from encoderfile.container import hash_range
from encoderfile.errors import ConfigError, ModelError
from encoderfile.progress import Progress, waiting


def try_out(file: Path) -> None:
    """Runs `info` of the new file, which also compares all checksums.

    Raises `ModelError` when it fails, `ConfigError` when it cannot be run where it lies.
    """
    # The environment stays, CUDA_VISIBLE_DEVICES and the like included: the file must run wherever it was built.
    command = [str(file.resolve()), "info", "--json"]
    try:
        with waiting("running the new file once"):
            result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except OSError as error:
        raise ConfigError(
            f"the new file cannot be run in {file.parent} ({error.strerror}): choose a folder that is not mounted "
            "noexec with --output-path"
        ) from error
    if result.returncode != 0:
        raise ModelError(f"the new file does not run and was removed: {result.stderr.strip()[-500:]}")
    json.loads(result.stdout)


def sha256(file: Path) -> str:
    """The checksum of the whole file."""
    digest = hashlib.sha256()
    size = file.stat().st_size
    with file.open("rb") as source, Progress.of_bytes("computing the checksum of the new file", size) as progress:
        hash_range(source.fileno(), 0, size, digest, progress.advance)
    return digest.hexdigest()
