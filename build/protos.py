"""Writes the Python code of `proto/` into the folder given. Run by `make proto` and by the staleness test."""

import re
import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[1] / "proto"


def generate(target: Path) -> None:
    """Generates messages, stubs and type hints of every proto file into `target`."""
    target.mkdir(parents=True, exist_ok=True)
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    sources = [str(path) for path in sorted(ROOT.rglob("*.proto"))]
    if protoc.main(["protoc", f"-I{ROOT}", *outputs, *sources]):
        raise SystemExit("protoc failed")
    # A plain `-Iproto` keeps the proto files usable from every language; Python then needs its package named.
    for path in target.rglob("*_pb2*.py*"):
        text = path.read_text()
        text = re.sub(r"^import (\w+_pb2) as", r"from encoderfile.transports._pb import \1 as", text, flags=re.M)
        path.write_text(re.sub(r"^from v07 import", "from encoderfile.transports._pb.v07 import", text, flags=re.M))
    for folder in (target, target / "v07"):
        (folder / "__init__.py").touch()


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
