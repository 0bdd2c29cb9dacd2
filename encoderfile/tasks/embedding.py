"""`embedding`: one vector per token."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from encoderfile.manifest import Manifest
from encoderfile.tasks import results
from encoderfile.tasks.layers import Layers
from encoderfile.tasks.numerics import unit
from encoderfile.tasks.options import NORMALIZE_REQUIRED
from encoderfile.tasks.pooling import pool
from encoderfile.tasks.results import Result, Rows
from encoderfile.tasks.task import NO_TENSORS, Output, Task
from encoderfile.types import EncodedText, FloatArray, TokenInfo


@dataclass(frozen=True, slots=True)
class TokenEmbeddings(Result):
    """One vector per token; `embeddings` is float32 [tokens, hidden]."""

    rows = Rows("embeddings", "One per token, special tokens included.")
    embeddings: Annotated[FloatArray, results.floats(name="embedding")]
    tokens: Annotated[tuple[TokenInfo, ...], results.token(name="token_info")]
    unpooled: int = 0
    """As in `EncodedText`."""


class Embedding(Task[TokenEmbeddings]):
    """Takes `last_hidden_state` [batch, tokens, hidden]; special tokens stay, padding goes."""

    name = "embedding"
    result = TokenEmbeddings
    outputs = (Output("last_hidden_state", ("batch", "tokens", "hidden")),)
    needs_tokens = True
    pools = True
    takes_prompt = True
    options = (NORMALIZE_REQUIRED,)
    summary = "Performs embeddings for input text sequences."
    answer = "one vector per token of each text, special tokens included"
    example: ClassVar[Mapping[str, Any]] = {"inputs": ["Hello world"], "normalize": True}

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        self._layers = Layers(manifest.pooling.layers if manifest.pooling else (), tensors)

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[TokenEmbeddings]:
        real = mask.astype(bool)
        return [
            TokenEmbeddings(rows[keep], text.tokens, text.unpooled)
            for rows, keep, text in zip(output, real, batch, strict=True)
        ]

    def with_options(self, result: TokenEmbeddings, options: Mapping[str, Any]) -> TokenEmbeddings:
        if not options.get("normalize"):
            return result
        return dataclasses.replace(result, embeddings=unit(result.embeddings))

    @property
    def dims(self) -> Mapping[str, int]:
        return {"dense": self._layers.width(self.width * len(self.modes)), "multivector": self.width}

    def vectors(self, kind: str, results: Sequence[TokenEmbeddings], normalize: bool | None) -> Iterator[FloatArray]:
        """`multivector`: the vectors of all tokens, of unit length unless told otherwise; `dense`: pooled."""
        dense = kind == "dense"
        if normalize is None:
            normalize = not dense or self.normalizes
        for each in results:
            vector = self._pooled(each) if dense else each.embeddings
            yield unit(vector) if normalize else vector

    def _pooled(self, result: TokenEmbeddings) -> FloatArray:
        mask = np.ones((1, len(result.embeddings)), dtype=np.float32)
        pooled: FloatArray = self._layers(pool(self.modes, result.embeddings[None], mask, [result.unpooled]))[0]
        return pooled
