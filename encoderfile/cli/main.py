"""Where the `encoderfile` command starts. Imports nothing heavy, so that a signal finds its answer from the start."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 failure, 2 wrong usage, 130 on Ctrl-C."""
    for number in _ENDS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` wishes
            signal.signal(number, _leave)
    os.environ["RUST_BACKTRACE"] = "0"  # a failure of the tokenizers' library has its sentence
    from encoderfile.cli.commands import cli

    try:
        for number in _ENDS:
            if signal.getsignal(number) is _leave:
                signal.signal(number, _stop)
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # a panic of a library's Rust part is no `Exception`
        code = _explained(error)
    finally:
        _ignore_signals()
    sys.exit(code or 0)


def _explained(error: BaseException) -> int:
    from encoderfile.console import explain, printable

    try:
        code = explain(error)
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of our output must not be flushed at exit
        return code
    except BaseException:
        place = traceback.extract_tb(error.__traceback__)[-1]
        what = printable(f"{type(error).__name__}: {error}")[:300]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        sys.stderr.write(
            f"error: encoderfile itself failed ({what}, in {where}): please report it with the command\n"
        )
        return 1


def _leave(number: int, _: FrameType | None) -> None:
    """Before anything was begun there is nothing to clean up."""
    os._exit(128 + number)


def _stop(number: int, _: FrameType | None) -> None:
    """As an exception, so that a command that is ended takes its helpers and its temporary files along."""
    _ignore_signals()  # an impatient second one would leave half of them behind
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _ignore_signals() -> None:
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
