"""A file whose model has prompts: on every way in what `SentenceTransformer.encode` does."""

import json
from typing import Any

import numpy as np
import pytest

from support.files import BuiltFile
from support.graphs import copy, edit_json

TEXTS = ["Hello World!", "a"]
PROMPTS = {"query": "query: ", "passage": "passage: "}


@pytest.fixture(scope="module")
def prompted(files: Any, tmp_path_factory: pytest.TempPathFactory) -> BuiltFile:
    folder = copy("bert-st", tmp_path_factory.mktemp("prompted") / "model")
    edit_json(folder, "config_sentence_transformers.json", prompts=PROMPTS, default_prompt_name="query")
    file: BuiltFile = files.build("prompted", folder)
    return file


def told(file: BuiltFile, *arguments: str) -> list[Any]:
    done = file.run("infer", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [each["embedding"] for each in json.loads(done.stdout)["results"]]


def behind(prompt: str, file: BuiltFile) -> list[Any]:
    return told(file, "--default-prompt", "none", *(prompt + text for text in TEXTS))


def test_infer_has_the_default_a_name_a_text_or_none(prompted: BuiltFile) -> None:
    cases: list[tuple[list[str], str]] = [
        ([], "query: "),
        (["--prompt-name", "passage"], "passage: "),
        (["--prompt", "Find: "], "Find: "),
        (["--prompt", ""], ""),
        (["--default-prompt", "passage"], "passage: "),
    ]
    for flags, prompt in cases:
        np.testing.assert_allclose(told(prompted, *flags, *TEXTS), behind(prompt, prompted), atol=1e-6)


@pytest.mark.parametrize(("flags", "prompt"), [([], "query: "), (["--default-prompt", "passage"], "passage: ")])
def test_every_server_does_the_same(flags: list[str], prompt: str, prompted: BuiltFile, clients: Any) -> None:
    wanted = behind(prompt, prompted)
    with prompted.serve(*flags) as server:
        http = clients("http", server, "embed")
        for client in (http, clients("grpc", server, "embed"), clients("mcp", server, "embed")):
            found = [each["embedding"] for each in client.predict(TEXTS).results]
            np.testing.assert_allclose(found, wanted, atol=1e-6)
        body = {"model": "prompted", "input": TEXTS}
        data = http.request("POST", "/v1/embeddings", json=body).json()["data"]
        np.testing.assert_allclose([each["embedding"] for each in data], wanted, atol=1e-6)
        items = http.request(
            "POST",
            "/v1/encode/prompted",
            json={"items": [{"text": text} for text in TEXTS]},
            headers={"accept": "application/json"},
        ).json()["items"]
        np.testing.assert_allclose([each["dense"]["values"] for each in items], wanted, atol=1e-6)


def test_info_names_the_prompts(prompted: BuiltFile) -> None:
    manifest = json.loads(prompted.run("info", "--json").stdout)["manifest"]
    assert (manifest["prompts"], manifest["default_prompt_name"]) == (PROMPTS, "query")
    assert "query unless a request names another" in prompted.run("info").stdout
