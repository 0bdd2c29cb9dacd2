"""Texts and pairs of texts: from what a request holds to encoded items, and from those to what a graph is fed.

The one place that knows what kind of input a model reads: the queue and the scheduler know the length of an item, the
session the arrays it is fed. Another kind of input is a class with the methods of this one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from encoderfile.errors import InputError, NoRoomError, TooLongError
from encoderfile.machine import available_memory
from encoderfile.manifest import Manifest
from encoderfile.model import padding
from encoderfile.model.padding import Feeds
from encoderfile.model.pairs import Known
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.entities import WordRules
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.tasks.task import Task
from encoderfile.types import (
    AS_IT_STANDS,
    Asked,
    EncodedText,
    FloatArray,
    Followed,
    Input,
    Text,
    TokenIds,
    TokenInfo,
    Words,
)

_NEVER_ASKED = 256_000_000
"""Bytes of attention below which the memory that is left is not looked at."""

_SHARE = 0.5
"""How much of it one text may take: other programs, and other texts of the run, need memory too."""


Readable = Input | Row
"""What `encode` takes: the inputs themselves, or the rows that a task made of them."""


def size(text: Readable | Words | Followed) -> int:
    """What reading `text` costs, in characters."""
    if isinstance(text, Row):
        return size(text.text)
    if isinstance(text, Words):
        return sum(map(len, text.words))
    if isinstance(text, TokenIds):
        return len(text.ids)
    if isinstance(text, Followed):
        return len(text.text) + len(text.by)
    return len(text) if isinstance(text, str) else len(text[0]) + len(text[1])


class TextInputs:
    """Reads texts for one graph. Safe to share between threads."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, task: Task[Any]) -> None:
        self.tokenizer = tokenizer
        self._manifest = manifest
        self._with_tokens = task.needs_tokens
        self._preprocessor = task.preprocessor
        self._task = task

    def encode(
        self,
        texts: Sequence[Readable],
        asked: Asked = AS_IT_STANDS,
        known: Known | None = None,
        patient: bool = True,
    ) -> list[EncodedText]:
        """Tokenises texts behind the prompt of `asked`, truncated at the limit.

        Of a pair the prompt precedes the first text. Where the task has a preprocessor, a text becomes its rows.
        Offsets count from the beginning of the caller's text: tokens of the prompt have 0, 0 as special tokens do.
        `known` and `patient` as `Tokenizer` has them.
        """
        if self._preprocessor is None:
            tokenizer = self.tokenizer.truncating(asked.truncation_side)
            encoded = self._inputs(tokenizer, texts, asked.prompt, known, patient)  # type: ignore[arg-type]
        else:
            encoded = self._rows(self._preprocessor, texts, asked, known, patient)  # type: ignore[arg-type]
        if not asked.kinds:
            return encoded
        return [dataclasses.replace(each, kinds=asked.kinds) for each in encoded]

    def _rows(
        self,
        preprocessor: Preprocessor[Any],
        texts: Sequence[Text | Row],
        asked: Asked,
        known: Known | None,
        patient: bool,
    ) -> list[EncodedText]:
        if not all(isinstance(each, Row) for each in texts):
            asked = preprocessor.prepare(asked)
        made = ((each,) if isinstance(each, Row) else preprocessor.rows(each, asked) for each in texts)
        rows = [row for each in made for row in each]
        encoded: list[EncodedText] = []
        for limit, group in itertools.groupby(rows, key=lambda row: row.max_length):
            tokenizer = self.tokenizer if limit is None else self.tokenizer.limited(limit)
            for kind, each in itertools.groupby(group, key=_kind):
                inputs: list[Any] = [row.text for row in each]
                if kind is Words:
                    encoded += tokenizer.words(inputs)
                elif kind is Followed:
                    for text in inputs:
                        with _counting(len(encoded), preprocessor.no_room):
                            encoded.append(tokenizer.followed(text, patient))
                else:
                    with _counting(len(encoded), preprocessor.no_room):
                        encoded += self._read(tokenizer, inputs, asked.prompt, known, patient)
        for index, row in enumerate(rows):
            read = encoded[index] if row.kept is None else dataclasses.replace(encoded[index], kept=row.kept)
            with _counting(index, preprocessor.no_room):
                encoded[index] = preprocessor.finish(read, row, asked)
        return encoded

    def lengths(self, text: str, asked: Asked) -> tuple[int, int] | None:
        """Tokens of the longest row of a text that is not truncated, and of the text alone; None for words.

        For a task with a preprocessor; `asked` is prepared.
        """
        assert self._preprocessor is not None
        longest = max(self._preprocessor.rows(text, asked), key=size).text
        if isinstance(longest, Words):
            return None
        if isinstance(longest, str):
            rest = [longest.removesuffix(text) if longest.endswith(text) else longest.removeprefix(text)]
        else:
            rest = [longest.by if isinstance(longest, Followed) else longest[1]]
        specials = self.tokenizer.specials(pair=isinstance(longest, tuple))
        of_text = self.tokenizer.count(text)
        others = sum(map(self.tokenizer.count, rest))
        return specials + of_text + others, of_text

    def _inputs(
        self, tokenizer: Tokenizer, inputs: Sequence[Input], prompt: str, known: Known | None, patient: bool
    ) -> list[EncodedText]:
        texts = [each for each in inputs if not isinstance(each, TokenIds)]
        read = self._read(tokenizer, texts, prompt, known, patient)
        if len(texts) == len(inputs):
            return read
        left = iter(read)
        return [
            tokenizer.given(each, index, with_tokens=self._with_tokens) if isinstance(each, TokenIds) else next(left)
            for index, each in enumerate(inputs)
        ]

    def _read(
        self, tokenizer: Tokenizer, texts: Sequence[Text], prompt: str, known: Known | None, patient: bool
    ) -> list[EncodedText]:
        read = partial(tokenizer, with_tokens=self._with_tokens, known=known, patient=patient)
        if not prompt:
            return read(texts)
        unpooled = 0 if self._manifest.include_prompt else tokenizer.prompt_tokens(prompt, patient)
        first = {text[0]: prompt + text[0] for text in texts if not isinstance(text, str)}
        encoded = read([prompt + text if isinstance(text, str) else (first[text[0]], text[1]) for text in texts])
        return [
            dataclasses.replace(each, tokens=_shifted(each.tokens, len(prompt)), unpooled=unpooled)
            if each.tokens or unpooled
            else each
            for each in encoded
        ]

    def check_memory(self, texts: Sequence[EncodedText]) -> None:
        """As `Model.check_memory`."""
        refuse_too_large(texts, self._manifest.attention_bytes)

    @property
    def row_length(self) -> int | None:
        """The length that every item is padded to, in tokens; None: the longest of its run."""
        return self._manifest.graph.fixed_tokens or self._manifest.tokenizer.pad_to

    def sample(self, tokens: int) -> EncodedText:
        """An item of this length, to time a run."""
        if self._preprocessor is None:
            ids = np.zeros(tokens, dtype=np.int64)
            return EncodedText(ids, ids, ids, (), truncated=False)
        first, *_ = self.encode([self._task.as_input("a " * tokens)], Asked(options=self._task.needed))
        return resized(first, tokens)

    def feeds(self, batch: Sequence[EncodedText]) -> tuple[Feeds, FloatArray]:
        """The graph's inputs by name, padded, and the mask of the batch, float32 [len(batch), tokens]."""
        return padding.feeds(batch, self._manifest.graph, self._manifest.tokenizer)

    @property
    def words(self) -> WordRules:
        """What grouping tokens into words needs of the tokenizer."""
        words = self.tokenizer
        return WordRules(words.spell, words.join, words.continuing_prefix, words.spec.unknown_token_id)


