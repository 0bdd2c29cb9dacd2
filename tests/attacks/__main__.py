"""Attacks a built file as a hostile client or neighbour would, and says what it cost. Run by `make attack`.

Every server attack runs against a server of its own, beside a witness who asks small requests all the while. It has
failed when the server's memory, the witness's 99th percentile, the log or the time to end is over its limit. The
other attacks start the file itself under hostile conditions. Exit code 1 when any failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from attacks import bodies, cache, connections, lines, resources
from attacks.attack import Attack, Files, Outcome
from support.dialects import make_cross_encoder
from support.files import encoderfile


def main() -> int:
    """Builds the files, runs the attacks that are asked for and prints a table."""
    parser = argparse.ArgumentParser(prog="attacks", description=__doc__)
    parser.add_argument("model", type=Path, help="folder of a sentence embedding model")
    parser.add_argument("--only", default="", help="run the attacks whose names hold this")
    options = parser.parse_args()
    attacks: list[Attack] = [
        each
        for module in (bodies, connections, lines, resources, cache)
        for each in module.ATTACKS
        if options.only in each.name
    ]
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        files = _build(Path(folder), options.model)
        _row("attack", "peak MB", "p99 s", "failed", "log KB", "exit s", "verdict")
        failed = 0
        for attack in attacks:
            outcome = attack.run(files)
            failed += not outcome.passed
            _show(attack.name, outcome)
    sys.stdout.write(f"{len(attacks) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


def _build(folder: Path, model: Path) -> Files:
    sources: dict[str, tuple[str | Path, ...]] = {
        "embed": (model,),
        "tokens": (model, "--model-type", "embedding"),
        "cross": (make_cross_encoder(folder / "cross-model"),),
    }
    for name, source in sources.items():
        done = encoderfile("build", *source, "--name", name, "--device", "cpu", "--output-path", folder / name)
        if done.returncode:
            raise SystemExit(done.stderr)
    # Others must be able to run the files: some attacks are another user's.
    folder.chmod(0o755)
    return Files(folder / "embed", folder / "tokens", folder / "cross", folder)


def _show(name: str, outcome: Outcome) -> None:
    measured = outcome.measured
    numbers = [f"{measured[key]:.2f}" if key in measured else "-" for key in ("peak MB", "p99 s")]
    numbers.append(f"{measured['failed']:.0f}" if "failed" in measured else "-")
    numbers += [f"{measured[key]:.2f}" if key in measured else "-" for key in ("log KB", "exit s")]
    _row(name, *numbers, "; ".join(outcome.faults) or "ok")


def _row(name: str, *cells: str) -> None:
    sys.stdout.write(f"{name:<44}" + "".join(f"{cell:>9}" for cell in cells[:-1]) + f"  {cells[-1]}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
