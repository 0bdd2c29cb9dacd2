"""A build replaces nothing that it reads, and no file of its own with another."""

from pathlib import Path

import pytest

from encoderfile.builder.build import build, refuse_overwriting
from encoderfile.builder.config_sources import from_flags
from encoderfile.errors import ConfigError
from support.models import DEMO


@pytest.mark.parametrize("flag", ["--output-path", "--report", "--sbom"])
@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json"])
def test_no_file_of_the_model_is_replaced(flag: str, name: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for path in DEMO["sentiment"].iterdir():
        (model / path.name).write_bytes(path.read_bytes())
    before = {path: path.read_bytes() for path in model.iterdir()}
    (tmp_path / "link").symlink_to(model / name)
    output = tmp_path / "link" if flag == "--output-path" else tmp_path / "out"
    beside = {flag: tmp_path / "link"} if flag != "--output-path" else {}
    with pytest.raises(ConfigError, match=f"{flag} .*link would replace a file that the build reads"):
        build(from_flags(model, None, output_path=output, cache_dir=tmp_path / "cache"), print, beside)
    assert {path: path.read_bytes() for path in model.iterdir()} == before
    assert not (tmp_path / "cache").exists()


def test_two_results_at_one_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigError, match=r"--report and --sbom both name .*link: give each"):
        refuse_overwriting({"--report": tmp_path / "a", "--sbom": tmp_path / "link"}, ())


def test_links_in_a_circle_are_left_to_who_writes(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    refuse_overwriting({"--report": tmp_path / "loop", "--sbom": tmp_path / ("a" * 300)}, ())


def test_a_device_takes_them_all() -> None:
    refuse_overwriting({"--report": Path("/dev/null"), "--sbom": Path("/dev/null")}, (Path("/dev/null"),))


def test_what_was_built_before_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "model.encoderfile").touch()
    refuse_overwriting({"--output-path": tmp_path / "model.encoderfile"}, (tmp_path / "model.onnx",))
