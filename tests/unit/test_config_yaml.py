"""The YAML of the ecosystem: every key, and one sentence for whatever cannot be followed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from encoderfile.builder.config import BuildConfig, TokenizerOptions
from encoderfile.builder.config_sources import from_yaml
from encoderfile.errors import ConfigError
from encoderfile.tasks import TASKS
from support.refusals import one_sentence


def written(folder: Path, body: object, top: str = "encoderfile") -> Path:
    file = folder / "build.yml"
    file.write_text(yaml.safe_dump({top: body}), encoding="utf-8")
    return file


def read(folder: Path, **body: Any) -> BuildConfig:
    return from_yaml(written(folder, {"path": "model", **body}))


def refusal(folder: Path, text: str) -> str:
    file = folder / "build.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        from_yaml(file)
    return one_sentence(refused.value)


def test_every_key_is_followed(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        name="my-model",
        version="2.0.0",
        path="export",
        model_type="token_classification",
        output_path="out/model",
        cache_dir="cache",
        base_binary_path="base",
        device="cpu",
        onnx="export/model_quantized.onnx",
        transform=None,
        tokenizer={
            "pad_strategy": {"fixed": 32},
            "truncation_side": "left",
            "truncation_strategy": "only_first",
            "max_length": 64,
            "stride": 2,
        },
    )
    assert found == BuildConfig(
        path=tmp_path / "export",
        onnx=tmp_path / "export" / "model_quantized.onnx",
        name="my-model",
        version="2.0.0",
        model_type="token_classification",
        output_path=tmp_path / "out" / "model",
        cache_dir=tmp_path / "cache",
        base_binary_path=tmp_path / "base",
        device="cpu",
        tokenizer=TokenizerOptions(
            max_length=64, truncation_side="left", truncation_strategy="only_first", stride=2, fixed_length=32
        ),
    )


def test_a_path_is_all_that_is_needed(tmp_path: Path) -> None:
    assert read(tmp_path) == BuildConfig(path=tmp_path / "model")


def test_keys_without_a_value_are_as_if_left_out(tmp_path: Path) -> None:
    empty = {
        "name": None,
        "version": None,
        "model_type": None,
        "output_path": None,
        "cache_dir": None,
        "tokenizer": None,
    }
    assert read(tmp_path, **empty) == BuildConfig(path=tmp_path / "model")


@pytest.mark.parametrize("model_type", TASKS)
def test_every_model_type_has_its_name(tmp_path: Path, model_type: str) -> None:
    assert read(tmp_path, model_type=model_type).model_type == model_type


@pytest.mark.parametrize("strategy", [None, "batch_longest"])
def test_padding_to_the_longest_is_the_usual_way(tmp_path: Path, strategy: str | None) -> None:
    assert read(tmp_path, tokenizer={"pad_strategy": strategy}).tokenizer == TokenizerOptions()


def test_a_number_where_a_text_belongs_is_read_as_text(tmp_path: Path) -> None:
    found = read(tmp_path, name=7, version=1.5)
    assert (found.name, found.version) == ("7", "1.5")


def test_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    found = read(tmp_path, path="/models/bert", output_path="/out/bert")
    assert (found.path, found.output_path) == (Path("/models/bert"), Path("/out/bert"))


def test_relative_paths_start_from_the_file_and_not_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "elsewhere").mkdir()
    written(tmp_path / "config", {"path": "../model"})
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert from_yaml(Path("../config/build.yml")).path.resolve() == tmp_path / "model"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    found = read(tmp_path, path="~/models/bert", cache_dir="~/.cache/encoderfile", output_path="a~b")
    assert found.path == Path("/home/someone/models/bert")
    assert found.cache_dir == Path("/home/someone/.cache/encoderfile")
    assert found.output_path == tmp_path / "a~b"


def test_the_home_folder_of_nobody_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "encoderfile: {path: ~nobody-here/model}") == (
        "`path` is ~nobody-here/model, and there is no such home folder: write the path in full"
    )


PUBLISHED = {
    "cli.md": """
encoderfile:
  # Model identifier (used in API responses)
  name: my-model
  version: "1.0.0"
  path: ./models/my-model
  model_type: embedding
  output_path: ./build/my-model.encoderfile
  cache_dir: ~/.cache/encoderfile
  transform:
    path: ./transforms/normalize.lua
  validate_transform: true
  build: true
