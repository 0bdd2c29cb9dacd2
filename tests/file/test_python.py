"""Built from Python as encoderfile 0.7's package is used, and run."""

import json
import subprocess
import sys
from pathlib import Path

from encoderfile import InspectInfo, read_metadata
from support.files import FREEZE_PATIENCE, BuiltFile, builder_environment, encoderfile
from support.models import DEMO


def run(program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A Python program of a user, with the cache of the builder's tests."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env=builder_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=FREEZE_PATIENCE,
    )


def label(file: Path, cache: Path) -> str:
    answered = BuiltFile(file, cache).run("infer", "What a wonderful film!")
    return str(json.loads(answered.stdout)["results"][0]["predicted_label"])


def test_a_builder_makes_the_file_that_the_command_makes(tmp_path: Path) -> None:
    program = f"""
from encoderfile import BatchLongest, EncoderfileBuilder, ModelType, TokenizerBuildConfig, read_metadata
path = EncoderfileBuilder(
    name="judge",
    model_type=ModelType.SequenceClassification,
    path={str(DEMO["sentiment"])!r},
    output_path="./build/judge.encoderfile",
    version="1.0.0",
    tokenizer=TokenizerBuildConfig(pad_strategy=BatchLongest(), max_length=128),
).build(no_download=True)
print(path, read_metadata("./build/judge.encoderfile").model_config.id2label)
"""
    done = run(program, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "build/judge.encoderfile {0: 'NEGATIVE', 1: 'POSITIVE'}\n"
    file = tmp_path / "build" / "judge.encoderfile"
    assert label(file, tmp_path / "cache") == "POSITIVE"
    command = ("--name", "judge", "--model-version", "1.0.0", "--max-length", "128", "--output-dir", "command")
    again = encoderfile("build", DEMO["sentiment"], *command, "--model-type", "sequence_classification", cwd=tmp_path)
    assert again.stdout == "command/judge.encoderfile\n"
    assert (tmp_path / again.stdout.strip()).read_bytes() == file.read_bytes()


def test_a_function_builds_from_a_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(f"""
encoderfile:
  name: judge
  path: {DEMO["sentiment"]}
  model_type: sequence_classification
  output_path: ./build/judge.encoderfile
""")
    done = run("import encoderfile; print(encoderfile.build_from_config('config.yml'))", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "build/judge.encoderfile\n", "")
    found = read_metadata(tmp_path / "build" / "judge.encoderfile")
    assert isinstance(found, InspectInfo)
    config = found.encoderfile_config
    assert (config.name, config.version, config.model_type) == ("judge", "0.1.0", "sequence_classification")
    assert (found.model_config.model_type, found.model_config.num_labels) == ("bert", 2)


def test_a_model_that_cannot_be_built_raises_and_leaves_nothing(tmp_path: Path) -> None:
    program = f"""
import encoderfile
try:
    encoderfile.build(name="judge", model_type="embedding", path={str(DEMO["sentiment"])!r})
except ValueError as error:
    print(error)
"""
    done = run(program, tmp_path)
    assert done.stdout.startswith("the model type embedding needs last_hidden_state"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_the_file_and_one_where_paths_start(tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to(DEMO["sentiment"])
    done = encoderfile("build", "model", "--directory", tmp_path, "--output-dir", "new", "--name", "judge")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'new' / 'judge.encoderfile'}\n"), done.stderr


def test_flags_of_encoderfile_07_serve_as_before(sentiment: BuiltFile) -> None:
    flags = ("--execution-provider", "cpu", "--with-arena-allocator", "--graph-optimization-level", "3")
    done = sentiment.run("infer", "What a wonderful film!", *flags, "-f", "json")
    assert json.loads(done.stdout)["results"][0]["predicted_label"] == "POSITIVE"
    refused = sentiment.run("serve", "--compute-units", "cpu-only")
    assert refused.returncode == 2
    assert "only macOS has" in refused.stderr
