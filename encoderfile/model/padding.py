"""From tokenised texts to the arrays a graph is fed: padded, by name, in the dtype it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from encoderfile.manifest import GraphInput, GraphSpec, TokenizerSpec
from encoderfile.model import word_inputs
from encoderfile.types import EncodedText, FloatArray

Feeds = dict[str, np.ndarray[Any, Any]]

ROLES = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
"""What a graph may ask of a text, [rows, tokens] each."""

CONSTANT = "constant"
"""The role of an input that is the same for all texts."""


def feeds(batch: Sequence[EncodedText], graph: GraphSpec, spec: TokenizerSpec) -> tuple[Feeds, FloatArray]:
    """The graph's inputs by name, and the mask of the batch, float32 [len(batch), tokens].

    Where the graph fixes the number of rows, those beyond the batch repeat its last text.
    """
    rows = len(batch) if graph.rows is None else graph.rows
    width = graph.fixed_tokens or spec.pad_to or max(len(text) for text in batch)
    input_ids = np.full((rows, width), spec.pad_token_id, dtype=np.int64)
    token_type_ids = np.full((rows, width), spec.pad_token_type_id, dtype=np.int64)
    attention_mask = np.zeros((rows, width), dtype=np.int64)
    real_tokens = np.zeros((rows, width), dtype=np.float32)
    texts = [batch[min(row, len(batch) - 1)] for row in range(rows)]
    places = []
    for row, text in enumerate(texts):
        real = slice(width - len(text), width) if spec.padding_side == "left" else slice(0, len(text))
        places.append(real)
        input_ids[row, real] = text.input_ids
        token_type_ids[row, real] = text.token_type_ids if spec.token_types else 0
        real_tokens[row, real] = 1
        attention_mask[row, real] = 1 if text.attention_mask is None else text.attention_mask
    columns = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
    if any(_role(each) == "position_ids" for each in graph.inputs):
        # Positions count real tokens, so that padding on the left does not shift them.
        columns["position_ids"] = graph.first_position + np.maximum(np.cumsum(real_tokens, axis=1) - 1, 0)
    if any(_role(each) in word_inputs.ROLES for each in graph.inputs):
        columns |= word_inputs.columns(texts, places, width)
    fed = {
        each.name: _constant(each, rows, width)
        if each.role == CONSTANT
        else columns[_role(each)].astype(each.dtype, copy=False)
        for each in graph.inputs
    }
    return fed, real_tokens[: len(batch)]


def _role(each: GraphInput) -> str:
    return each.role or each.name


def _constant(each: GraphInput, rows: int, width: int) -> np.ndarray[Any, Any]:
    free = iter((rows, width))
    shape = [next(free) if size is None else size for size in each.shape]
    return np.full(shape, each.value, dtype=each.dtype)
