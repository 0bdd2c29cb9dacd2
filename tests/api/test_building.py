"""Building from Python, up to the build itself: what the builder is told, and how it refuses."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import encoderfile
from encoderfile import BatchLongest, EncoderfileBuilder, Fixed, ModelType, TargetSpec, TokenizerBuildConfig
from encoderfile.builder import build as builder
from encoderfile.builder.config import BuildConfig, TokenizerOptions
from encoderfile.errors import ConfigError, EncoderfileError, InternalError, MissingError, ModelError
from encoderfile.progress import Progress

SCRIPT = "function Postprocess(arr) return arr:softmax(2) end"


@dataclass
class Builds:
    """Stands in for the builder: notes what it is told, and answers with the path of the file."""

    told: list[BuildConfig] = field(default_factory=list)
    failure: BaseException | None = None

    def __call__(self, config: BuildConfig, say: Callable[[str], None]) -> Any:
        self.told.append(config)
        if self.failure is not None:
            raise self.failure
        say("a step")
        self.progress = Progress("a long step")
        return type("Built", (), {"path": config.target})


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Builds:
    found = Builds()
    monkeypatch.setattr(builder, "build", found)
    return found


def some(**more: Any) -> EncoderfileBuilder:
    return EncoderfileBuilder(name="m", model_type="embedding", path="model", **more)


def test_every_argument_is_followed(builds: Builds) -> None:
    encoder = EncoderfileBuilder(
        name="my-ner",
        model_type=ModelType.TokenClassification,
        path=Path("ner-model"),
        version="1.2.0",
        output_path="build/my-ner.encoderfile",
        cache_dir="cache",
        base_binary_path=Path("base"),
        transform=SCRIPT,
        lua_libs=["table", "math"],
        tokenizer=TokenizerBuildConfig(
            pad_strategy=Fixed(n=512),
            truncation_side="left",
            truncation_strategy="only_first",
            max_length=256,
            stride=2,
        ),
        validate_transform=False,
        target=TargetSpec("aarch64-unknown-linux-gnu"),
    )
    assert encoder.build() == Path("build/my-ner.encoderfile")
    assert builds.told == [
        BuildConfig(
            path=Path("ner-model"),
            name="my-ner",
            version="1.2.0",
            model_type="token_classification",
            output_path=Path("build/my-ner.encoderfile"),
            cache_dir=Path("cache"),
            base_binary_path=Path("base"),
            platform="linux-aarch64",
            tokenizer=TokenizerOptions(256, "left", "only_first", 2, 512),
            transform=SCRIPT,
            lua_libs=("math", "table"),
            validate_transform=False,
        )
    ]


def test_what_is_left_out_is_as_in_an_empty_yaml_file(builds: Builds) -> None:
    assert some().build() == Path("m.encoderfile")
    assert builds.told == [BuildConfig(path=Path("model"), name="m", model_type="embedding")]


def test_padding_to_the_longest_is_the_usual_way(builds: Builds) -> None:
    some(tokenizer=TokenizerBuildConfig(pad_strategy=BatchLongest())).build()
    assert builds.told[0].tokenizer == TokenizerOptions()


def test_files_may_be_named_one_by_one(builds: Builds) -> None:
    files = {"model_weights_path": "a/m.onnx", "model_config_path": "config.json", "tokenizer_path": "tokenizer.json"}
    EncoderfileBuilder(name="m", model_type="embedding", path=files).build()
    assert builds.told[0].onnx == Path("a/m.onnx")
    assert builds.told[0].files == {"config.json": Path("config.json"), "tokenizer.json": Path("tokenizer.json")}


def test_flat_arguments_mean_the_same(builds: Builds, tmp_path: Path) -> None:
    (tmp_path / "softmax.lua").write_text(SCRIPT)
    encoderfile.build(
        name="m",
        model_type="embedding",
        path="model",
        transform_path=tmp_path / "softmax.lua",
        lua_libs=["math"],
        tokenizer_pad_to=512,
        tokenizer_truncation_side="right",
        tokenizer_truncation_strategy="longest_first",
        tokenizer_max_length=256,
        tokenizer_stride=0,
        target="x86_64-unknown-linux-gnu",
        no_download=True,
    )
    some(
        transform=SCRIPT,
        lua_libs=["math"],
        tokenizer=TokenizerBuildConfig(
            pad_strategy=Fixed(n=512),
            truncation_side="right",
            truncation_strategy="longest_first",
            max_length=256,
            stride=0,
        ),
        target="x86_64-unknown-linux-gnu",
    ).build(no_download=True)
    assert builds.told[0] == builds.told[1]


@pytest.mark.parametrize("pad_to", ["batch_longest", None])
def test_padding_of_flat_arguments_is_to_the_longest(builds: Builds, pad_to: Any) -> None:
    encoderfile.build(name="m", model_type="embedding", path="model", tokenizer_pad_to=pad_to, transform_str=SCRIPT)
    assert (builds.told[0].tokenizer, builds.told[0].transform) == (TokenizerOptions(), SCRIPT)


def config_file(folder: Path, **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump({"encoderfile": {"name": "m", "path": "model", **more}}))
    return file


def test_a_yaml_file_describes_the_same(builds: Builds, tmp_path: Path) -> None:
    file = config_file(tmp_path / "a", model_type="embedding")
    assert encoderfile.build_from_config(str(file)) == Path("m.encoderfile")
    assert builds.told == [BuildConfig(path=tmp_path / "a" / "model", name="m", model_type="embedding")]


def test_a_working_folder_is_where_relative_paths_start(builds: Builds, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "softmax.lua").write_text(SCRIPT)
    file = config_file(tmp_path / "a", cache_dir="cache", transform={"path": "softmax.lua"})
    assert encoderfile.build_from_config(file, workdir=str(work)) == work / "m.encoderfile"
    assert some(transform="softmax.lua", output_path="out/x").build(workdir=work) == work / "out" / "x"
    assert encoderfile.build(
        name="m", model_type="embedding", path="model", transform_path="softmax.lua", workdir=work
    ) == (work / "m.encoderfile")
    for told in builds.told:
        assert (told.path, told.transform) == (work / "model", SCRIPT)
    assert builds.told[0].cache_dir == work / "cache"


def test_the_steps_are_logged_and_nothing_is_printed(
    builds: Builds, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "encoderfile"):
        some().build()
    assert caplog.record_tuples == [("encoderfile.api.building", logging.INFO, "a step")]
    builds.progress.advance(1e9)
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize("version", [encoderfile.__version__, f"v{encoderfile.__version__}"])
def test_the_runtime_is_of_this_version(builds: Builds, version: str) -> None:
    some().build(version=version)
    assert len(builds.told) == 1


def test_a_runtime_of_another_version_is_refused(builds: Builds) -> None:
    with pytest.raises(ValueError, match=r"which puts its own runtime into files: leave .* 0\.7\.0 out"):
        some().build(version="0.7.0")
    assert not builds.told


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"model_type": "whatever"}, ValueError, "model_type is 'whatever': choose embedding or sentence_embedding"),
        ({"model_type": "whatever"}, RuntimeError, "model_type is 'whatever'"),
        ({"target": "nonsense!"}, ValueError, "invalid or unsupported target triple `nonsense!`"),
        ({"target": TargetSpec("aarch64-apple-darwin")}, ValueError, "aarch64-apple-darwin is not supported: choose"),
        ({"lua_libs": ["os"]}, ValueError, "the Lua library os is not for transforms"),
        ({"transform": ""}, ValueError, "the transform in .* is empty"),
        ({"tokenizer": TokenizerBuildConfig(max_length=0)}, ValueError, "`tokenizer.max_length` should be"),
        ({"name": ".."}, ValueError, "the name '..' cannot be used"),
        ({"path": {"model_weights_path": "m.onnx"}}, ValueError, "`path.model_config_path` is missing"),
        ({"path": 3}, TypeError, "expected str, bytes or os.PathLike object, not int"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_build(given: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        EncoderfileBuilder(**{"name": "m", "model_type": "embedding", "path": "model", **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"transform_str": SCRIPT, "transform_path": "a.lua"}, "transform_str and transform_path are both given"),
        ({"tokenizer_pad_to": "longest"}, "tokenizer_pad_to should be 'batch_longest' or a number of tokens"),
    ],
)
def test_a_wrong_flat_argument_is_refused(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        encoderfile.build(name="m", model_type="embedding", path="model", **given)


def test_arguments_have_names() -> None:
    with pytest.raises(TypeError, match="positional"):
        EncoderfileBuilder("m", "embedding", "model")  # type: ignore[misc]


@pytest.mark.parametrize(
    "call",
    [
        lambda path: EncoderfileBuilder.from_config(path / "absent.yml"),
        lambda path: encoderfile.build_from_config(str(path / "absent.yml")),
        lambda path: some(transform=str(path / "absent.lua")).build(),
        lambda path: encoderfile.build(
            name="m", model_type="embedding", path="model", transform_path=path / "absent.lua"
        ),
        lambda path: encoderfile.read_metadata(path / "absent.encoderfile"),
        lambda path: EncoderfileBuilder(name="m", model_type="embedding", path=path / "absent").build(),
        lambda path: EncoderfileBuilder(name="m", model_type="embedding", path=path).build(),
        lambda path: EncoderfileBuilder(
            name="m", model_type="embedding", path=path, base_binary_path=path / "absent.pack"
        ).build(),
    ],
    ids=["config", "config of a function", "script", "script of a function", "file", "model", "graph", "runtime"],
)
def test_a_path_at_which_nothing_is_is_named(call: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        call(tmp_path)
    assert str(tmp_path) in str(refused.value)
    assert isinstance(refused.value, RuntimeError)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("encoderfile: [", "is not valid YAML"),
        ("name: m", "has no top-level key `encoderfile:`"),
        ("encoderfile: {name: m}", "`path` is missing"),
        ("encoderfile: {path: m, model_type: poetry}", "`model_type` is poetry"),
    ],
)
def test_a_wrong_yaml_file_is_refused_when_it_is_read(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(text)
    with pytest.raises(ValueError, match=words):
        EncoderfileBuilder.from_config(tmp_path / "config.yml")


def caused(error: EncoderfileError, cause: Exception) -> EncoderfileError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("failure", "kinds"),
    [
        (ConfigError("no"), {ValueError, RuntimeError}),
        (ModelError("no"), {ValueError, RuntimeError}),
        (MissingError("no"), {FileNotFoundError, RuntimeError}),
        (caused(ConfigError("no"), PermissionError()), {RuntimeError}),
        (caused(ConfigError("no"), FileNotFoundError()), {FileNotFoundError, RuntimeError}),
        (InternalError("no"), {RuntimeError}),
        (OSError(28, "no"), {RuntimeError}),
    ],
    ids=["config", "model", "missing", "permission", "not found", "internal", "system"],
)
def test_a_failed_build_raises_what_the_page_says(
    builds: Builds, failure: BaseException, kinds: set[type[Exception]]
) -> None:
    builds.failure = failure
    with pytest.raises(RuntimeError, match="no") as raised:
        some().build()
    assert {kind for kind in (ValueError, FileNotFoundError, RuntimeError) if isinstance(raised.value, kind)} == kinds
