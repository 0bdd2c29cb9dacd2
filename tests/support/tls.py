"""Certificates, made for one test."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Pair(NamedTuple):
    cert: Path
    key: Path

    @property
    def flags(self) -> tuple[str | Path, ...]:
        return ("--cert-file", self.cert, "--key-file", self.key)


def make_pair(folder: Path, name: str) -> Pair:
    """A certificate for localhost and 127.0.0.1 that signs itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, and the tests ship no private key")
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", pair.key, "-out", pair.cert]
    subprocess.run(["openssl", "req", "-x509", "-days", "2", *curve, *names, *files], check=True, capture_output=True)
    return pair
