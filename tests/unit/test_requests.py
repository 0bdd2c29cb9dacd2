"""A body that does not fit its shape is refused in one sentence that names the place."""

import gc
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from encoderfile.errors import InputError
from encoderfile.service.known_fields import FieldError
from encoderfile.service.requests import read, reader
from encoderfile.transports.http.dialect import read_json


class Options(Struct):
    kind: Literal["first", "second"] | None = None
    normalize: bool | None = None


class Item(Struct, forbid_unknown_fields=True):
    text: str


class Shape(Struct, kw_only=True):
    items: Annotated[list[str | Item], Meta(min_length=1)]
    options: Options | None = None
    kinds: Annotated[list[Literal["a", "b"]], Meta(max_length=2)] | None = None
    named: dict[str, str] | None = None
    top: Annotated[int, Meta(ge=1)] | None = None
    threshold: float | None = None


FAULTS: list[tuple[dict[Any, Any], str]] = [
    ({}, "the field items is missing"),
    ({"items": []}, "items is empty: send at least one"),
    ({"items": "a"}, "items should be a list, got a string"),
    ({"items": ["a", 1]}, "items[1] should be a string or an object, got a number"),
    ({"items": ["a", None]}, "items[1] should be a string or an object, got null"),
    ({"items": [{"text": True}]}, "items[0].text should be a string, got a boolean"),
    ({"items": [{}]}, "the field items[0].text is missing"),
    ({"items": [{"text": "a", "b": 1}]}, "items[0] has a field 'b', which is not known here"),
    ({"items": ["a"], "options": []}, "options should be an object, got a list"),
    ({"items": ["a"], "options": {"kind": "x"}}, "options.kind should be one of first, second"),
    ({"items": ["a"], "options": {"normalize": 1}}, "options.normalize should be true or false, got a number"),
    ({"items": ["a"], "kinds": ["a", "x"]}, "kinds[1] should be one of a, b"),
    ({"items": ["a"], "kinds": ["a"] * 3}, "kinds should hold at most 2"),
    ({"items": ["a"], "named": {"k": 1}}, "named[...] should be a string, got a number"),
    ({"items": ["a"], "named": {1: "v"}}, "a key of named is not a string"),
    ({"items": ["a"], "top": 0}, "top should be at least 1"),
    ({"items": ["a"], "top": 1.5}, "top should be a whole number, got a number"),
    ({"items": ["a"], "threshold": "1"}, "threshold should be a number, got a string"),
]


@pytest.mark.parametrize(("body", "sentence"), FAULTS, ids=[sentence for _, sentence in FAULTS])
def test_a_field_at_fault_is_named_with_its_place(body: dict[Any, Any], sentence: str) -> None:
    with pytest.raises(FieldError) as refused:
        read(body, Shape)
    assert str(refused.value) == f"Invalid input: {sentence}"
    assert refused.value.field in Shape.__struct_fields__


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "the body should be an object, got a list"),
        (None, "the body should be an object, got null"),
        ({1: 2}, "a key of the body is not a string"),
    ],
)
def test_a_body_that_is_not_an_object_has_no_field_at_fault(body: Any, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        read(body, Shape)
    assert str(refused.value) == f"Invalid input: {sentence}"
    assert not isinstance(refused.value, FieldError)


def test_a_long_name_is_not_repeated() -> None:
    with pytest.raises(FieldError) as refused:
        read({"items": [{"text": "a", "x" * 100_000: 1}]}, Shape)
    assert len(str(refused.value)) < 200


def test_fields_that_the_shape_does_not_have_are_ignored() -> None:
    found = read({"items": ["a"], "other": 1, "options": {"more": [1]}}, Shape)
    assert (found.items, found.options) == (["a"], Options())


@pytest.mark.parametrize(
    ("body", "place"),
    [({"instruction": "Find"}, "instruction"), ({"options": {"pooling": "cls"}}, "options.pooling")],
)
def test_what_other_servers_know_and_the_shape_does_not_is_refused_where_it_stands(
    body: dict[str, Any], place: str
) -> None:
    with pytest.raises(FieldError) as refused:
        reader(Shape)({"items": ["a"], **body})
    assert str(refused.value).startswith(f"Invalid input: {place} is not supported here: ")


def test_an_object_that_is_not_a_shape_may_hold_any_name() -> None:
    assert reader(Shape)({"items": ["a"], "named": {"pooling": "cls"}}).named == {"pooling": "cls"}


def test_the_garbage_collector_does_not_run_while_a_body_is_decoded() -> None:
    runs: list[str] = []
    gc.callbacks.append(lambda phase, _: runs.append(phase))
    try:
        assert read_json(b"[" + b"[]," * 100_000 + b"[]]")
    finally:
        during = len(runs)
        gc.callbacks.pop()
    assert during <= 2, "at most one collection, after it was decoded"
    assert gc.isenabled()
