"""What the frozen runtime starts: the command line of the file it is part of."""

import sys
from pathlib import Path

from encoderfile.runtime.cli import main

main(Path(sys.executable))
