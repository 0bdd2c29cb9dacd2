"""`/openapi.json` describes the dialects' routes as they are, for each kind of model."""

import importlib
import pkgutil
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from encoderfile.transports import http
from encoderfile.transports.http import app
from encoderfile.transports.http.ui.model import WaysIn
from support.dialects import Sie, SieServers

KINDS = ("dense", "tokens", "sparse", "labels", "ner", "cross")


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest, sie: SieServers) -> Sie:
    return sie[request.param]


@pytest.fixture
def document(client: Sie) -> dict[str, Any]:
    found: dict[str, Any] = client.http.get("/openapi.json").json()
    return found


def sealed(part: Any, schemas: dict[str, Any]) -> Any:
    """The schema with references followed and no field that it does not name."""
    if isinstance(part, list):
        return [sealed(each, schemas) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return sealed(schemas[part["$ref"].rsplit("/", 1)[-1]], schemas)
    closed = {key: sealed(value, schemas) for key, value in part.items()}
    return {**closed, "additionalProperties": False} if "properties" in part else closed


def answers(client: Sie) -> list[tuple[str, str, Any]]:
    """Path, method and body of a request to every route that answers JSON."""
    item = {"items": [{"text": "John lives in Paris", "id": "x"}]}
    params = {"output_types": list(client.service.task.dims)}
    return [
        ("/v1/encode/{model}", "post", {**item, "params": params}),
        ("/v1/score/{model}", "post", {**item, "query": {"text": "q", "id": "y"}}),
        ("/v1/extract/{model}", "post", item),
        ("/v1/embeddings", "post", {"model": client.id, "input": ["a"]}),
        ("/v1/embeddings", "post", {"model": client.id, "input": "a", "encoding_format": "base64"}),
        ("/rerank", "post", {"query": "q", "texts": ["a"], "return_text": True}),
        ("/v1/rerank", "post", {"query": "q", "documents": ["a"], "return_documents": True}),
        ("/v1/models", "get", None),
        ("/v1/models/{model}", "get", None),
        ("/v1/encode/{model}", "post", {}),
        ("/v1/embeddings", "post", {}),
        ("/rerank", "post", {}),
        *answers_of_others(client.id),
    ]


def answers_of_others(name: str) -> list[tuple[str, str, Any]]:
    """The same of the dialects of Cohere, Ollama and Infinity."""
    every = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
    content = [{"content": [{"type": "text", "text": "a"}]}]
    ranking = {"query": "q", "documents": ["a", {"text": "b", "id": 1}], "return_documents": True}
    return [
        ("/v1/embed", "post", {"model": name, "texts": ["a"], "input_type": "search_query"}),
        ("/v1/embed", "post", {"texts": ["a"], "embedding_types": every, "truncate": "END"}),
        ("/v2/embed", "post", {"inputs": content, "embedding_types": every}),
        ("/v2/embed", "post", {}),
        ("/rerank", "post", ranking),
        ("/v1/rerank", "post", ranking),
        ("/v2/rerank", "post", ranking),
        ("/v2/rerank", "post", {}),
        ("/api/embed", "post", {"model": name, "input": ["a"], "options": {"seed": 1}, "keep_alive": "5m"}),
        ("/api/embed", "post", {}),
        ("/api/embeddings", "post", {"model": name, "prompt": "a"}),
        ("/api/show", "post", {"model": name}),
        ("/api/chat", "post", {"model": name}),
        ("/api/tags", "get", None),
        ("/api/ps", "get", None),
        ("/api/version", "get", None),
        ("/classify", "post", {"model": name, "input": ["a"], "raw_scores": True}),
        ("/classify", "post", {}),
        ("/models", "get", None),
    ]


def test_no_two_shapes_have_one_name() -> None:
    """The document would describe the second as it does the first."""
    modules = [
        importlib.import_module(each.name) for each in pkgutil.walk_packages(http.__path__, f"{http.__name__}.")
    ]
    shapes = {each for module in modules for each in vars(module).values() if hasattr(each, "__struct_fields__")}
    names = [each.__name__ for each in shapes if each.__module__.startswith(http.__name__)]
    assert len(names) > 50
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV30SpecValidator(document).validate()


def test_every_answer_is_described_to_the_last_field(client: Sie, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, method, body in answers(client):
        response = client.http.request(
            method.upper(), path.replace("{model}", client.id), json=body, headers={"accept": "application/json"}
        )
        described = document["paths"][path][method]["responses"]
        assert str(response.status_code) in described, (path, response.text)
        content = described[str(response.status_code)]["content"]["application/json"]
        OAS30Validator(sealed(content["schema"], schemas)).validate(response.json())


def test_requests_that_are_answered_fit_the_schema(client: Sie, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, method, body in answers(client):
        described = document["paths"][path][method]
        if "requestBody" not in described or not body:
            continue
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        OAS30Validator(sealed(schema, schemas)).validate(body)


def test_every_route_is_described(client: Sie, document: dict[str, Any]) -> None:
    application = app.create(client.service, api_key=None, max_body_bytes=1000, page=WaysIn())
    served = {
        (route.path.replace("{model:path}", "{model}"), method.lower())
        for route in application.routes
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD" and getattr(route, "include_in_schema", True)
    }
    described = {
        (path, method) for path, item in document["paths"].items() for method in item if method != "parameters"
    }
    assert described == served


def test_a_route_that_this_model_cannot_answer_says_so(client: Sie, document: dict[str, Any]) -> None:
    for path, method, body in answers(client)[:7]:
        answered = (
            client.http.request(method.upper(), path.replace("{model}", client.id), json=body).status_code == 200
        )
        assert ("200" in document["paths"][path][method]["responses"]) is answered, path
