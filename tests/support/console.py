"""Runs the `console` blocks of a Markdown page and compares what comes out with what the page says.

A line that begins with `$ ` is a command, lines that begin with `> ` continue it, the others are its output,
stdout and stderr as they come. In the output `...` stands for anything, also for no line at all, a number with a
decimal point for any number near it, and times, sizes and sums for any. A command that serves keeps running until
the next one that serves, or the end of the page; it gets ports of its own, and the page's ports stand for them.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from support.example_files import environment, served

HTTP_PORT, MCP_PORT, GRPC_PORT, METRICS_PORT = "8080", "9100", "50051", "9464"
TOLERANCE = 1e-3
FREEZE_PATIENCE = 15 * 60
"""Seconds for a command that may have to freeze the runtime first."""

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SERVES = re.compile(r"\.encoderfile (serve|mcp --transport http)\b")
# Programs that a reader may not have, nor the machine that runs the tests.
_OPTIONAL = ("grpcurl", "jq", "openssl")
# Said by the first build of a version alone.
_ONCE = re.compile(r"^freezing the \w+ runtime.*\n", re.MULTILINE)
# What differs from run to run: times of day, sums, durations, sizes.
_VARIABLE = re.compile(
    r"(?P<lines>^\.\.\.\n)|(?P<any>\.\.\.)|(?P<time>\d{4}-\d\d-\d\d[T ][\d:,]+(?:[+-]\d{4})?)"
    r"|(?P<sum>\b[0-9a-f]{64}\b)|(?P<measure>\b\d+(?:\.\d+)?(?= (?:s|ms|MB|bytes)\b))"
    r"|(?P<float>-?\d+\.\d+(?:e-?\d+)?(?![\d.]))",
    re.MULTILINE,
)
_PATTERNS = {
    "lines": r"(?:.*?\n)?",
    "any": r".*?",
    "time": r"\d{4}-\d\d-\d\d[T ][\d:,]+(?:[+-]\d{4})?",
    "sum": r"[0-9a-f]{64}",
    "measure": r"\d+(?:\.\d+)?",
    "float": r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)",
}


@dataclass(frozen=True)
class Step:
    """One command and the output that the page shows for it."""

    command: str
    output: str


def steps(page: str) -> Iterator[Step]:
    """The commands of all `console` blocks, in order."""
    for block in _BLOCK.findall(page):
        assert block.startswith("$ "), f"a console block begins with its output: {block}"
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *rest = part.splitlines()
            while rest and rest[0].startswith("> "):
                command += "\n" + rest.pop(0)[2:]
            yield Step(command, "\n".join(rest).strip())


def _calls(program: str, command: str) -> bool:
    return re.search(rf"(^|\| ?){program}\b", command) is not None


def differs(expected: str, found: str) -> str | None:
    """Why the two differ, or None."""
    pattern, wanted, at = "", [], 0
    for match in _VARIABLE.finditer(expected):
        kind = str(match.lastgroup)
        pattern += re.escape(expected[at : match.start()]) + _PATTERNS[kind]
        if kind == "float":
            wanted.append(float(match[0]))
        at = match.end()
    pattern += re.escape(expected[at:])
    matched = re.fullmatch(pattern, found, flags=re.DOTALL)
    if matched is None:
        return f"the page says\n{expected}\nand the command\n{found}"
    for number, group in zip(wanted, matched.groups(), strict=True):
        if abs(number - float(group)) > TOLERANCE:
            return f"the page says {number} where the command says {group} in\n{found}"
    return None


@dataclass
class Console:
    """One terminal in `folder`. `stand_ins` are run in place of commands that need what a test has not."""

    folder: Path
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    """Programs that are not on this machine; the commands that need them were left out."""
    _ports: dict[str, str] = field(default_factory=dict)
    _code: int = 0

    def follow(self, page: str) -> None:
        """Runs every command of the page. Raises `AssertionError` for the first whose output differs."""
        with ExitStack() as server:
            for step in steps(page):
                command = self.stand_ins.get(step.command, step.command)
                lacking = {program for program in _OPTIONAL if _calls(program, command) and not shutil.which(program)}
                if lacking:
                    self.missing |= lacking
                    continue
                if _SERVES.search(command):
                    server.close()
                    output = self._serve(command, server)
                else:
                    output = self._run(command)
                wrong = differs(step.output, output.strip())
                assert wrong is None, f"$ {step.command}\n{wrong}"

    def _serve(self, command: str, server: ExitStack) -> str:
        ports = {f"ENCODERFILE_{name}": "0" for name in ("HTTP_PORT", "GRPC_PORT", "PORT")}
        command = command.replace(f"--metrics-port {METRICS_PORT}", "--metrics-port 0")
        addresses = server.enter_context(
            served(["bash", "-c", f"exec env {command}"], self.folder, environment(**ports))
        )
        http = MCP_PORT if " mcp " in command else HTTP_PORT
        self._ports = {
            http: str(addresses.http),
            GRPC_PORT: str(addresses.grpc),
            METRICS_PORT: str(addresses.metrics),
        }
        return self._as_printed(addresses.log)

    def _run(self, command: str) -> str:
        for printed, real in self._ports.items():
            command = re.sub(rf"(?<=[:\]]){printed}\b", real, command)
        done = subprocess.run(
            ["bash", "-c", f"(exit {self._code}); {command}"],
            cwd=self.folder,
            env=environment(CURL_HOME=str(self._curl_home())),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=FREEZE_PATIENCE,
        )
        self._code = done.returncode
        return self._as_printed(done.stdout)

    def _curl_home(self) -> Path:
        """Settings that keep curl from drawing a progress meter, which it does when nobody looks at a terminal."""
        home = self.folder / ".curl"
        home.mkdir(exist_ok=True)
        (home / ".curlrc").write_text("silent\nshow-error\n")
        return home

    def _as_printed(self, output: str) -> str:
        output = _ONCE.sub("", output)
        for printed, real in self._ports.items():
            output = re.sub(rf"(?<=:){real}\b", printed, output)
        return output
