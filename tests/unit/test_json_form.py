"""The JSON of a request: its shape is checked, and the sentence says which field is wrong."""

from typing import Any

import numpy as np
import orjson
import pytest

from encoderfile import tasks
from encoderfile.errors import InputError
from encoderfile.service.json_chunks import json_chunks
from encoderfile.service.json_form import answer, read_request, write_answer
from encoderfile.tasks.embedding import TokenEmbeddings
from encoderfile.tasks.results import to_json
from encoderfile.tasks.sentence_embedding import SentenceEmbedding
from encoderfile.tasks.sequence_classification import SequenceLabels
from encoderfile.tasks.token_classification import TokenLabels
from encoderfile.types import Prediction, PredictRequest, TokenInfo
from support.payload import manifest

LABELS = ("sequence_classification", "token_classification")
VECTORS = ("embedding", "sentence_embedding")
TASK = {model_type: tasks.create(manifest(model_type=model_type)) for model_type in LABELS + VECTORS}


def read(body: object, model_type: str = "sequence_classification") -> PredictRequest:
    return read_request(body, TASK[model_type], "right")


def refusal(body: object, model_type: str = "sequence_classification") -> str:
    with pytest.raises(InputError) as refused:
        read(body, model_type)
    return str(refused.value)


@pytest.mark.parametrize("model_type", LABELS)
def test_a_classifier_needs_inputs_alone(model_type: str) -> None:
    assert read({"inputs": ["a", "b"]}, model_type) == PredictRequest(["a", "b"])


def test_token_vectors_need_a_word_on_normalisation() -> None:
    for value in (True, False):
        assert read({"inputs": ["a"], "normalize": value}, "embedding").options == {"normalize": value}
    assert refusal({"inputs": ["a"]}, "embedding") == "Invalid input: the field normalize is missing"
    assert refusal({"inputs": ["a"], "normalize": None}, "embedding") == (
        "Invalid input: normalize should be true or false, got null"
    )


@pytest.mark.parametrize(
    ("given", "read_as"), [({}, {}), ({"normalize": None}, {}), ({"normalize": False}, {"normalize": False})]
)
def test_sentence_vectors_may_be_left_as_the_model_makes_them(
    given: dict[str, Any], read_as: dict[str, bool]
) -> None:
    assert read({"inputs": ["a"], **given}, "sentence_embedding").options == read_as


@pytest.mark.parametrize("model_type", LABELS)
def test_a_classifier_does_not_look_at_normalize(model_type: str) -> None:
    assert read({"inputs": ["a"], "normalize": "perhaps"}, model_type).options == {}


def test_unknown_fields_are_ignored() -> None:
    assert read({"inputs": ["a"], "model": "x", "nested": {"a": [1]}}) == PredictRequest(["a"])


@pytest.mark.parametrize("metadata", [{}, {"a": "b"}, {"": ""}])
def test_metadata_is_kept_also_when_empty(metadata: dict[str, str]) -> None:
    assert read({"inputs": ["a"], "metadata": metadata}).metadata == metadata


def test_metadata_of_null_is_the_same_as_none() -> None:
    assert read({"inputs": ["a"], "metadata": None}).metadata is None


def test_whether_texts_are_empty_is_not_a_matter_of_form() -> None:
    assert read({"inputs": []}).inputs == []
    assert read({"inputs": [""]}).inputs == [""]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, "the body should be an object, got null"),
        ([], "the body should be an object, got a list"),
        ("text", "the body should be an object, got a string"),
        (3, "the body should be an object, got a number"),
        (True, "the body should be an object, got a boolean"),
        ({}, "the field inputs is missing"),
        ({"input": ["a"]}, "the field inputs is missing"),
        ({"inputs": None}, "inputs should be a list, got null"),
        ({"inputs": "a"}, "inputs should be a list, got a string"),
        ({"inputs": {"0": "a"}}, "inputs should be a list, got an object"),
        ({"inputs": ["a", 2]}, "inputs[1] should be a string or an object, got a number"),
        ({"inputs": ["a", 2.5]}, "inputs[1] should be a string or an object, got a number"),
        ({"inputs": [None]}, "inputs[0] should be a string or an object, got null"),
        ({"inputs": [["a", "b"]]}, "inputs[0] should be a string or an object, got a list"),
        ({"inputs": [False]}, "inputs[0] should be a string or an object, got a boolean"),
        ({"inputs": ["a"], "metadata": "x"}, "metadata should be an object, got a string"),
        ({"inputs": ["a"], "metadata": ["x"]}, "metadata should be an object, got a list"),
        ({"inputs": ["a"], "metadata": {"k": 1}}, "metadata[...] should be a string, got a number"),
        ({"inputs": ["a"], "metadata": {"k": None}}, "metadata[...] should be a string, got null"),
        ({"inputs": ["a"], "metadata": {"k": {"x": "y"}}}, "metadata[...] should be a string, got an object"),
    ],
    ids=repr,
)
def test_a_wrong_field_is_named_with_what_was_found(body: object, words: str) -> None:
    assert refusal(body) == f"Invalid input: {words}"


