"""Special tokens around texts that were tokenised without: where a tokenizer puts them, learnt by trying it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoderfile.errors import TokenIdsError
from encoderfile.types import EncodedText, IntArray, TokenInfo


@dataclass(frozen=True, slots=True)
class Part:
    """The tokens that are kept of one text: its first, or its last, without special ones."""

    ids: IntArray
    """int64 [tokens]."""
    tokens: tuple[TokenInfo, ...]
    """Empty where nobody asked for them."""
    more: bool
    """Whether the text has more tokens than these."""
    text: str
    """What was read for it: all of the text, or as much as settles these tokens."""

    def first(self, count: int) -> Part:
        """Truncated on the right."""
        return Part(self.ids[:count], self.tokens[:count], True, self.text) if count < len(self.ids) else self

    def last(self, count: int) -> Part:
        """Truncated on the left."""
        begin = len(self.ids) - count
        return Part(self.ids[begin:], self.tokens[begin:], True, self.text) if begin > 0 else self


@dataclass(frozen=True, slots=True)
class Template:
    """Special tokens before, between and behind the texts, and the token type of each text."""

    specials: tuple[EncodedText, ...]
    type_ids: tuple[int, ...]

    def wrap(self, parts: Sequence[Part], with_tokens: bool) -> EncodedText:
        """The texts as the model reads them."""
        runs = [self.specials[0]]
        for part, type_id, after in zip(parts, self.type_ids, self.specials[1:], strict=True):
            zeros = np.zeros(len(part.ids), dtype=np.int64)
            runs += (EncodedText(part.ids, zeros + type_id, zeros, part.tokens, part.more), after)
        return EncodedText(
            input_ids=np.concatenate([each.input_ids for each in runs]),
            token_type_ids=np.concatenate([each.token_type_ids for each in runs]),
            special_tokens_mask=np.concatenate([each.special_tokens_mask for each in runs]),
            tokens=tuple(token for each in runs for token in each.tokens) if with_tokens else (),
            truncated=any(part.more for part in parts),
        )

    def check_ids(self, ids: IntArray, index: int) -> None:
        """Raises `TokenIdsError`, for the text at `index`, for ids without the special tokens around them."""
        first, last = (each.input_ids for each in self.specials)
        inner = len(ids) - len(last)
        if inner < len(first) or (ids[: len(first)] != first).any() or (ids[inner:] != last).any():
            wanted = [f"{word} with {part.tolist()}" for word, part in (("begin", first), ("end", last)) if len(part)]
            raise TokenIdsError(
                f"holds token ids that do not {' and '.join(wanted)}: send those of this model's own tokenizer, "
                "special tokens included",
                index,
            )


_SAMPLES = ("a b c", "d e")
_ALL = slice(None)


def learn(encode: Callable[..., Any], texts: int) -> Template | None:
    """The template of one text or of two; None if there is none. `encode` is that of the library."""
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
    return Part(np.asarray(encoding.ids, dtype=np.int64), token_infos(encoding), False, "")


def _read(encoding: Any, texts: int) -> Template | None:
    """Splits a sample at its texts, each of which must stand there once and in one run."""
    owners = encoding.sequence_ids
    specials, types, end = [], [], 0
    for text in range(texts):
        if text not in owners:
            return None
        start = owners.index(text)
        if start < end:
            return None
        specials.append(encoded(encoding, slice(end, start)))
        types.append(encoding.type_ids[start])
        end = start + owners.count(text)
    specials.append(encoded(encoding, slice(end, None)))
    return Template(tuple(specials), tuple(types))


def encoded(encoding: Any, place: slice = _ALL, with_tokens: bool = True) -> EncodedText:
    """The tokens at `place` of the library's encoding."""
    ids, types, mask = (
        np.asarray(values[place], dtype=np.int64)
        for values in (encoding.ids, encoding.type_ids, encoding.special_tokens_mask)
    )
    return EncodedText(ids, types, mask, token_infos(encoding, place) if with_tokens else (), truncated=False)


def kept_of(special: IntArray, limit: int, side: str) -> IntArray:
    """Which tokens are kept of a text with special tokens, int64: the library truncates what is between those.

    `special` is int64 [tokens], 1 for special tokens; `side` is that on which the text is truncated.
    """
    kept = np.arange(len(special))
    more = len(special) - limit
    if more > 0:
        text = np.flatnonzero(special == 0)
        kept = np.delete(kept, text[-more:] if side == "right" else text[:more])
    return kept[:limit]  # of nothing but special tokens some are left out too


def token_infos(encoding: Any, place: slice = _ALL, shift: int = 0) -> tuple[TokenInfo, ...]:
    """The tokens at `place`, their offsets `shift` characters further."""
    rows = zip(encoding.tokens[place], encoding.ids[place], encoding.offsets[place], strict=True)
    return tuple(TokenInfo(token, token_id, start + shift, end + shift) for token, token_id, (start, end) in rows)
