"""Texts behind a prompt: read as one, and told as if the caller's text stood alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from encoderfile.model.tokenizer import Tokenizer
from encoderfile.types import EncodedText, Text, TokenInfo


def encode(
    tokenizer: Tokenizer, prompt: str, texts: Sequence[Text], *, with_tokens: bool, pooled: bool
) -> list[EncodedText]:
    """Tokenises `prompt` and each text as one string, cut together; of a pair the prompt precedes the first text.

    Offsets count from the beginning of the caller's text: tokens of the prompt have 0, 0 as special tokens do.
    Unless `pooled`, the tokens of the prompt are counted as sentence-transformers counts them.
    """
    encoded = tokenizer(
        [prompt + text if isinstance(text, str) else (prompt + text[0], text[1]) for text in texts],
        with_tokens=with_tokens,
    )
    unpooled = 0 if pooled else tokenizer.prompt_tokens(prompt)
    if not (with_tokens or unpooled):
        return encoded
    return [
        dataclasses.replace(each, tokens=_shifted(each.tokens, len(prompt)), unpooled=unpooled) for each in encoded
    ]


def _shifted(tokens: Sequence[TokenInfo], by: int) -> tuple[TokenInfo, ...]:
    return tuple(
        TokenInfo(token, token_id, max(0, start - by), max(0, end - by)) for token, token_id, start, end in tokens
    )