@pytest.mark.parametrize("model_type", VECTORS)
@pytest.mark.parametrize(("value", "found"), [("true", "a string"), (1, "a number"), ([], "a list")])
def test_normalize_is_true_or_false_and_nothing_like_it(model_type: str, value: object, found: str) -> None:
    assert refusal({"inputs": ["a"], "normalize": value}, model_type) == (
        f"Invalid input: normalize should be true or false, got {found}"
    )


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


TOKENS = (TokenInfo("[CLS]", 2, 0, 0), TokenInfo("é", 7, 0, 1))

ANSWERS: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "embedding",
        TokenEmbeddings(np.array([[0.1, 2.0], [3.0, -4.5]], dtype=np.float32), TOKENS),
        {
            "embeddings": [
                {"embedding": [0.1, 2.0], "token_info": {"token": "[CLS]", "token_id": 2, "start": 0, "end": 0}},
                {"embedding": [3.0, -4.5], "token_info": {"token": "é", "token_id": 7, "start": 0, "end": 1}},
            ]
        },
    ),
    ("sentence_embedding", SentenceEmbedding(array(0.1, 2.0)), {"embedding": [0.1, 2.0]}),
    (
        "sequence_classification",
        SequenceLabels(array(0.1, 2.0), array(0.25, 0.75), 1, "yes"),
        {"logits": [0.1, 2.0], "scores": [0.25, 0.75], "predicted_index": 1, "predicted_label": "yes"},
    ),
    (
        "token_classification",
        TokenLabels(
            TOKENS[1:], np.array([[0.1, 2.0]], np.float32), np.array([[0.25, 0.75]], np.float32), ("B",), array(0.75)
        ),
        {
            "tokens": [
                {
                    "token_info": {"token": "é", "token_id": 7, "start": 0, "end": 1},
                    "logits": [0.1, 2.0],
                    "scores": [0.25, 0.75],
                    "label": "B",
                    "score": 0.75,
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("model_type", "result", "body"), ANSWERS, ids=[str(case[0]) for case in ANSWERS])
def test_an_answer_has_the_fields_of_its_model_type(model_type: str, result: Any, body: dict[str, Any]) -> None:
    written = write_answer(Prediction([result, result], "m"))
    assert orjson.loads(written) == {"results": [body, body], "model_id": "m"}
    assert b"0.1" in written or b"0.25" in written, "float32 is printed in its shortest form"
    assert b"0.10000000149" not in written


@pytest.mark.parametrize(
    ("metadata", "found"), [(None, {}), ({}, {"metadata": {}}), ({"a": "ü"}, {"metadata": {"a": "ü"}})]
)
def test_metadata_is_in_the_answer_when_it_was_given(metadata: Any, found: dict[str, Any]) -> None:
    prediction = Prediction([SentenceEmbedding(array(1.0))], "m", metadata=metadata)
    answer = orjson.loads(write_answer(prediction))
    assert answer == {"results": [{"embedding": [1.0]}], "model_id": "m", **found}


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_the_chunks_of_an_answer_make_the_same_json_as_one_whole(count: int) -> None:
    rows = np.random.default_rng(0).standard_normal((count, 3), dtype=np.float32)
    prediction = Prediction([TokenEmbeddings(rows, TOKENS[:1] * count)] * 2, "m", metadata={"a": "ü"})
    whole = {"results": [to_json(each) for each in prediction.results], "model_id": "m", "metadata": {"a": "ü"}}
    chunks = list(json_chunks(answer(prediction)))
    assert b"".join(chunks) == orjson.dumps(whole, option=orjson.OPT_SERIALIZE_NUMPY)
    assert max(len(chunk) for chunk in chunks) <= 64 * 120
