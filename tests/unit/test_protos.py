"""The generated code in the repository is what `proto/` generates today."""

import importlib
import importlib.util
from pathlib import Path

import pytest

from support.models import ROOT

COMMITTED = ROOT / "encoderfile" / "transports" / "_pb"


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".py", ".pyi")
    }


@pytest.mark.proves("ENC gRPC", "The services are defined in `.proto` files", here="In `proto/`.")
@pytest.mark.proves("ENC gRPC", "`predicted_label` is optional in the message")
def test_the_committed_code_is_what_the_protos_generate(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("protos", ROOT / "build" / "protos.py")
    assert spec is not None
    assert spec.loader is not None
    protos = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(protos)
    protos.generate(tmp_path / "_pb")
    made, committed = files(tmp_path / "_pb"), files(COMMITTED)
    assert sorted(made) == sorted(committed), "run `make proto`"
    stale = [name for name, text in made.items() if text != committed[name]]
    assert not stale, f"run `make proto`: {stale} differ"


def modules() -> list[str]:
    return [path.relative_to(COMMITTED).with_suffix("").as_posix() for path in sorted(COMMITTED.rglob("*_pb2*.py"))]


@pytest.mark.proves("ENC Client examples", "Python over gRPC, with generated stubs")
@pytest.mark.parametrize("name", modules())
def test_the_generated_code_can_be_imported(name: str) -> None:
    importlib.import_module("encoderfile.transports._pb." + name.replace("/", "."))
