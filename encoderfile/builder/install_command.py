"""The command that installs what is missing, for a message: one that works for this installation.

The distribution is not called as the package: `encoderfile` on PyPI is another project's.
"""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import sys
from pathlib import Path

import encoderfile

DISTRIBUTION = "onnx-encoderfile"
"""The name that `pip install` takes."""


def extra_command(extra: str, package: Path = Path(encoderfile.__file__).parent) -> str:
    """Installs one of our extras beside `package`, from its checkout where that is a clone."""
    is_installed = (package / "builder" / "recipe").is_dir()  # a checkout has that in build/
    if is_installed:
        return install_command(f"{DISTRIBUTION}[{extra}]")
    return install_command("-e", f"{package.parent}[{extra}]")


def install_command(*arguments: str) -> str:
    """`pip install` with `arguments`, for the environment that runs us, be it active or not."""
    python = Path(sys.executable)
    pip = shutil.which("pip")
    if pip is not None and Path(pip).parent == python.parent:
        command = ["pip", "install"]
    elif importlib.util.find_spec("pip") is None and shutil.which("uv") is not None:
        command = ["uv", "pip", "install", "--python", str(python)]
    else:
        command = [str(python), "-m", "pip", "install"]
    return shlex.join([*command, *arguments])
