"""What the launcher starts: the command line of the built file, whose path it leaves in the environment."""

import os
import signal
import sys
from pathlib import Path

# Ctrl-C before the command line is there to answer it.
signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))

# numpy's own threads would have nothing to do here, and where they cannot be had its library ends the process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from encoderfile.runtime.cli import main  # noqa: E402

main(Path(os.environ.pop("ENCODERFILE_EXECUTABLE", sys.executable)))
