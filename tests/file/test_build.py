"""`encoderfile build`: steps on stderr, the path on stdout, one whole executable."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from support.files import encoderfile, sentence, tree
from support.models import DEMO

MODEL = DEMO["sentiment"]


def test_stdout_is_the_path_and_stderr_the_steps(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "model"
    done = encoderfile("build", MODEL, "--name", "judge", "-o", target)
    assert (done.returncode, done.stdout) == (0, f"{target}\n")
    for step in ("checking", "model type: sequence_classification (config.json names", f"writing {target}", "Built "):
        assert step in done.stderr
    assert target.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in target.parent.iterdir()] == ["model"]


def test_without_a_path_the_file_lies_in_the_working_folder_under_the_models_name(tmp_path: Path) -> None:
    done = encoderfile("build", MODEL, "--name", "judge", cwd=tmp_path)
    assert done.stdout == "judge.encoderfile\n"
    assert [path.name for path in tmp_path.iterdir()] == ["judge.encoderfile"]


def test_a_path_that_is_a_folder_gets_a_file_under_the_models_name(tmp_path: Path) -> None:
    done = encoderfile("build", MODEL, "--name", "judge", "-o", tmp_path)
    assert done.stdout == f"{tmp_path / 'judge.encoderfile'}\n"


def test_a_report_tells_what_was_built(tmp_path: Path) -> None:
    target, report = tmp_path / "model", tmp_path / "reports" / "build.json"
    arguments = ("--name", "judge", "--model-version", "1.2.3", "-o", target)
    done = encoderfile("build", MODEL, *arguments, "--report", report)
    assert done.stdout == f"{target}\n"
    facts = json.loads(report.read_text())
    assert (facts["path"], facts["size"]) == (str(target), target.stat().st_size)
    assert facts["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert facts["seconds"] > 0
    assert (facts["manifest"]["name"], facts["manifest"]["version"]) == ("judge", "1.2.3")


def test_a_report_to_stdout_is_json_alone(tmp_path: Path) -> None:
    done = encoderfile("build", MODEL, "--name", "judge", "-o", tmp_path / "model", "--report", "-")
    assert json.loads(done.stdout)["path"] == str(tmp_path / "model")


def test_a_yaml_file_builds_what_it_says_relative_to_itself(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "project" / "export")
    config = tmp_path / "project" / "encoderfile.yml"
    config.write_text(
        "encoderfile:\n  name: judge\n  version: 4.5.6\n  path: export\n"
        "  model_type: sequence_classification\n  output_path: out/judge\n"
    )
    done = encoderfile("build", "-f", config, cwd=tmp_path)
    target = tmp_path / "project" / "out" / "judge"
    assert (done.returncode, done.stdout) == (0, f"{target}\n"), done.stderr
    assert json.loads(encoderfile("inspect", target).stdout)["encoderfile_config"]["version"] == "4.5.6"


def test_two_builds_in_two_places_are_the_same_bytes(tmp_path: Path) -> None:
    sums = []
    for place in ("one", "two"):
        export = tmp_path / place / "export"
        shutil.copytree(MODEL, export, copy_function=shutil.copy)
        done = encoderfile("build", export, "--name", "judge", "-o", "judge", cwd=tmp_path / place)
        assert done.returncode == 0, done.stderr
        sums.append(hashlib.sha256((tmp_path / place / "judge").read_bytes()).hexdigest())
    assert sums[0] == sums[1]


def test_a_second_build_replaces_the_first(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for name in ("first", "second"):
        assert encoderfile("build", MODEL, "--name", name, "-o", target).returncode == 0
    assert json.loads(encoderfile("inspect", target).stdout)["encoderfile_config"]["name"] == "second"


def test_the_models_folder_is_left_as_it_was(tmp_path: Path) -> None:
    export = shutil.copytree(MODEL, tmp_path / "export")
    before = tree(export)
    assert encoderfile("build", export, "-o", tmp_path / "model").returncode == 0
    assert tree(export) == before


@pytest.mark.parametrize("place", ["a folder of that name", "a file where a folder should be", "nowhere"])
def test_a_place_that_cannot_take_the_file_is_said_in_one_sentence(place: str, tmp_path: Path) -> None:
    target = {
        "a folder of that name": tmp_path / "judge.encoderfile",
        "a file where a folder should be": tmp_path / "file" / "judge",
        "nowhere": Path("/proc/nowhere/judge"),
    }[place]
    (tmp_path / "file").touch()
    (tmp_path / "judge.encoderfile").mkdir()
    before = tree(tmp_path)
    where = tmp_path if place == "a folder of that name" else target
    reason = sentence(encoderfile("build", MODEL, "--name", "judge", "-o", where), after_steps=True)
    assert str(target) in reason or str(target.parent) in reason
    assert "--output-path" in reason
    assert tree(tmp_path).keys() == before.keys()
