"""Where the `encoderfile` command starts: signals first, everything else after.

Imported by the command's script alone. Ctrl-C before the first line below is Python's own to answer.
"""

import os
import sys

# What is in `signal`, without the enumerations that it makes first.
from _signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, getsignal, signal  # type: ignore[import-not-found]

_ENDS = (SIGINT, SIGTERM, SIGHUP)
_received: list[int] = []
"""The signal that ends the command, once it has come."""


def _leave(number: int, _: object) -> None:
    """Before anything has begun there is nothing to clean up."""
    os._exit(128 + number)


for _number in _ENDS:
    if getsignal(_number) != SIG_IGN:  # `nohup` set it
        signal(_number, _leave)


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 failure, 2 wrong usage, 130 on Ctrl-C."""
    os.environ["RUST_BACKTRACE"] = "0"  # failures of the tokenizers library are explained in our own words
    from encoderfile.cli.commands import cli

    try:
        for number in _ENDS:
            if getsignal(number) is _leave:
                signal(number, _stop)
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # a panic of a library's Rust part is no `Exception`
        code = _explained(error)
    finally:
        _ignore_signals()
    sys.exit(code or 0)


def _stop(number: int, _: object) -> None:
    """Raises an exception, so that the command ends its processes and removes its temporary files."""
    _ignore_signals()  # a second one would interrupt that
    _received.append(number)
    if number == SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _ignore_signals() -> None:
    for number in _ENDS:
        signal(number, SIG_IGN)


def _explained(error: BaseException) -> int:
    if _received:  # whatever it has become on its way: in the import of a C module, an ImportError
        return 128 + _received[0]

    from encoderfile.console import explain, unforeseen

    try:
        code = explain(error)
    except BaseException:
        return unforeseen(error)
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the rest of our output must not be flushed at exit
    return code
