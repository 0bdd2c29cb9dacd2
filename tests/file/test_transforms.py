"""Built files with a transform: each type over HTTP, what they bring for it, and what is told of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.container import Container
from encoderfile.manifest import LUA, TRANSFORM
from encoderfile.pack import COMPONENTS_PATH, entries, read
from support.files import BuiltFile, encoderfile
from support.models import DEMO
from support.scripts_in_lua import POOLED, SOFTMAX, SOFTMAX_OF_TOKENS, UNIT_TOKENS

TEXTS = ["John lives in Paris", "I love it", "a"]
OF_TYPE = {
    "embedding": ("embed", UNIT_TOKENS),
    "sentence_embedding": ("embed", POOLED),
    "sequence_classification": ("sentiment", SOFTMAX),
    "token_classification": ("ner", SOFTMAX_OF_TOKENS),
}


@pytest.fixture(scope="module")
def transformed(files: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function of a model type: its file with a transform."""
    built: dict[str, BuiltFile] = {}

    def of(model_type: str) -> BuiltFile:
        if model_type not in built:
            folder, source = OF_TYPE[model_type]
            script = tmp_path_factory.mktemp("script") / "transform.lua"
            script.write_text(source)
            flags = ("--model-type", model_type, "--transform", str(script))
            built[model_type] = files.build(f"transformed-{model_type}", DEMO[folder], *flags)
        return built[model_type]

    return of


def answered(file: BuiltFile, model_type: str, clients: Any) -> list[dict[str, Any]]:
    body: dict[str, Any] = {"inputs": TEXTS}
    if model_type == "embedding":
        body["normalize"] = False
    with file.serve() as server:
        answer = clients("http", server, OF_TYPE[model_type][0]).post(json.dumps(body))
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def unit(array: Any) -> Any:
    return np.array(array) / np.linalg.norm(array, axis=-1, keepdims=True)


@pytest.mark.parametrize("model_type", OF_TYPE)
def test_http_answers_with_what_the_script_gives(model_type: str, transformed: Any, clients: Any) -> None:
    for each in answered(transformed(model_type), model_type, clients):
        if model_type == "embedding":
            vectors = [token["embedding"] for token in each["embeddings"]]
            close(vectors, unit(vectors))
        elif model_type == "sentence_embedding":
            close(each["embedding"], unit(each["embedding"]))
        else:
            for labelled in each.get("tokens", [each]):
                assert labelled["logits"] == labelled["scores"]
                close(sum(labelled["scores"]), 1)


def test_infer_gives_the_same_as_the_server(transformed: Any, clients: Any) -> None:
    file = transformed("sequence_classification")
    done = file.run("infer", *TEXTS)
    assert (done.returncode, done.stderr) == (0, "")
    for found, served in zip(
        json.loads(done.stdout)["results"], answered(file, "sequence_classification", clients), strict=True
    ):
        close(found["scores"], served["scores"])


def test_the_script_is_an_artifact_and_lua_a_pack_beside_the_runtime(transformed: Any, files: Any) -> None:
    with Container(transformed("sequence_classification").path) as file, Container(files["sentiment"].path) as plain:
        assert file.read(TRANSFORM).decode() == SOFTMAX
        artifact = file.manifest.artifact(LUA)
        assert artifact is not None
        pack = file.slice_of(artifact)
        names = [each.path for each in entries(pack)]
        assert COMPONENTS_PATH in names
        assert len(names) == 2
        assert [each["name"] for each in json.loads(read(pack, COMPONENTS_PATH))] == ["lupa", "lua"]
        assert entries(file.pack) == entries(plain.pack)
        assert plain.manifest.artifact(LUA) is plain.manifest.artifact(TRANSFORM) is None
        assert not [each.path for each in entries(plain.pack) if "lupa" in each.path or "lua5" in each.path]


def test_info_and_inspect_tell_of_it(transformed: Any) -> None:
    file = transformed("token_classification")
    lines = [line.split(maxsplit=1) for line in file.run("info").stdout.splitlines()]
    assert ["transform", "in Lua, with the libraries math, string, table"] in lines
    told = json.loads(encoderfile("inspect", file.path).stdout)["encoderfile_config"]
    assert told["transform"] == SOFTMAX_OF_TOKENS
    assert told["lua_libs"] == ["math", "string", "table"]


def test_the_licences_of_lua_are_listed_for_files_that_have_it(transformed: Any, files: Any, tmp_path: Path) -> None:
    with_lua = json.loads(transformed("sequence_classification").run("info", "--sbom").stdout)
    without = json.loads(files["sentiment"].run("info", "--sbom").stdout)
    names = [{each["name"] for each in document["components"]} for document in (with_lua, without)]
    assert names[0] - names[1] == {"lupa", "lua"}


def test_extract_gives_the_script_and_upgrade_keeps_it(transformed: Any, tmp_path: Path) -> None:
    file = transformed("sequence_classification")
    assert encoderfile("extract", file.path, tmp_path / "model").returncode == 0
    assert (tmp_path / "model" / "transform.lua").read_text() == SOFTMAX
    assert not (tmp_path / "model" / LUA).exists()
    done = encoderfile("upgrade", file.path, "-o", tmp_path / "new")
    assert done.returncode == 0, done.stderr
    new = BuiltFile(tmp_path / "new", file.cache)
    assert new.run("infer", "I love it").stdout == file.run("infer", "I love it").stdout


def test_it_needs_no_cache_folder_where_it_was_unpacked_beside_the_file(transformed: Any, tmp_path: Path) -> None:
    file = transformed("sequence_classification")
    assert file.run("unpack", tmp_path / "there").returncode == 0
    moved = BuiltFile(tmp_path / "there" / file.path.name, Path("/proc/nowhere"))
    assert moved.run("infer", "I love it").stdout == file.run("infer", "I love it").stdout


def test_no_variable_changes_the_script(transformed: Any) -> None:
    file = transformed("sequence_classification")
    changed = {"ENCODERFILE_TRANSFORM": "/dev/null", "ENCODERFILE_LUA_LIBS": "os", "LUA_INIT": "error('read')"}
    assert file.run("infer", "I love it", env=changed).stdout == file.run("infer", "I love it").stdout


def test_the_same_build_gives_the_same_bytes(transformed: Any, files: Any, tmp_path: Path) -> None:
    script = tmp_path / "transform.lua"
    script.write_text(SOFTMAX)
    first = transformed("sequence_classification").path
    flags = ("--name", "transformed-sequence_classification", "--model-type", "sequence_classification")
    done = encoderfile("build", DEMO["sentiment"], *flags, "--transform", script, "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again").read_bytes() == first.read_bytes()


def test_a_skeleton_is_printed_for_each_type_that_has_transforms() -> None:
    for model_type in OF_TYPE:
        done = encoderfile("new-transform", "--model-type", model_type)
        assert (done.returncode, done.stderr) == (0, "")
        assert "function Postprocess(output" in done.stdout
    refused = encoderfile("new-transform", "-m", "zero_shot_classification")
    assert refused.returncode == 2
