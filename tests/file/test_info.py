"""`info`, `verify`, `--version` and `--help` of a built file: at once, on stdout, without running the model."""

import json
import subprocess
from pathlib import Path

import pytest

import encoderfile as package
from support.files import BuiltFile, encoderfile


def test_info_tells_a_reader_what_is_in_the_file(sentiment: BuiltFile) -> None:
    done = sentiment.run("info")
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("sentiment 0.1.0", "sequence_classification", "NEGATIVE, POSITIVE", "256 tokens"):
        assert words in done.stdout
    assert "all checksums match" in done.stdout


def test_info_as_json_has_the_manifest_that_inspect_shows(sentiment: BuiltFile) -> None:
    facts = json.loads(sentiment.run("info", "--json").stdout)
    assert facts["manifest"] == json.loads(encoderfile("inspect", sentiment.path).stdout)["manifest"]
    assert (facts["path"], facts["size"]) == (str(sentiment.path), sentiment.path.stat().st_size)
    assert facts["device"]["name"] in ("cpu", "cuda")
    assert facts["encoderfile_version"] == package.__version__


def test_verify_compares_all_checksums(sentiment: BuiltFile) -> None:
    done = sentiment.run("verify")
    assert (done.returncode, done.stdout) == (0, f"{sentiment.path}: all checksums match\n")


def test_the_version_names_the_model_and_the_program(sentiment: BuiltFile) -> None:
    assert sentiment.run("--version").stdout == f"sentiment 0.1.0 (encoderfile {package.__version__})\n"


@pytest.mark.parametrize("command", ["serve", "infer", "mcp", "info"])
def test_every_command_explains_itself(command: str, sentiment: BuiltFile) -> None:
    done = sentiment.run(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: sentiment.encoderfile {command}")


@pytest.mark.proves("ENC Beyond the page", "Commands, flags and their variables")
def test_help_shows_each_flag_of_serve_with_its_variable(sentiment: BuiltFile) -> None:
    text = " ".join(sentiment.run("serve", "--help").stdout.split())
    flags = (
        "http-hostname http-port grpc-hostname grpc-port disable-http disable-grpc disable-mcp cert-file key-file "
        "api-key device device-id threads instances max-batch-tokens max-queue max-inputs max-body-bytes "
        "max-output-values overflow log-format log-level"
    )
    for flag in flags.split():
        assert f"--{flag} " in text
        assert f"ENCODERFILE_{flag.replace('-', '_').upper()}" in text


@pytest.mark.proves("ENC Beyond the page", "Commands, flags and their variables")
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["serve", "--no-such-flag"],
        ["serve", "--http-port", "http"],
        ["serve", "--http-port", "65536"],
        ["infer"],
        ["infer", "text", "-i", "file"],
        ["infer", "text", "-f", "xml"],
        ["mcp", "--transport", "sse"],
    ],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], sentiment: BuiltFile) -> None:
    done = sentiment.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: sentiment.encoderfile")


def test_a_wrong_variable_is_wrong_usage_too(sentiment: BuiltFile) -> None:
    done = sentiment.run("serve", env={"ENCODERFILE_HTTP_PORT": "http"})
    assert done.returncode == 2
    assert "http" in done.stderr


def test_a_closed_pipe_is_not_a_crash(sentiment: BuiltFile, tmp_path: Path) -> None:
    script = '"$0" info --json | head -c 1'
    done = subprocess.run(
        ["sh", "-c", script, sentiment.path], env=sentiment.environment(), capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("{", "")
