"""What the launcher starts: the command line of the built file, whose path it leaves in the environment."""

import os
import sys
from pathlib import Path

from encoderfile.runtime.cli import main

main(Path(os.environ.pop("ENCODERFILE_EXECUTABLE", sys.executable)))
