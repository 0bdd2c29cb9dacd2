"""Texts to token ids. The only importer of `tokenizers`.

The library's tokenizer is configured once: changing truncation or padding while another thread encodes
raises "Already borrowed", so nothing here depends on a request. Padding is done in numpy (`model.py`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer as LibraryTokenizer

from encoderfile.errors import ConfigError, InternalError, ModelError
from encoderfile.manifest import TokenizerSpec
from encoderfile.types import EncodedText, Text, TokenInfo


class Tokenizer:
    """`tokenizer.json`, cut at the manifest's limit. Safe to share between threads."""

    def __init__(self, data: bytes, spec: TokenizerSpec) -> None:
        """Raises `ModelError` when `data` is no tokenizer or its special tokens leave no room for text."""
        self.spec = spec
        self._tokenizer = _configured(data, spec, spec.truncation_strategy)
        # The library fails on a single text when only the second of a pair may be cut.
        only_second = spec.truncation_strategy == "only_second"
        self._singles = _configured(data, spec, "longest_first") if only_second else self._tokenizer
        self._uncut: LibraryTokenizer | None = None

    def __call__(self, texts: Sequence[Text], *, with_tokens: bool) -> list[EncodedText]:
        """Encodes texts, or pairs, with special tokens; `with_tokens` adds token strings and offsets.

        Raises `InternalError` when the library fails.
        """
        library = self._singles if all(isinstance(text, str) for text in texts) else self._tokenizer
        try:
            encodings = (library.encode_batch if with_tokens else library.encode_batch_fast)(list(texts))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of the library's Rust part is no `Exception`
            raise InternalError("the tokenizer failed on this text") from error
        return [_encoded(each, with_tokens) for each in encodings]

    def prompt_tokens(self, prompt: str) -> int:
        """How many tokens at the beginning of a text are those of its prompt, the first special ones included.

        As sentence-transformers' `Transformer._get_prompt_length`: the tokens of the prompt alone, but for a special
        one at their end.
        """
        (alone,) = self([prompt], with_tokens=False)
        if not len(alone):
            return 0
        last = int(alone.input_ids[-1])
        named = self._tokenizer.get_added_tokens_decoder().get(last)
        special = bool(alone.special_tokens_mask[-1]) or (named is not None and named.special)
        return len(alone) - (special or last == self.spec.unknown_token_id)

    def windows(self, text: str, stride: int) -> list[EncodedText]:
        """All of one text, with tokens, in windows of the limit; neighbours share `stride` tokens.

        Not for several threads at once. Raises `ConfigError` for a stride that leaves nothing of a window,
        `InternalError` when the library fails.
        """
        if self._uncut is None:
            # A second one, because truncation is never switched on a tokenizer in use.
            self._uncut = LibraryTokenizer.from_str(self._tokenizer.to_str())
            self._uncut.encode_special_tokens = self.spec.split_special_tokens
            self._uncut.no_truncation()
        room = self.spec.max_length - self._uncut.num_special_tokens_to_add(is_pair=False)
        if not 0 <= stride < room:
            raise ConfigError(f"a stride of {stride} tokens is not possible: a window has {room}, give less")
        try:
            whole = self._uncut.encode(text, add_special_tokens=False)
            whole.truncate(room, stride=stride, direction=self.spec.truncation_side)
            first = self._uncut.post_process(whole)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # as above
            raise InternalError("the tokenizer failed on this text") from error
        return [dataclasses.replace(_encoded(each, True), truncated=False) for each in (first, *first.overflowing)]

    def spell(self, token_id: int) -> str:
        """The vocabulary's spelling of a token; empty for an id it lacks."""
        return self._tokenizer.id_to_token(token_id) or ""

    def join(self, tokens: Sequence[str]) -> str:
        """Tokens as text, by the tokenizer's own decoder; without one, with spaces between."""
        decoder = self._tokenizer.decoder
        return " ".join(tokens) if decoder is None else str(decoder.decode(list(tokens)))

    @property
    def continuing_prefix(self) -> str | None:
        """What marks a token that continues a word (`##`), or None where nothing does."""
        return getattr(self._tokenizer.model, "continuing_subword_prefix", None) or None

    def vocabulary_size(self) -> int:
        """The largest token id, plus one."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def token_to_id(self, token: str) -> int | None:
        """The id of `token`, or None when the vocabulary lacks it."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found


def _configured(data: bytes, spec: TokenizerSpec, strategy: str) -> LibraryTokenizer:
    try:
        tokenizer = LibraryTokenizer.from_buffer(data)
    except Exception as error:  # the library's errors have no base of their own
        raise ModelError(
            f"tokenizer.json cannot be read ({_first_line(error)}): export the tokenizer again"
        ) from error
    specials = tokenizer.num_special_tokens_to_add(is_pair=True)
    if spec.max_length <= specials:
        raise ModelError(
            f"the limit of {spec.max_length} tokens leaves no room beside {specials} special tokens: "
            "choose a larger --max-length"
        )
    if spec.stride >= spec.max_length - specials:
        raise ModelError(
            f"a stride of {spec.stride} tokens leaves nothing of the limit of {spec.max_length} tokens, "
            f"{specials} of them special: choose a smaller stride"
        )
    tokenizer.encode_special_tokens = spec.split_special_tokens
    tokenizer.no_padding()
    tokenizer.enable_truncation(
        spec.max_length, stride=spec.stride, strategy=strategy, direction=spec.truncation_side
    )
    return tokenizer


def _encoded(encoding: Any, with_tokens: bool) -> EncodedText:
    ids = encoding.ids
    tokens: tuple[TokenInfo, ...] = ()
    if with_tokens:
        tokens = tuple(
            TokenInfo(token, token_id, start, end)
            for token, token_id, (start, end) in zip(encoding.tokens, ids, encoding.offsets, strict=True)
        )
    return EncodedText(
        input_ids=np.asarray(ids, dtype=np.int64),
        token_type_ids=np.asarray(encoding.type_ids, dtype=np.int64),
        special_tokens_mask=np.asarray(encoding.special_tokens_mask, dtype=np.int64),
        tokens=tokens,
        truncated=bool(encoding.overflowing),
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
