"""From texts to the arrays a graph is fed."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from encoderfile.manifest import GraphInput, GraphSpec, TokenizerSpec
from encoderfile.model.padding import ROLES, feeds
from encoderfile.types import EncodedText

LENGTHS = (3, 1, 5)


def text(length: int) -> EncodedText:
    ids = np.arange(10, 10 + length, dtype=np.int64)
    return EncodedText(ids, np.ones(length, dtype=np.int64), np.zeros(length, dtype=np.int64), (), False)


def graph(*names: str, dtype: str = "int64", **shape: Any) -> GraphSpec:
    return GraphSpec(tuple(GraphInput(name, dtype, **shape) for name in names or ROLES), "out")


def spec(**changes: Any) -> TokenizerSpec:
    return TokenizerSpec(**({"max_length": 64, "pad_token_id": 7, "pad_token_type_id": 3} | changes))


BATCH = [text(length) for length in LENGTHS]


def test_texts_are_padded_to_the_longest_of_their_batch() -> None:
    fed, mask = feeds(BATCH, graph(), spec())
    assert fed["input_ids"].tolist() == [[10, 11, 12, 7, 7], [10, 7, 7, 7, 7], [10, 11, 12, 13, 14]]
    assert fed["attention_mask"].tolist() == [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]]
    assert fed["token_type_ids"].tolist() == [[1, 1, 1, 3, 3], [1, 3, 3, 3, 3], [1, 1, 1, 1, 1]]
    assert fed["position_ids"].tolist() == [[0, 1, 2, 2, 2], [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]]
    assert mask.dtype == np.float32
    np.testing.assert_array_equal(mask, fed["attention_mask"])


def test_padding_on_the_left_moves_the_text_and_not_its_positions() -> None:
    fed, mask = feeds(BATCH, graph(), spec(padding_side="left"))
    assert fed["input_ids"].tolist() == [[7, 7, 10, 11, 12], [7, 7, 7, 7, 10], [10, 11, 12, 13, 14]]
    assert fed["position_ids"].tolist() == [[0, 0, 0, 1, 2], [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]]
    assert mask.tolist() == [[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1]]


def test_tokens_that_are_not_attended_to_have_positions_as_all_others() -> None:
    expanded = dataclasses.replace(BATCH[0], attention_mask=np.array([1, 1, 0], dtype=np.int64))
    fed, mask = feeds([expanded, BATCH[2]], graph(), spec())
    assert fed["attention_mask"].tolist() == [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1]]
    assert fed["position_ids"].tolist() == [[0, 1, 2, 2, 2], [0, 1, 2, 3, 4]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("graph_spec", "changes"),
    [(graph(), {"pad_to": 8}), (graph(tokens=8), {}), (graph(tokens=8), {"pad_to": 4})],
    ids=["asked for", "the graph's shape", "the graph's shape first"],
)
def test_a_fixed_length_is_kept(graph_spec: GraphSpec, changes: dict[str, Any]) -> None:
    fed, mask = feeds(BATCH, graph_spec, spec(**changes))
    assert {array.shape for array in fed.values()} == {(3, 8)}
    assert mask.sum(axis=1).tolist() == [3, 1, 5]


def test_a_fixed_batch_is_filled_with_the_last_text_and_the_mask_is_not() -> None:
    fed, mask = feeds(BATCH, graph(batch=5), spec())
    assert fed["input_ids"].shape == (5, 5)
    assert fed["input_ids"][3:].tolist() == [[10, 11, 12, 13, 14]] * 2
    assert fed["attention_mask"][3:].tolist() == [[1] * 5] * 2
    assert mask.shape == (3, 5)


@pytest.mark.parametrize("dtype", ["int64", "int32", "float32", "bool"])
def test_every_input_comes_in_the_type_it_asks_for(dtype: str) -> None:
    fed, _ = feeds(BATCH, graph(dtype=dtype), spec())
    assert {str(array.dtype) for array in fed.values()} == {dtype}


@pytest.mark.parametrize("names", [("input_ids",), ("input_ids", "attention_mask"), ("position_ids", "input_ids")])
def test_a_graph_gets_what_it_asks_for_and_no_more(names: tuple[str, ...]) -> None:
    fed, _ = feeds(BATCH, graph(*names), spec())
    assert tuple(fed) == names
