"""MCP: the tool `run_encoder`, its description, its schemas and its errors."""

import json
from typing import Any

import jsonschema
import pytest
from mcp.shared.exceptions import MCPError

from encoderfile.service.limits import Limits
from support.clients import McpClient
from support.model_types import OF_EACH_TYPE, folder_of, labels_of, task_of
from support.models import open_model
from support.servers import Servers

SUMMARIES = {
    "embed-tokens": "Performs embeddings for input text sequences.",
    "embed": "Performs sentence embedding of input text sequences.",
    "sentiment": "Performs sequence classification of input text sequences.",
    "ner": "Performs token classification of input text sequences.",
}


@pytest.fixture(params=OF_EACH_TYPE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mcp(name: str, servers: Servers) -> McpClient:
    client: McpClient = servers.shared("mcp", name)
    return client


@pytest.fixture
def tool(mcp: McpClient) -> Any:
    return mcp.portal.call(mcp.session.list_tools).tools[0]


def error_of(mcp: McpClient, tool: str, arguments: dict[str, Any] | None) -> tuple[int, str]:
    with pytest.raises(MCPError) as raised:
        mcp.portal.call(mcp.session.call_tool, tool, arguments)
    return raised.value.code, raised.value.message


@pytest.mark.proves(
    "ENC MCP",
    "One tool per model type, `run_encoder`",
    here="It is the first one; the others are for agents: `similarity`, `rank`, `extract_entities`, `classify`.",
)
def test_the_first_tool_is_that_of_the_api_page(tool: Any) -> None:
    assert tool.name == "run_encoder"
    assert tool.annotations.read_only_hint


@pytest.mark.proves(
    "ENC MCP", "The tool's description, for each model type", here="The page's words, then what this model is for."
)
def test_the_description_begins_with_the_api_pages_words_and_tells_an_agent_what_this_model_is_for(
    tool: Any, name: str
) -> None:
    assert tool.description.startswith(SUMMARIES.get(name, task_of(name).summary))
    assert f"Texts longer than {open_model(*folder_of(name)).info.max_length} tokens" in tool.description
    for label in (labels_of(name) or {}).values():
        assert label in tool.description


def test_the_description_says_what_becomes_of_long_texts(own: Servers) -> None:
    for refused, words in ((False, "tokens are truncated."), (True, "tokens are refused.")):
        client = own.client("mcp", own.service("sentiment", Limits(refuse_overflow=refused)))
        tool = client.portal.call(client.session.list_tools).tools[0]
        assert f"Texts longer than 256 {words}" in tool.description


def test_the_example_in_the_description_is_answered(tool: Any, mcp: McpClient) -> None:
    example = json.loads(tool.description.partition("Example arguments: ")[2])
    jsonschema.validate(example, tool.input_schema)
    assert mcp.predict(**example).results


@pytest.mark.proves("ENC MCP", "Its parameters are those of the HTTP request")
def test_the_schemas_are_those_of_http(tool: Any, name: str, servers: Servers) -> None:
    schemas = servers.shared("http", name).get("/openapi.json").json()["components"]["schemas"]
    for ours, theirs in ((tool.input_schema, "Request"), (tool.output_schema, "Response")):
        assert set(ours["properties"]) == set(schemas[theirs]["properties"])
        assert ours["required"] == schemas[theirs]["required"]


@pytest.mark.proves("ENC MCP", "It returns the HTTP answer")
def test_the_schemas_are_valid_and_real_answers_fit(tool: Any, mcp: McpClient) -> None:
    for schema in (tool.input_schema, tool.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
    answer = mcp.predict(["hello Paris", " "], normalize=True, metadata={"k": "v"}).body
    jsonschema.validate(answer, tool.output_schema)


@pytest.mark.proves("ENC MCP", "It returns the HTTP answer")
def test_the_text_beside_the_structured_answer_is_the_same_json(mcp: McpClient) -> None:
    arguments = {"inputs": ["hello"], "normalize": True, **mcp.needed}
    result = mcp.portal.call(mcp.session.call_tool, "run_encoder", arguments)
    (content,) = result.content
    assert content.type == "text"
    assert json.loads(content.text) == result.structured_content
    assert result.is_error is False


def test_an_unknown_tool_is_an_error_that_names_the_right_ones(mcp: McpClient) -> None:
    tools = [tool.name for tool in mcp.portal.call(mcp.session.list_tools).tools]
    code, sentence = error_of(mcp, "encode", {"inputs": ["a"]})
    assert (code, sentence) == (-32602, f"there is no tool 'encode': there are {', '.join(tools)}")


@pytest.mark.proves("ENC MCP", "Its parameters are those of the HTTP request")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (None, "the field inputs is missing"),
        ({"texts": ["a"]}, "the field inputs is missing"),
        ({"inputs": 1}, "inputs should be a list, got a number"),
        ({"inputs": ["a", 1]}, "inputs[1] should be a string or an object, got a number"),
        (
            {"inputs": ["a"], "normalize": True, "metadata": {"k": 1}},
            "metadata[...] should be a string, got a number",
        ),
    ],
)
def test_wrong_arguments_are_refused_with_the_sentence_that_http_has(
    arguments: dict[str, Any] | None, reason: str, mcp: McpClient, name: str, servers: Servers
) -> None:
    assert error_of(mcp, "run_encoder", arguments) == (-32600, f"Invalid input: {reason}")
    over_http = servers.shared("http", name).request("POST", "/predict", json=arguments or {})
    assert over_http.text == f"Invalid input: {reason}"
