"""What the launcher starts: the command line of the built file, whose path is in the environment."""

import os
import signal
import sys
from pathlib import Path

# Ctrl-C before the command line can handle it.
signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))

from encoderfile.runtime import c_library  # noqa: E402

c_library.settle()

from encoderfile.runtime.cli import main  # noqa: E402

main(Path(os.environ.pop("ENCODERFILE_EXECUTABLE", sys.executable)))
