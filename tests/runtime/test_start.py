"""What is asked of a file without its model is answered without the libraries that only serving needs."""

import subprocess
import sys

LIBRARIES = {"asyncio", "numpy", "onnxruntime", "tokenizers", "starlette", "grpc"}


def test_the_command_line_itself_imports_none_of_them() -> None:
    code = f"import sys, encoderfile.runtime.cli, encoderfile.runtime.info; print({LIBRARIES} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
