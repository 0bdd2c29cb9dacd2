"""How the process ends: within the time that is given, whatever that is."""

import subprocess
import sys

import pytest

CODE = """
import sys
from encoderfile.runtime import process
process.end_within(float(sys.argv[1]))
if sys.argv[1] == "0.1":
    while True:  # as what never lets go of the interpreter
        pass
"""


@pytest.mark.parametrize(("seconds", "code"), [("0.1", 1), ("1e9", 0), ("1e300", 0), ("inf", 0)])
def test_the_process_is_ended_in_time_or_goes_on(seconds: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, seconds], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")
