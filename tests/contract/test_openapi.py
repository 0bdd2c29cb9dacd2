"""`/openapi.json` is valid OpenAPI 3.0 and describes what the server really answers."""

from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from support.model_types import OF_EACH_TYPE, needed_by, task_of
from support.servers import Servers


@pytest.fixture(params=OF_EACH_TYPE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def document(name: str, servers: Servers) -> dict[str, Any]:
    response = servers.shared("http", name).get("/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def schema(document: dict[str, Any], name: str) -> Any:
    return OAS30Validator(document["components"]["schemas"][name])


@pytest.mark.proves("ENC HTTP", "The common endpoints are there for every model type")
@pytest.mark.proves("ENC GET /openapi.json", "An OpenAPI 3.0 document in JSON, status 200")
def test_the_document_is_valid_openapi_3_0(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.0.")
    OpenAPIV30SpecValidator(document).validate()


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
def test_it_names_every_route_of_the_dialect(document: dict[str, Any]) -> None:
    routes = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert {("/health", "get"), ("/model", "get"), ("/openapi.json", "get"), ("/predict", "post")} <= routes


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
def test_every_route_it_names_is_there(document: dict[str, Any], name: str, servers: Servers) -> None:
    client = servers.shared("http", name)
    for path, methods in document["paths"].items():
        for method in methods:
            address = path.replace("{model}", document["info"]["title"])
            assert client.request(method.upper(), address).status_code not in (404, 405), (method, path)


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
def test_it_names_every_status_a_client_may_meet(document: dict[str, Any], name: str) -> None:
    of_tei = {"400", "424"} | ({"429"} if task_of(name).classifies else set())
    assert set(document["paths"]["/predict"]["post"]["responses"]) == of_tei | {
        "200",
        "401",
        "408",
        "413",
        "415",
        "422",
        "500",
        "503",
    }


@pytest.mark.proves("ENC HTTP", "Endpoints answer JSON")
@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
def test_real_answers_fit_the_response_schema(document: dict[str, Any], name: str, servers: Servers) -> None:
    client = servers.shared("http", name)
    answer = client.predict(["hello Paris", " "], normalize=True, metadata={"k": "v"}).body
    schema(document, "Response").validate(answer)
    schema(document, "Model").validate(client.get("/model").json())


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
@pytest.mark.proves(
    "ENC POST /predict", "`token_info`: `token`, `token_id`, `start`, `end` (`embedding`, `token_classification`)"
)
def test_the_response_schema_leaves_no_field_of_an_answer_undescribed(
    document: dict[str, Any], name: str, servers: Servers
) -> None:
    def sealed(part: Any) -> Any:
        if isinstance(part, dict):
            closed = {key: sealed(value) for key, value in part.items()}
            return {**closed, "additionalProperties": False} if "properties" in part else closed
        return [sealed(each) for each in part] if isinstance(part, list) else part

    strict = OAS30Validator(sealed(document["components"]["schemas"]["Response"]))
    strict.validate(servers.shared("http", name).predict(["hello"], normalize=True, metadata={"k": "v"}).body)


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
@pytest.mark.proves("ENC POST /predict", "Status 200")
@pytest.mark.parametrize(
    "request_body",
    [
        {"inputs": ["a"], "normalize": True},
        {"inputs": ["a"], "normalize": False, "metadata": {"k": "v"}},
        {"inputs": ["a"], "normalize": True, "metadata": None},
    ],
)
def test_requests_that_fit_the_schema_are_answered(
    request_body: dict[str, Any], document: dict[str, Any], name: str, servers: Servers
) -> None:
    request_body |= needed_by(task_of(name))
    schema(document, "Request").validate(request_body)
    assert servers.shared("http", name).request("POST", "/predict", json=request_body).status_code == 200


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
@pytest.mark.proves("ENC POST /predict", "Status 422 for invalid input")
@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"inputs": []},
        {"inputs": [""]},
        {"inputs": [1]},
        {"inputs": None},
        {"inputs": ["a"], "metadata": {"k": 1}},
    ],
)
def test_requests_that_do_not_fit_the_schema_are_refused(
    request_body: dict[str, Any], document: dict[str, Any], name: str, servers: Servers
) -> None:
    request_body = {"normalize": True, **needed_by(task_of(name)), **request_body}
    assert not schema(document, "Request").is_valid(request_body)
    assert servers.shared("http", name).request("POST", "/predict", json=request_body).status_code == 422
