"""Names that lead out of a folder are refused, wherever they come from."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from encoderfile.builder.built_files import extract
from encoderfile.builder.container_writer import Part, write
from encoderfile.builder.folder import open_folder
from encoderfile.container import Slice
from encoderfile.errors import ConfigError, ContainerError, ModelError
from support.models import DEMO, checked


@pytest.mark.parametrize("path", ["/etc", "../secret", "1_Pooling/../../secret"])
def test_a_module_outside_the_models_folder_is_refused(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DEMO["embed"], folder)
    (folder / "modules.json").write_text(json.dumps([{"type": "x.Pooling", "path": path}]))
    with pytest.raises(ModelError, match="outside the model's folder"):
        open_folder(folder)


@pytest.mark.parametrize("name", ["../outside.txt", "/tmp/outside.txt", "a/../../outside.txt"])
def test_an_artifact_outside_the_folder_is_not_extracted(name: str, tmp_path: Path) -> None:
    blank = tmp_path / "blank"
    blank.write_bytes(bytes(4096))
    manifest = checked(DEMO["embed"]).manifest
    file = tmp_path / "file"
    write(
        file,
        launcher=Slice.whole(blank),
        pack=Slice.whole(blank),
        parts=[Part(name, b"taken")],
        describe=lambda artifacts: replace(manifest, artifacts=artifacts),
    )
    with pytest.raises(ContainerError, match="would lie outside"):
        extract(file, tmp_path / "folder")
    assert not (tmp_path / "outside.txt").exists()


def test_an_executable_is_not_written_over_a_device(tmp_path: Path) -> None:
    blank = tmp_path / "blank"
    blank.write_bytes(bytes(4096))
    mode = Path("/dev/null").stat().st_mode
    with pytest.raises(ConfigError, match="is a pipe or a device"):
        write(
            Path("/dev/null"),
            launcher=Slice.whole(blank),
            pack=Slice.whole(blank),
            parts=[],
            describe=lambda artifacts: replace(checked(DEMO["embed"]).manifest, artifacts=artifacts),
        )
    assert Path("/dev/null").stat().st_mode == mode
