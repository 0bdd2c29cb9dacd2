"""`embedding`: one vector per token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from encoderfile.tasks.base import FLOATS, TOKEN_INFO, JsonSchema, Task, unit
from encoderfile.types import EncodedText, FloatArray, ModelType, TokenEmbeddings


class Embedding(Task[TokenEmbeddings]):
    """Takes `last_hidden_state` [batch, tokens, hidden]; special tokens stay, padding goes."""

    model_type = ModelType.EMBEDDING
    outputs = ("last_hidden_state", "token_embeddings")
    needs_tokens = True
    normalize_is_required = True
    takes_normalize = True
    summary = "Performs embeddings for input text sequences."

    @classmethod
    def expected_output(cls) -> str:
        return "last_hidden_state [batch, tokens, hidden]"

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[TokenEmbeddings]:
        real = mask.astype(bool)
        return [
            TokenEmbeddings(rows[keep], text.tokens) for rows, keep, text in zip(output, real, batch, strict=True)
        ]

    def normalized(self, result: TokenEmbeddings, normalize: bool | None) -> TokenEmbeddings:
        return TokenEmbeddings(unit(result.embeddings), result.tokens) if normalize else result

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
