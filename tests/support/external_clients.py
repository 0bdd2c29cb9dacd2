"""Client packages of other projects, run with a Python that has them installed."""

import os
import subprocess
import textwrap

import pytest


def run_with(variable: str, module: str, script: str) -> str:
    """Runs `script` with the Python that `variable` names, and gives what it printed.

    Skips, with the reason, where the variable is not set or `module` is not installed.
    """
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} does not name a Python with {module}")
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no {module}")
    done = subprocess.run(
        [python, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
