"""`/api/tags`, `/api/ps`, `/api/show`, `/api/version`: the one model, as Ollama lists its models."""

import re
from datetime import datetime
from typing import Any

import pytest

import encoderfile
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.dialects import Sie, SieServers


def test_the_model_is_listed_under_each_of_its_names_with_a_tag(own: SieServers) -> None:
    service = own.servers.serve(Service(own.model("dense"), Limits(), served_names=["nomic-embed-text", "e5:small"]))
    models = own.serve(service).http.get("/api/tags").json()["models"]
    assert [each["name"] for each in models] == ["org/dense:latest", "nomic-embed-text:latest", "e5:small"]
    for each in models:
        assert each["model"] == each["name"]
        assert each["size"] == service.metrics.model_bytes
        assert re.fullmatch("[0-9a-f]{64}", each["digest"])
        assert datetime.fromisoformat(each["modified_at"]).tzinfo is not None


def test_the_digest_is_that_of_the_model(sie: SieServers, dense: Sie) -> None:
    (first,), (other,) = (client.http.get("/api/tags").json()["models"] for client in (dense, sie["labels"]))
    assert first["digest"] == dense.http.get("/api/tags").json()["models"][0]["digest"]
    assert first["digest"] != other["digest"]


def test_the_model_is_loaded_and_stays_so(dense: Sie) -> None:
    (model,) = dense.http.get("/api/ps").json()["models"]
    (listed,) = dense.http.get("/api/tags").json()["models"]
    assert {name: model[name] for name in ("name", "digest", "details")} == {
        name: listed[name] for name in ("name", "digest", "details")
    }
    assert (model["size_vram"], model["context_length"]) == (0, dense.service.info.max_length)
    assert datetime.fromisoformat(model["expires_at"]).year == 9999


@pytest.mark.parametrize("field", ["model", "name"])
def test_show_tells_the_length_and_the_size_of_vectors(field: str, dense: Sie) -> None:
    shown = dense.post("/api/show", {field: dense.id, "verbose": True}).json()
    facts = shown["model_info"]
    kind = facts["general.architecture"]
    assert facts[f"{kind}.context_length"] == dense.service.info.max_length
    assert facts[f"{kind}.embedding_length"] == 128
    assert shown["capabilities"] == ["embedding"]
    assert shown["details"] == {
        "parent_model": "",
        "format": "onnx",
        "family": "sentence_embedding",
        "families": ["sentence_embedding"],
        "parameter_size": "",
        "quantization_level": "I8",
    }


@pytest.mark.parametrize("kind", ["labels", "ner", "cross", "sparse"])
def test_a_model_without_vectors_for_texts_does_not_embed(kind: str, sie: SieServers) -> None:
    shown = sie[kind].post("/api/show", {"model": f"{sie[kind].id}:latest"}).json()
    assert shown["capabilities"] == []
    assert not any("embedding_length" in name for name in shown["model_info"])


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "the field model is missing"),
        ({"model": 1}, 400, "model should be a string"),
        ({"model": "llama3"}, 404, 'model "llama3" not found'),
        ({"model": "x" * 100_000}, 404, "not found"),
    ],
    ids=["none", "a number", "another", "a long one"],
)
def test_another_model_is_not_shown(body: dict[str, Any], status: int, words: str, dense: Sie) -> None:
    response = dense.post("/api/show", body)
    assert (response.status_code, set(response.json())) == (status, {"error"})
    assert words in response.json()["error"]
    assert len(response.content) < 1000


def test_the_version_is_that_of_encoderfile(dense: Sie) -> None:
    assert dense.http.get("/api/version").json() == {"version": encoderfile.__version__}
