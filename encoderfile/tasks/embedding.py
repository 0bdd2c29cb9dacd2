"""`embedding`: one vector per token."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from encoderfile.tasks.base import FLOATS, TOKEN_INFO, JsonSchema, Task, unit
from encoderfile.tasks.pooling import pool
from encoderfile.types import EncodedText, FloatArray, ModelType, TokenEmbeddings


def _ones(result: TokenEmbeddings) -> FloatArray:
    return np.ones((1, len(result.embeddings)), dtype=np.float32)


class Embedding(Task[TokenEmbeddings]):
    """Takes `last_hidden_state` [batch, tokens, hidden]; special tokens stay, padding goes."""

    model_type = ModelType.EMBEDDING
    needs_tokens = True
    normalize_is_required = True
    takes_normalize = True
    takes_prompt = True
    summary = "Performs embeddings for input text sequences."

    @classmethod
    def expected_output(cls) -> str:
        return "last_hidden_state [batch, tokens, hidden]"

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[TokenEmbeddings]:
        real = mask.astype(bool)
        return [
            TokenEmbeddings(rows[keep], text.tokens, text.unpooled)
            for rows, keep, text in zip(output, real, batch, strict=True)
        ]

    def values(self, text: EncodedText) -> int:
        return self.manifest.width * len(text)

    def normalized(self, result: TokenEmbeddings, normalize: bool | None) -> TokenEmbeddings:
        return dataclasses.replace(result, embeddings=unit(result.embeddings)) if normalize else result

    @property
    def dims(self) -> Mapping[str, int]:
        return {"dense": self.manifest.width * len(self._modes), "multivector": self.manifest.width}

    def vectors(self, kind: str, results: Sequence[TokenEmbeddings], normalize: bool | None) -> Iterator[FloatArray]:
        """`multivector`: the vectors of all tokens, of unit length unless told otherwise; `dense`: pooled."""
        dense = kind == "dense"
        if normalize is None:
            normalize = not dense or (self.manifest.pooling is not None and self.manifest.pooling.normalize)
        for each in results:
            vector = self._pooled(each) if dense else each.embeddings
            yield unit(vector) if normalize else vector

    def _pooled(self, result: TokenEmbeddings) -> FloatArray:
        pooled: FloatArray = pool(self._modes, result.embeddings[None], _ones(result), [result.unpooled])[0]
        return pooled

    @property
    def _modes(self) -> tuple[str, ...]:
        return self.manifest.pooling.modes if self.manifest.pooling else ("mean",)

    def to_json(self, result: TokenEmbeddings) -> dict[str, Any]:
        return {
            "embeddings": [
                {"embedding": row, "token_info": token._asdict()}
                for row, token in zip(result.embeddings, result.tokens, strict=True)
            ]
        }

    @classmethod
    def result_schema(cls) -> JsonSchema:
        token = {
            "type": "object",
            "properties": {"embedding": FLOATS, "token_info": TOKEN_INFO},
            "required": ["embedding", "token_info"],
        }
        return {
            "type": "object",
            "properties": {
                "embeddings": {
                    "type": "array",
                    "items": token,
                    "description": "One per token, special tokens included.",
                }
            },
            "required": ["embeddings"],
        }