@contextlib.contextmanager
def _counting(start: int, no_room: str | None) -> Iterator[None]:
    """Rows at fault are counted from `start`; `no_room` is as `Preprocessor` has it."""
    try:
        yield
    except InputError as error:
        error.index = start + (error.index or 0)
        if no_room is not None and isinstance(error, NoRoomError):
            raise TooLongError(no_room, error.index) from error
        raise


def _kind(row: Row) -> type[Words | Followed] | None:
    return next((kind for kind in (Words, Followed) if isinstance(row.text, kind)), None)


def _shifted(tokens: Sequence[TokenInfo], by: int) -> tuple[TokenInfo, ...]:
    return tuple(
        TokenInfo(token, token_id, max(0, start - by), max(0, end - by)) for token, token_id, start, end in tokens
    )


def resized(text: EncodedText, tokens: int) -> EncodedText:
    """A row of another length: without its last tokens, or with its last one repeated."""
    place = np.minimum(np.arange(tokens), len(text) - 1)
    numbered = text.numbered
    if numbered is not None:
        mask = np.where(np.arange(tokens) < len(text), numbered.mask[place], 0)
        numbered = dataclasses.replace(numbered, mask=mask, count=max(1, int(mask.max())))
    return dataclasses.replace(
        text,
        input_ids=text.input_ids[place],
        token_type_ids=text.token_type_ids[place],
        special_tokens_mask=text.special_tokens_mask[place],
        tokens=text.tokens[:tokens],
        attention_mask=None if text.attention_mask is None else text.attention_mask[place],
        word_ids=None,
        numbered=numbered,
    )


def refuse_too_large(texts: Sequence[EncodedText], bytes_per_pair: int) -> None:
    """Raises `TooLongError` for a text whose attention takes more than half of the memory that is left."""
    for index, text in enumerate(texts):
        needed = bytes_per_pair * len(text) ** 2
        if needed <= _NEVER_ASKED:
            continue
        left = available_memory()
        if left is not None and needed > _SHARE * left:
            raise TooLongError(
                f"has {len(text)} tokens, which take {needed / 1e9:.1f} GB of memory, and one text may take half of "
                f"the {left / 1e9:.1f} GB that are left: send less text at a time",
                index,
            )
