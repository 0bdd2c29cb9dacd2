"""A damaged or cut file says so and exits 1; it never answers."""

import os
import shutil
from pathlib import Path

import pytest

from encoderfile.container import Container
from support.files import BuiltFile, sentence

PARTS = ["weights.bin", "tokenizer.json", "graph.onnx", "config.json", "the manifest"]
COMMANDS = {
    "serve": ["serve", "--http-port", "0", "--grpc-port", "0"],
    "infer": ["infer", "hello"],
    "info": ["info"],
}


def flip(file: Path, offset: int) -> None:
    """Turns one bit over."""
    with file.open("r+b") as opened:
        opened.seek(offset)
        (byte,) = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([byte ^ 1]))


def damaged(source: BuiltFile, folder: Path, part: str) -> BuiltFile:
    """A copy of the file with one bit turned over in the middle of `part`."""
    copy = Path(shutil.copy(source.path, folder / "damaged"))
    with Container(copy) as container:
        if part == "the manifest":
            offset = container.manifest_offset + 100
        elif part == "the runtime":
            offset = container.pack.offset + container.pack.length // 2
        else:
            artifact = container.manifest.artifact(part)
            assert artifact is not None
            piece = container.slice_of(artifact)
            offset = piece.offset + piece.length // 2
    flip(copy, offset)
    return source.at(copy)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("part", PARTS)
def test_one_wrong_bit_in_the_model_is_refused(part: str, command: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    file = damaged(sentiment, tmp_path, part)
    reason = sentence(file.run(*COMMANDS[command]))
    assert reason.startswith(f"{file.path} is damaged: the ")
    assert ("its manifest" if part == "the manifest" else part) in reason


@pytest.mark.parametrize("command", ["verify", "mcp"])
def test_the_other_commands_refuse_it_too(command: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    assert "weights.bin" in sentence(damaged(sentiment, tmp_path, "weights.bin").run(command))


def test_one_wrong_bit_in_the_runtime_is_refused_before_it_runs(sentiment: BuiltFile, tmp_path: Path) -> None:
    file = damaged(sentiment, tmp_path, "the runtime")
    fresh = BuiltFile(file.path, tmp_path / "cache")
    assert "damaged" in sentence(fresh.run("infer", "hello"))
    assert "damaged" in sentence(file.run("verify"))


@pytest.mark.parametrize("command", ["serve", "infer", "info"])
@pytest.mark.parametrize("kept", ["nothing", "the launcher", "half", "all but one byte", "all and one byte more"])
def test_a_file_of_the_wrong_length_is_refused(kept: str, command: str, sentiment: BuiltFile, tmp_path: Path) -> None:
    copy = Path(shutil.copy(sentiment.path, tmp_path / "cut"))
    with Container(copy) as container:
        size, launcher = container.size, container.payload_offset
    lengths = {
        "nothing": 100,
        "the launcher": launcher,
        "half": size // 2,
        "all but one byte": size - 1,
        "all and one byte more": size + 1,
    }
    os.truncate(copy, lengths[kept])
    if kept == "nothing":
        with pytest.raises(OSError, match="Exec format error"):
            sentiment.at(copy).run(*COMMANDS[command])
    else:
        assert "copy it again" in sentence(sentiment.at(copy).run(*COMMANDS[command]))


def test_a_damaged_library_is_unpacked_again_before_it_runs(sentiment: BuiltFile, tmp_path: Path) -> None:
    file = BuiltFile(sentiment.path, tmp_path / "cache")
    good = file.run("infer", "hello")
    library = next((tmp_path / "cache").rglob("onnxruntime_pybind11_state*.so"))
    size = library.stat().st_size
    os.truncate(library, size // 2)
    assert file.run("infer", "hello").stdout == good.stdout
    assert library.stat().st_size == size


def test_a_module_that_was_put_beside_ours_does_not_run(sentiment: BuiltFile, tmp_path: Path) -> None:
    file = BuiltFile(sentiment.path, tmp_path / "cache")
    good = file.run("infer", "hello")
    added = next((tmp_path / "cache").glob("*/_internal")) / "json.py"
    added.write_text("raise SystemExit('shadowed')")
    assert file.run("infer", "hello").stdout == good.stdout
    assert not added.exists()


def test_verify_reads_what_runs(sentiment: BuiltFile, tmp_path: Path) -> None:
    file = BuiltFile(sentiment.path, tmp_path / "cache")
    assert file.run("verify").returncode == 0
    library = next((tmp_path / "cache").rglob("cygrpc*.so"))
    times = library.stat().st_atime_ns, library.stat().st_mtime_ns
    flip(library, library.stat().st_size // 2)
    os.utime(library, ns=times)
    reason = sentence(file.run("verify"))
    assert reason.startswith(f"{library} differs from {file.path}: remove {tmp_path / 'cache'}/")
