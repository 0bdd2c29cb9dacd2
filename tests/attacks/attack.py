"""What an attack is, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from attacks.target import DRAIN_SECONDS, Target, measure

MAX_PEAK_MB = 600.0
MAX_P99_SECONDS = 1.0
MAX_LOG_KB = 1000.0
MAX_EXIT_SECONDS = DRAIN_SECONDS + 1.0


@dataclass(frozen=True)
class Files:
    """The built files: a model of sentence embeddings, the same as one of token vectors, and a cross-encoder.

    `folder` is free for scratch.
    """

    embed: Path
    tokens: Path
    cross: Path
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """`faults` in words, none when the file withstood; `measured` by name."""

    faults: Sequence[str] = ()
    measured: Mapping[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.faults


class Attack(Protocol):
    """Anything with a name that can be run against the files."""

    @property
    def name(self) -> str: ...

    def run(self, files: Files) -> Outcome: ...


@dataclass(frozen=True)
class OnServer:
    """`act` runs in a process of its own against a server, until it returns or `seconds` are over.

    Then the server gets SIGTERM, with the attacker still at it. `act` returns what went wrong for the attacker that
    a good server would have done for him, such as an answer he could not read.
    """

    name: str
    act: Callable[[Target], str | None]
    seconds: float = 15.0
    file: str = "embed"
    options: Sequence[str] = ()

    def run(self, files: Files) -> Outcome:
        path: Path = getattr(files, self.file)
        measured, faults = measure(path, self.options, self.act, self.seconds, files.folder)
        limits = {
            "peak MB": MAX_PEAK_MB,
            "p99 s": MAX_P99_SECONDS,
            "log KB": MAX_LOG_KB,
            "exit s": MAX_EXIT_SECONDS,
            "failed": 0,
        }
        faults += [f"{name} over {most:g}" for name, most in limits.items() if measured.get(name, 0) > most]
        return Outcome(faults, measured)


@dataclass(frozen=True)
class OnFile:
    """`act` starts the file itself, as it likes, and returns what went wrong."""

    name: str
    act: Callable[[Files], Sequence[str]]

    def run(self, files: Files) -> Outcome:
        return Outcome(self.act(files))
