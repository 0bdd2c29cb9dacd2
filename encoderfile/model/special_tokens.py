"""Special tokens around texts that were tokenised without: where a tokenizer puts them, learnt by trying it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoderfile.types import EncodedText, IntArray, TokenInfo


@dataclass(frozen=True, slots=True)
class Part:
    """What is kept of one text: its tokens without special ones, the whole text's first (or last) so many."""

    ids: IntArray
    """int64 [tokens]."""
    tokens: tuple[TokenInfo, ...]
    """Empty where nobody asked for them."""
    more: bool
    """Whether the text has more tokens than these."""
    text: str
    """What was read for it: all of the text, or as much as settles these tokens."""

    def first(self, count: int) -> Part:
        """Cut on the right."""
        return Part(self.ids[:count], self.tokens[:count], True, self.text) if count < len(self.ids) else self

    def last(self, count: int) -> Part:
        """Cut on the left."""
        begin = len(self.ids) - count
        return Part(self.ids[begin:], self.tokens[begin:], True, self.text) if begin > 0 else self


@dataclass(frozen=True, slots=True)
class _Specials:
    """The special tokens at one place."""

    ids: IntArray
    type_ids: IntArray
    mask: IntArray
    tokens: tuple[TokenInfo, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Special tokens before, between and behind the texts, and the token type of each text."""

    specials: tuple[_Specials, ...]
    type_ids: tuple[int, ...]

    def wrap(self, parts: Sequence[Part], with_tokens: bool) -> EncodedText:
        """The texts as the model reads them."""
        lead, *rest = self.specials
        ids, types, masks = [lead.ids], [lead.type_ids], [lead.mask]
        tokens = list(lead.tokens) if with_tokens else []
        for part, type_id, after in zip(parts, self.type_ids, rest, strict=True):
            ids += (part.ids, after.ids)
            types += (np.full(len(part.ids), type_id, dtype=np.int64), after.type_ids)
            masks += (np.zeros(len(part.ids), dtype=np.int64), after.mask)
            if with_tokens:
                tokens += (*part.tokens, *after.tokens)
        return EncodedText(
            input_ids=np.concatenate(ids),
            token_type_ids=np.concatenate(types),
            special_tokens_mask=np.concatenate(masks),
            tokens=tuple(tokens),
            truncated=any(part.more for part in parts),
        )


_SAMPLES = ("a b c", "d e")


def learn(encode: Callable[..., Any], texts: int) -> Template | None:
    """The template of so many texts (1 or 2); None where the special tokens follow none.

    `encode` is the library's method of that name, on a tokenizer that neither cuts nor pads.
    """
    found = _read(encode(*_SAMPLES[:texts]), texts)
    if found is None:
        return None
    for order in (_SAMPLES, _SAMPLES[::-1]):
        wanted = encode(*order[:texts])
        parts = [_part(encode(text, add_special_tokens=False)) for text in order[:texts]]
        wrapped = found.wrap(parts, with_tokens=True)
        same = (
            wrapped.input_ids.tolist() == wanted.ids
            and wrapped.token_type_ids.tolist() == wanted.type_ids
            and wrapped.special_tokens_mask.tolist() == wanted.special_tokens_mask
            and [each.token for each in wrapped.tokens] == wanted.tokens
        )
        if not same:
            return None
    return found


def _part(encoding: Any) -> Part:
    tokens = tuple(TokenInfo(token, each, 0, 0) for token, each in zip(encoding.tokens, encoding.ids, strict=True))
    return Part(np.asarray(encoding.ids, dtype=np.int64), tokens, False, "")


def _read(encoding: Any, texts: int) -> Template | None:
    """Cuts a sample at its texts, each of which must stand there once and in one piece."""
    owners = encoding.sequence_ids
    specials, types, end = [], [], 0
    for text in range(texts):
        if text not in owners:
            return None
        start = owners.index(text)
        if start < end:
            return None
        specials.append(_specials(encoding, end, start))
        types.append(encoding.type_ids[start])
        end = start + owners.count(text)
    specials.append(_specials(encoding, end, len(owners)))
    return Template(tuple(specials), tuple(types))


def _specials(encoding: Any, start: int, end: int) -> _Specials:
    def array(values: Sequence[int]) -> IntArray:
        return np.asarray(values[start:end], dtype=np.int64)

    tokens = zip(encoding.tokens[start:end], encoding.ids[start:end], strict=True)
    return _Specials(
        array(encoding.ids),
        array(encoding.type_ids),
        array(encoding.special_tokens_mask),
        tuple(TokenInfo(token, each, 0, 0) for token, each in tokens),
    )
