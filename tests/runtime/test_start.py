"""What is asked of a file without its model is answered without the libraries that only serving needs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("library", ["asyncio", "numpy", "onnxruntime", "tokenizers", "starlette", "grpc"])
def test_the_command_line_itself_imports_no(library: str) -> None:
    code = f"import sys, encoderfile.runtime.cli, encoderfile.runtime.info; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
