"""Fields that other servers know are done, or refused by name; those that nobody knows are ignored."""

from typing import Any

import pytest

from encoderfile.errors import Kind
from encoderfile.service.known_fields import KNOWN, FieldError, check_max_tokens, truncation
from encoderfile.types import Truncation
from support.model_types import OF_EACH_TYPE, task_of
from support.servers import Servers

WITH_BODIES = pytest.mark.parametrize("way", ["service", "http", "mcp"])

REFUSED: dict[str, Any] = {
    "aggregation_strategy": "simple",
    "dimensions": 64,
    "instruction": "Find:",
    "output_types": ["sparse"],
    "encoding_format": "base64",
    "raw_scores": True,
    "labels": ["a"],
    "candidate_labels": ["a"],
    "threshold": 0.5,
    "top_k": 3,
    "text_pair": "b",
    "max_length": 8,
    "late_chunking": True,
    "normalized": False,
    "parameters": {"aggregation_strategy": "simple"},
}


@WITH_BODIES
@pytest.mark.parametrize("name", OF_EACH_TYPE)
@pytest.mark.parametrize("field", REFUSED)
def test_a_field_that_is_not_supported_is_refused_by_name(field: str, name: str, way: str, servers: Servers) -> None:
    client = servers.shared(way, name)
    if field in {each.name for each in task_of(name).options}:
        return
    status, sentence = client.refusal(["a"], normalize=True, **{field: REFUSED[field]})
    assert status == client.kinds[Kind.INVALID_ARGUMENT]
    assert sentence.startswith(f"Invalid input: {field} is not supported here: ")


@WITH_BODIES
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_values_that_ask_for_nothing_are_accepted(name: str, way: str, servers: Servers) -> None:
    client = servers.shared(way, name)
    nothing: dict[str, Any] = {field: values[0] if values else None for field, values in KNOWN.items()}
    nothing |= {"labels": [], "instruction": "", "options": {"top_k": 1}, "anything": True}
    for option in ("normalize", *(each.name for each in task_of(name).options)):
        nothing.pop(option, None)
    assert client.predict(["a"], normalize=True, **nothing).body == client.predict(["a"], normalize=True).body


@WITH_BODIES
@pytest.mark.parametrize("given", [{"truncate": True}, {"truncate": "END"}, {"truncation_direction": "Right"}])
def test_a_text_is_truncated_where_the_request_says_so(given: dict[str, Any], way: str, servers: Servers) -> None:
    assert servers.shared(way, "sentiment").predict(["word " * 400], **given).truncated == 1


@WITH_BODIES
@pytest.mark.parametrize("given", [{"truncate": False}, {"truncate": "NONE"}, {"truncation": False}])
def test_a_text_is_not_truncated_where_the_request_says_so(given: dict[str, Any], way: str, servers: Servers) -> None:
    client = servers.shared(way, "sentiment")
    status, sentence = client.refusal(["word " * 400], **given)
    assert status == client.kinds[Kind.INVALID_ARGUMENT]
    assert sentence.startswith("Invalid input: inputs[0] has more than 256 tokens")
    assert len(client.predict(["short"], **given).results) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"truncate": "START"}, "truncate 'START' cannot be chosen: this model truncates on the right"),
        ({"truncation_direction": "Left"}, "truncation_direction 'Left' cannot be chosen"),
        ({"truncation_direction": 1}, "truncation_direction should be left or right"),
        ({"truncation_direction": "up"}, "truncation_direction should be left or right"),
        (
            {"truncate": "START", "truncation_direction": "Right"},
            "truncate and truncation_direction name different sides",
        ),
        ({"truncate": 1}, "truncate should be true, false, NONE, START or END"),
        ({"truncate": "yes"}, "truncate should be true, false, NONE, START or END"),
    ],
    ids=repr,
)
def test_a_truncation_side_that_cannot_be_had_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(FieldError) as refused:
        truncation(given, "right", fixed=True)
    assert str(refused.value).startswith(f"Invalid input: {words}")
    assert refused.value.field in given


def test_truncation_on_the_left_is_accepted_where_the_tokenizer_truncates_there() -> None:
    given = {"truncate": "START", "truncation_direction": "left"}
    assert truncation(given, "left", fixed=True) == Truncation(refuse=False)


@pytest.mark.parametrize(
    ("wanted", "refused"), [(None, False), (512, False), (9000, False), (9, False), (8, True), (0, True), (-1, True)]
)
def test_fewer_tokens_than_the_model_takes_are_asked_for_in_vain(wanted: int | None, refused: bool) -> None:
    """Unless every text has so few bytes that it cannot have more, with the special tokens around it."""
    texts = ["a", "Zürich"]
    if not refused:
        check_max_tokens(wanted, "options.num_ctx", texts, 512, specials=2)
        return
    with pytest.raises(FieldError, match=r"options.num_ctx is not supported below the model's own limit") as error:
        check_max_tokens(wanted, "options.num_ctx", texts, 512, specials=2)
    assert error.value.field == "options"


@WITH_BODIES
@pytest.mark.parametrize("field", ["prompt_name", "input_type", "truncation_direction"])
def test_a_refusal_does_not_repeat_a_long_value(field: str, way: str, servers: Servers) -> None:
    _, sentence = servers.shared(way, "embed").refusal(["a"], **{field: "x" * 100_000})
    assert field in sentence
    assert len(sentence) < 300
