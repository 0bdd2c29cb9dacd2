"""Commands on a terminal of a given size, as a person runs them."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from support.files import PATIENCE

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """What is on the screen, without its styles."""
    return _STYLE.sub("", text)


class OnTerminal:
    """A command whose stdin, stdout and stderr are one terminal. Use as a context manager."""

    def __init__(
        self, command: Sequence[str | Path], env: Mapping[str, str], columns: int = 80, cwd: Path | None = None
    ) -> None:
        self._command = [str(word) for word in command]
        self._env = {"TERM": "xterm", **env}
        self._columns = columns
        self._cwd = cwd
        self.text = ""
        """What it has written so far, with line ends of one character."""

    def __enter__(self) -> "OnTerminal":
        self._terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 50, self._columns, 0, 0))
        try:
            self.process = subprocess.Popen(
                self._command, env=self._env, cwd=self._cwd, stdin=other, stdout=other, stderr=other
            )
        finally:
            os.close(other)
        return self

    def until(self, words: str) -> str:
        """What it has written when `words` are among it, or it has ended."""
        over = time.monotonic() + PATIENCE
        while words not in self.text:
            readable, _, _ = select.select([self._terminal], [], [], max(0, over - time.monotonic()))
            assert readable, f"nothing more came after {self.text!r}"
            try:
                data = os.read(self._terminal, 1 << 16)
            except OSError:  # the last one who could write has gone
                data = b""
            if not data:
                break
            self.text += data.decode(errors="replace").replace("\r\n", "\n")
        return self.text

    def end(self) -> str:
        """Everything that it wrote, once it has ended by itself."""
        self.until("\0")
        assert self.process.wait(PATIENCE) == 0, self.text
        return self.text

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.process:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
        os.close(self._terminal)
