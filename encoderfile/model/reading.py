"""How much of a long text is read: as much as settles the tokens that are kept.

Tokenizers work word by word (what the pre-tokenizer splits off), so the tokens of a text's beginning are those of the
whole text, except in its last few words. How many characters make a token is unknown beforehand: an unknown word is
one token, however long, and some characters are none.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from encoderfile.model.special_tokens import Part, token_infos

Encode = Callable[[str], Any]
"""One text to the library's `Encoding`, without special tokens."""

FAR = 1 << 16
"""Characters of a text, or of a part of it, that are tokenised at a time: 0.1 s and 35 MB at most."""

_RUNS = ("1", "a", "é", ",", "!?", "漢", " ", "\n", "\r\n", " a", "1,", "a1 ", "👍", "ab-3.5 'll x\n\n")
"""What a tokenizer is tried with: it must split each, repeated, the same way wherever the text ends."""


class UnsettledError(Exception):
    """A text must be read so far that it would hold up other requests."""


class Reader:
    """Reads the first `count` tokens of texts, or the last ones. Safe to share between threads."""

    def __init__(self, encode: Encode, count: int, *, from_end: bool, longest_added: int) -> None:
        """`longest_added` is the length of the longest added token (`[MASK]`), in characters."""
        self._encode = encode
        self._count = count
        self._from_end = from_end
        # An added token is found across words, and every word has a character at least.
        self._margin = longest_added + 2
        self._near = 8 * count + 512
        self._far = max(FAR, 4 * self._near)
        self.short = 2 * self._near
        """Texts of so many characters are read whole."""

    def read(self, text: str, with_tokens: bool, patient: bool) -> Part:
        """Raises `UnsettledError` unless `patient`, for one of the few texts that must be read far or whole.

        Of a very long word the first half counts as settled: its end changes that only in made-up texts.
        """
        if len(text) <= self.short:
            return self.part(text, self._encode(text), with_tokens)
        for size in (self._near, self._far) if self._settles else ():
            if size < len(text) and (found := self._try(text, size, with_tokens)) is not None:
                return found
        if len(text) > self._far:
            if not patient:
                raise UnsettledError
            if self._settles and (found := self._search(text, with_tokens)) is not None:
                return found
        return self.part(text, self._encode(text), with_tokens)

    def part(self, text: str, encoding: Any, with_tokens: bool, left_out: int = 0) -> Part:
        """What is kept of `text`, after or before which `left_out` characters were not read."""
        kept = slice(-self._count, None) if self._from_end else slice(self._count)
        tokens = token_infos(encoding, kept, left_out if self._from_end else 0) if with_tokens else ()
        more = left_out > 0 or len(encoding) > self._count
        return Part(np.asarray(encoding.ids[kept], dtype=np.int64), tokens, more, text)

    def _search(self, text: str, with_tokens: bool) -> Part | None:
        """Reads on, chunk by chunk, until there are enough tokens; None if there never are."""
        seen, enough = 0, 4 * (self._count + self._margin)
        for start in range(self._far, len(text), self._far):
            end = min(len(text), start + self._far)
            seen += len(self._encode(self._between(text, start, end)))
            if seen >= enough and end < len(text):
                found = self._try(text, end, with_tokens)
                if found is not None:
                    return found
                enough = 2 * seen
        return None

    def _try(self, text: str, size: int, with_tokens: bool) -> Part | None:
        """The tokens that are kept, if `size` characters settle them."""
        # No white space at the end: `[MASK]` may take in all that stands before it, and so end a word.
        chunk = self._between(text, 0, size)
        chunk = chunk.lstrip() if self._from_end else chunk.rstrip()
        encoding = self._encode(chunk)
        if self._settled(encoding) > self._count or self._is_far_inside(encoding, len(chunk)):
            return self.part(chunk, encoding, with_tokens, left_out=len(text) - len(chunk))
        return None

    def _settled(self, encoding: Any) -> int:
        """Tokens that are more than the margin away from the end that was read."""
        words = encoding.word_ids
        if not words:
            return 0
        if self._from_end:
            return len(words) - bisect.bisect_right(words, words[0] + self._margin)
        return bisect.bisect_left(words, words[-1] - self._margin)

    def _is_far_inside(self, encoding: Any, length: int) -> bool:
        if length < self._far // 2 or len(encoding) <= self._count:
            return False
        if self._from_end:
            inside = encoding.token_to_chars(len(encoding) - self._count)[0]
        else:
            inside = length - encoding.token_to_chars(self._count - 1)[1]
        return bool(inside >= self._far // 2)

    def _between(self, text: str, start: int, end: int) -> str:
        """Characters `start` to `end`, counted from the side that is read."""
        return text[len(text) - end : len(text) - start] if self._from_end else text[start:end]

    @functools.cached_property
    def _settles(self) -> bool:
        """Whether this tokenizer splits words without looking far: some count digits from the end of a number."""
        length = 4 * self._margin + 100
        for run in _RUNS:
            text = (run * length)[:length]
            whole = self._encode(text)
            for size in range(length - 3 * len(run), length):
                encoding = self._encode(self._between(text, 0, size))
                count = self._settled(encoding)
                if self._kept(encoding, count) != self._kept(whole, count):
                    return False
        return True

    def _kept(self, encoding: Any, count: int) -> list[tuple[int, int]]:
        """The tokens that are kept with the number of their word, counted from the side that is read."""
        ids, words = encoding.ids, encoding.word_ids
        if not count:
            return []
        if self._from_end:
            return [(each, word - words[-1]) for each, word in zip(ids[-count:], words[-count:], strict=True)]
        return list(zip(ids[:count], words[:count], strict=True))
