"""Flags of encoderfile 0.7: each is followed, or refused with what to use instead."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import encoderfile
from encoderfile.builder import build as builder
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.runtimes import cache, packs
from encoderfile.cli.commands import cli as commands
from encoderfile.container import Slice
from encoderfile.errors import ConfigError
from encoderfile.runtime import cli
from support.payload import make


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The devices that `serve` was told, which starts nothing."""
    told: list[str] = []

    def device(_: Path, name: str, *__: object) -> None:
        told.append(name)
        raise ConfigError("far enough")

    monkeypatch.setattr(cli.cuda_libraries, "device", device)
    return told


def serve(*flags: str) -> Result:
    return CliRunner().invoke(cli.cli, ["serve", *flags], obj=Path("/nowhere/model"))


@pytest.mark.parametrize(
    ("flags", "device"),
    [
        (["--execution-provider", "cpu"], "cpu"),
        (["--execution-provider", "cuda"], "auto"),
        (["--execution-provider", "cuda", "--disable-cpu-fallback"], "cuda"),
        (["--disable-cpu-fallback"], "auto"),
        (["--with-arena-allocator", "--graph-optimization-level", "3", "--compute-units", "all"], "auto"),
        (["--device", "cpu", "--device-id", "0"], "cpu"),
    ],
)
def test_flags_for_onnxruntime_choose_the_device(flags: list[str], device: str, devices: list[str]) -> None:
    serve(*flags)
    assert devices == [device]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--execution-provider", "tensorrt"], "'tensorrt' is not one of 'cpu', 'cuda'"),
        (["--execution-provider", "cuda", "--device", "cpu"], "--execution-provider and --device say the same"),
        (["--graph-optimization-level", "1"], "graphs always run with all optimisations: leave it out"),
        (["--compute-units", "cpu-only"], "is for Core ML, which only macOS has: see --device"),
    ],
)
def test_what_this_runtime_has_not_is_refused(flags: list[str], words: str, devices: list[str]) -> None:
    done = serve(*flags)
    assert (done.exit_code, devices) == (2, [])
    assert words in " ".join(done.output.split())


@pytest.mark.parametrize("command", ["serve", "infer", "mcp"])
def test_they_are_for_old_scripts_and_not_in_the_help(command: str) -> None:
    shown = CliRunner().invoke(cli.cli, [command, "--help"]).output
    assert "--execution-provider" not in shown


def test_the_command_of_an_agent_repeats_those_that_mean_something(tmp_path: Path) -> None:
    flags = ["--execution-provider", "cpu", "--with-arena-allocator", "--graph-optimization-level", "3"]
    command = ["mcp", "--print-config", "claude-desktop", *flags]
    printed = json.loads(CliRunner().invoke(cli.cli, command, obj=make(tmp_path).path).output)
    (server,) = printed["mcpServers"].values()
    assert server["args"] == ["mcp", "--execution-provider", "cpu"]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[BuildConfig]:
    """What `build` was told, which builds nothing."""
    told: list[BuildConfig] = []

    def build(config: BuildConfig, *_: object) -> None:
        told.append(config)
        raise ConfigError("far enough")

    monkeypatch.setattr(builder, "build", build)
    return told


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, list(arguments))


def test_the_flags_of_a_build_are_followed(built: list[BuildConfig], tmp_path: Path) -> None:
    run(
        *("--cache-dir", "cache", "build", "bert", "--target", "aarch64-unknown-linux-gnu", "--no-download"),
        *("--runtime-version", encoderfile.__version__, "--output-dir", "out", "--directory", str(tmp_path)),
    )
    assert built == [
        BuildConfig(
            path=tmp_path / "bert",
            platform="linux-aarch64",
            cache_dir=tmp_path / "cache",
            output_path=tmp_path / "out" / "bert.encoderfile",
        )
    ]


def test_a_cache_folder_behind_the_command_wins(built: list[BuildConfig]) -> None:
    run("--cache-dir", "before", "build", "bert", "--cache-dir", "behind")
    assert built[0].cache_dir == Path("behind")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "bert", "--no-build"], "has no files to leave: `encoderfile check` says what would be built"),
        (["build", "bert", "-o", "a", "--output-dir", "b"], "give either --output-path or --output-dir"),
    ],
)
def test_what_a_build_has_not_is_refused(arguments: list[str], words: str, built: list[BuildConfig]) -> None:
    done = run(*arguments)
    assert (done.exit_code, built) == (2, [])
    assert words in done.output


@pytest.mark.parametrize("arguments", [["build", "bert"], ["runtime", "add"]], ids=" ".join)
def test_a_runtime_of_another_version_is_refused(arguments: list[str], built: list[BuildConfig]) -> None:
    done = run(*arguments, "--runtime-version", "0.7.0")
    assert isinstance(done.exception, ConfigError)
    assert "leave the runtime version 0.7.0 out" in str(done.exception)
    assert not built


def test_a_runtime_is_added_by_its_triple(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []

    def runtime(*given: Any) -> cache.Runtime:
        asked.append(given[:3])
        return cache.Runtime(Slice(tmp_path / "launcher", 0, 1), Slice(tmp_path / "runtime.pack", 0, 1))

    monkeypatch.setattr(packs, "runtime", runtime)
    done = run("--cache-dir", str(tmp_path), "runtime", "add", "aarch64-unknown-linux-gnu")
    assert asked == [("linux-aarch64", "cpu", tmp_path)]
    assert done.output == f"{tmp_path / 'runtime.pack'}\n"


def test_runtimes_are_removed_by_their_triple(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def kept(kind: str, platform: str) -> list[packs.Pack]:
        path = tmp_path / f"{kind}-{platform}.pack"
        if not path.exists():
            return []
        return [packs.Pack(Slice.whole(path), "0.1.0", "cpu", platform, None)]

    platforms = ("linux-x86_64", "linux-aarch64")
    for kind in ("frozen", "imported"):
        for platform in platforms:
            (tmp_path / f"{kind}-{platform}.pack").write_bytes(b"x")
        monkeypatch.setattr(packs, kind, lambda _, kind=kind: [p for each in platforms for p in kept(kind, each)])
    (tmp_path / "frozen-linux-aarch64.contents.json").write_text("{}")
    done = run("runtime", "remove", "aarch64-unknown-linux-gnu", "--cache-dir", str(tmp_path))
    assert done.output.split() == [str(tmp_path / f"{kind}-linux-aarch64.pack") for kind in ("frozen", "imported")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "frozen-linux-x86_64.pack",
        "imported-linux-x86_64.pack",
    ]
    again = run("runtime", "remove", "linux-aarch64", "--cache-dir", str(tmp_path))
    assert again.output == "no runtime for linux-aarch64 is kept here\n"
