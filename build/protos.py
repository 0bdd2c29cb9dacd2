"""Writes the Python code of `proto/` into the folder given. Run by `make proto` and by the staleness test."""

import re
import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[1] / "proto"

WITH_STUBS = ROOT / "encoderfile.proto"
"""The API page names its stubs; those of the others are not used."""


def generate(target: Path) -> None:
    """Generates messages and type hints of every proto file into `target`, and the stubs of one."""
    target.mkdir(parents=True, exist_ok=True)
    sources = sorted(ROOT.rglob("*.proto"))
    _run([f"--{kind}_out={target}" for kind in ("python", "pyi")], sources)
    _run([f"--grpc_python_out={target}"], [WITH_STUBS])
    # A plain `-Iproto` keeps the proto files usable from every language; Python then needs its package named.
    for path in target.rglob("*_pb2*.py*"):
        text = path.read_text()
        path.write_text(
            re.sub(r"^import (\w+_pb2) as", r"from encoderfile.transports._pb import \1 as", text, flags=re.M)
        )
    for folder in {source.parent for source in sources}:
        modules = sorted(f"{source.stem}_pb2" for source in folder.glob("*.proto"))
        package = ".".join(["encoderfile.transports._pb", *folder.relative_to(ROOT).parts])
        lines = [f"from {package} import {module} as {module}\n" for module in modules]
        (target / folder.relative_to(ROOT) / "__init__.py").write_text("".join(lines))


def _run(outputs: list[str], sources: list[Path]) -> None:
    if protoc.main(["protoc", f"-I{ROOT}", *outputs, *map(str, sources)]):
        raise SystemExit("protoc failed")


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