""",
    "building.md": """
encoderfile:
  name: my-model
  model_type: embedding
  output_path: ./build/my-model.encoderfile
  path:
    model_config_path: ./models/config.json
    model_weights_path: ./models/model.onnx
    tokenizer_path: ./models/tokenizer.json
  lua_libs:
    - table
    - string
    - math
  transform: "function Postprocess(logits) return logits:lp_normalize(2.0, 2.0) end"
  tokenizer:
    pad_strategy:
      fixed: 512
    truncation_side: right
    truncation_strategy: longest_first
    max_length: 512
    stride: 0
  target: x86_64-unknown-linux-gnu
""",
}
"""Files in the form of those that encoderfile 0.7 documents."""


@pytest.mark.parametrize("page", PUBLISHED)
def test_files_of_encoderfile_07_are_followed(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "transforms").mkdir()
    (tmp_path / "transforms" / "normalize.lua").write_text("function Postprocess(x) return x end")
    (tmp_path / "build.yml").write_text(PUBLISHED[page])
    found = from_yaml(tmp_path / "build.yml")
    assert (found.name, found.model_type, found.validate_transform) == ("my-model", "embedding", True)
    assert (found.transform or "").startswith("function Postprocess")
    assert found.output_path == tmp_path / "build" / "my-model.encoderfile"


def test_a_build_that_is_not_wanted_is_a_check(tmp_path: Path) -> None:
    assert refusal(tmp_path, "encoderfile: {path: m, build: false}") == (
        "`build: false` has no files to leave: `encoderfile check` says what would be built"
    )


def test_files_may_be_named_one_by_one(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        path={
            "model_config_path": "a/config.json",
            "model_weights_path": "b/weights.onnx",
            "tokenizer_path": "c/tokenizer.json",
            "tokenizer_config_path": "d/tokenizer_config.json",
        },
    )
    assert found.onnx == tmp_path / "b" / "weights.onnx"
    assert found.path == tmp_path / "b"
    assert found.files == {
        "config.json": tmp_path / "a" / "config.json",
        "tokenizer.json": tmp_path / "c" / "tokenizer.json",
        "tokenizer_config.json": tmp_path / "d" / "tokenizer_config.json",
    }


@pytest.mark.parametrize("key", ["model_config_path", "model_weights_path", "tokenizer_path"])
def test_a_file_that_was_not_named_is_missed(tmp_path: Path, key: str) -> None:
    paths = {"model_config_path": "a", "model_weights_path": "b", "tokenizer_path": "c"}
    del paths[key]
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, path=paths)
    assert one_sentence(refused.value) == f"`path.{key}` is missing: give it, or give the model's folder as `path`"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("encoderfile: {path: m, nmae: x}", "encoderfile has an unknown key `nmae`: did you mean `name`?"),
        ("encoderfile: {path: m, outputpath: x}", "unknown key `outputpath`: did you mean `output_path`?"),
        ("encoderfile: {path: m, modeltype: x}", "unknown key `modeltype`: did you mean `model_type`?"),
        (
            "encoderfile: {path: m, tokenizer: {max_len: 3}}",
            "tokenizer has an unknown key `max_len`: did you mean `max_length`?",
        ),
        (
            "encoderfile: {path: {model_config: m}}",
            "path has an unknown key `model_config`: did you mean `model_config_path`?",
        ),
        (
            "encoderfile: {path: m}\nencoderfiles: {}",
            "has an unknown key `encoderfiles`: did you mean `encoderfile`?",
        ),
        ("encoderfile: {path: m, 7: x}", "encoderfile has an unknown key `7`: did you mean `"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


SCRIPT = "function Postprocess(logits)\n  return logits\nend"


def test_a_transform_is_a_script_or_the_file_of_one(tmp_path: Path) -> None:
    (tmp_path / "transform.lua").write_text(f"\n{SCRIPT}\n")
    assert read(tmp_path, transform=f"  {SCRIPT}\n").transform == SCRIPT
    assert read(tmp_path, transform={"path": "transform.lua"}).transform == SCRIPT


def test_a_transform_is_tried_unless_told_otherwise(tmp_path: Path) -> None:
    assert read(tmp_path, transform=SCRIPT).validate_transform
    assert not read(tmp_path, transform=SCRIPT, validate_transform=False).validate_transform


def test_the_libraries_of_lua_are_named_in_any_order(tmp_path: Path) -> None:
    assert read(tmp_path).lua_libs is None
    assert read(tmp_path, lua_libs=[]).lua_libs == ()
    assert read(tmp_path, lua_libs=["utf8", "math", "math"]).lua_libs == ("math", "utf8")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("transform: ''", "the transform in `transform` is empty: define the function Postprocess, or leave it out"),
        ("transform: 3", "`transform` should be a script in Lua or {path: FILE}, got 3"),
        ("transform: t.lua", "the transform in `transform` is the name of a file: give {path: t.lua}"),
        ("transform: {}", "`transform.path` is missing: name the file of the script"),
        ("transform: {file: t.lua}", "transform has an unknown key `file`: did you mean `path`?"),
        ("validate_transform: maybe", "`validate_transform` should be true or false, got 'maybe'"),
        ("lua_libs: math", "`lua_libs` should be a list of names, got 'math'"),
        ("lua_libs: [maths]", "there is no Lua library maths: choose among coroutine, math, string, table, utf8"),
        (
            "lua_libs: [math, io]",
            "the Lua library io is not for transforms: it reads and writes the files of whoever runs the model",
        ),
        (
            "lua_libs: [os]",
            "the Lua library os is not for transforms: it starts programs on the machine of whoever runs the model",
        ),
        (
            "lua_libs: [package]",
            "the Lua library package is not for transforms: it loads code that is not in the file",
        ),
        ("lua_libs: [debug]", "the Lua library debug is not for transforms: it reaches outside of the sandbox"),
    ],
)
def test_a_transform_that_cannot_be_read_is_refused(tmp_path: Path, keys: str, said: str) -> None:
    assert refusal(tmp_path, f"encoderfile: {{path: m, {keys}}}") == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1bLua\x54\x00\xff", "is no text in UTF-8: give Lua source, not bytecode"),
        (b"-" * 300_000, "has more than 256 KB: give Lua source"),
        (None, "No such file or directory"),
    ],
    ids=["bytecode", "large", "missing"],
)
def test_a_file_that_is_no_script_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "t.lua").write_bytes(content)
    assert refusal(tmp_path, "encoderfile: {path: m, transform: {path: t.lua}}").endswith(said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("encoderfile: [", "is not valid YAML: "),
        ("encoderfile: {path: m}\n\tname: x", "is not valid YAML: "),
        ("", "has no top-level key `encoderfile:`"),
        ("- a\n- b", "has no top-level key `encoderfile:`"),
        ("name: x", "has no top-level key `encoderfile:`"),
        ("encoderfile: model", "`encoderfile` should hold keys and values, got 'model'"),
        ("encoderfile:", "`encoderfile` should hold keys and values, got None"),
        ("encoderfile: {name: x}", "`path` is missing: give the model's folder, or its files one by one"),
        ("encoderfile: {path: [m]}", "`path` is missing: give the model's folder, or its files one by one"),
        ("encoderfile: {path: m, name: [x]}", "`name` should be a string, got ['x']"),
        ("encoderfile: {path: m, name: true}", "`name` should be a string, got True"),
        (
            "encoderfile: {path: m, model_type: poetry}",
            "`model_type` is poetry: choose embedding or sentence_embedding or sequence_classification or ",
        ),
        ("encoderfile: {path: m, device: tpu}", "`device` is tpu: choose auto or cpu or cuda"),
        ("encoderfile: {path: m, tokenizer: 3}", "`tokenizer` should hold keys and values, got 3"),
        (
            "encoderfile: {path: m, tokenizer: {max_length: 0}}",
            "`tokenizer.max_length` should be an integer of at least 1, got 0",
        ),
        ("encoderfile: {path: m, tokenizer: {max_length: 1.5}}", "`tokenizer.max_length` should be an integer"),
        ("encoderfile: {path: m, tokenizer: {max_length: true}}", "`tokenizer.max_length` should be an integer"),
        ("encoderfile: {path: m, tokenizer: {max_length: '9'}}", "`tokenizer.max_length` should be an integer"),
        (
            "encoderfile: {path: m, tokenizer: {stride: -1}}",
            "`tokenizer.stride` should be an integer of at least 0, got -1",
        ),
        (
            "encoderfile: {path: m, tokenizer: {truncation_side: middle}}",
            "`tokenizer.truncation_side` is middle: choose left or right",
        ),
        (
            "encoderfile: {path: m, tokenizer: {truncation_strategy: none}}",
            "`tokenizer.truncation_strategy` is none: choose longest_first or only_first or only_second",
        ),
        (
            "encoderfile: {path: m, tokenizer: {pad_strategy: longest}}",
            "`tokenizer.pad_strategy` is 'longest': choose batch_longest or {fixed: N}",
        ),
        (
            "encoderfile: {path: m, tokenizer: {pad_strategy: {fixed: 0}}}",
            "`tokenizer.pad_strategy.fixed` should be an integer of at least 1, got 0",
        ),
        ("encoderfile: {path: m, tokenizer: {pad_strategy: {fixed: null}}}", "choose batch_longest or {fixed: N}"),
        ("encoderfile: {path: m, tokenizer: {pad_strategy: {exact: 3}}}", "choose batch_longest or {fixed: N}"),
    ],
)
def test_what_cannot_be_followed_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        from_yaml(tmp_path / "absent.yml")
    assert one_sentence(refused.value) == f"cannot read {tmp_path / 'absent.yml'}: No such file or directory"


def test_a_file_that_is_not_unicode_is_named(tmp_path: Path) -> None:
    (tmp_path / "build.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"build\.yml is not valid YAML: "):
        from_yaml(tmp_path / "build.yml")


BOMB = "encoderfile:\n  a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  {new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "encoderfile:\n  a: &a {x: 1}\n" + "".join(
    f"  {new}: &{new} {{<<: [{', '.join(['*' + old] * 9)}]}}\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "unknown key `a`"),
        (BOMB.replace("encoderfile:", "encoderfile:\n  path: m").replace("  i:", "  name:"), "unknown key `a`"),
        ("encoderfile: {path: m, name: &a [*a, *a]}", "`name` should be a string, got"),
        ("encoderfile: {path: m, name: &a {b: *a}}", "`name` should be a string, got"),
        (
            "encoderfile: {path: {model_config_path: &a [*a], model_weights_path: w, tokenizer_path: t}}",
            "`path.model_config_path` should be a string, got",
        ),
        (MERGES, "merge keys (<<) are not supported"),
        ("[" * 50_000, "nested too deep"),
        ("encoderfile: {path: m, name: " + "[" * 5000 + "]" * 5000 + "}", "nested too deep"),
        ("encoderfile: {path: m, name: " + "1" * 5000 + "}", "is not valid YAML"),
        ("encoderfile: {path: m, name: 0x" + "1" * 50_000 + "}", "is not valid YAML"),
        ("encoderfile: {path: m, tokenizer: {max_length: 0x" + "1" * 50_000 + "}}", "should be at most 2147483647"),
        ("encoderfile: {path: m, version: 2023-99-99}", "is not valid YAML"),
        ('encoderfile: {path: "a\\0b"}', "`path` should be printable"),
        ('encoderfile: {path: m, name: "a\\0b"}', "`name` should be printable"),
        ('encoderfile: {path: m, output_path: "a\\0b"}', "`output_path` should be printable"),
        ('encoderfile: {path: m, version: "1\\e[31m"}', "`version` should be printable"),
        ("encoderfile: {path: m, [1, 2]: 3}", ""),
        ("encoderfile: {path: m, ? {a: b} : 3}", "is not valid YAML"),
        ("encoderfile: {path: m, device: !!python/object/apply:os.system [id]}", "is not valid YAML"),
        ("x" * (1 << 20) + "y", "more than 1 MB"),
    ],
    ids=range(20),
)
def test_yaml_made_to_harm_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_config_that_is_not_unicode_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "build.yml"
    file.write_bytes(b"encoderfile: {path: \xff\xfe}")
    with pytest.raises(ConfigError, match="is not valid YAML"):
        from_yaml(file)
    with pytest.raises(ConfigError, match="cannot read"):
        from_yaml(tmp_path)
