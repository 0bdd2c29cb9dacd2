"""Texts behind a prompt: read as one, and told as if the caller's text stood alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from encoderfile.types import EncodedText, Text, TokenInfo


def encode(
    read: Callable[[Sequence[Text]], list[EncodedText]], prompt: str, texts: Sequence[Text], unpooled: int
) -> list[EncodedText]:
    """Lets `read` tokenise `prompt` and each text as one string; of a pair the prompt precedes the first text.

    Offsets count from the beginning of the caller's text: tokens of the prompt have 0, 0 as special tokens do.
    `unpooled` is how many tokens of each text are left out of pooling.
    """
    first = {text[0]: prompt + text[0] for text in texts if not isinstance(text, str)}
    encoded = read([prompt + text if isinstance(text, str) else (first[text[0]], text[1]) for text in texts])
    return [
        dataclasses.replace(each, tokens=_shifted(each.tokens, len(prompt)), unpooled=unpooled)
        if each.tokens or unpooled
        else each
        for each in encoded
    ]


def _shifted(tokens: Sequence[TokenInfo], by: int) -> tuple[TokenInfo, ...]:
    return tuple(
        TokenInfo(token, token_id, max(0, start - by), max(0, end - by)) for token, token_id, start, end in tokens
    )
