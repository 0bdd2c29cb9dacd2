"""ColBERT: queries and documents are read in different ways, and compared by the vectors of their tokens.

The rules of pylate's `ColBERT.encode` and `ColBERT.tokenize` (pylate/models/colbert.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoderfile.errors import ModelError
from encoderfile.tasks.late_interaction import score_requests
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.types import Asked, AskedPrompt, EncodedText, IntArray, PredictRequest, Text, TokenInfo

QUERY, DOCUMENT = "query", "document"
PURPOSES = (QUERY, DOCUMENT)
"""What texts may be for, and `prompt_name` says; document where a request does not say it."""


@dataclass(frozen=True, slots=True)
class ColbertSettings:
    """`Manifest.task`. Lengths in tokens, the prefix among them."""

    query_length: int
    document_length: int
    query_prefix_id: int | None
    """The token behind the first one, usually [CLS]; None for none."""
    document_prefix_id: int | None
    expansion_id: int | None
    """The token that fills a query up to its length, usually [MASK]; None: queries stay as long as they are."""
    attend_to_expansion: bool
    """Whether the graph attends to these tokens; their vectors count in any case."""
    skiplist: tuple[int, ...]
    """Tokens whose vectors are left out of documents."""
    spellings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """How the vocabulary spells the tokens that are put in, by their ids."""

    def length(self, purpose: str) -> int:
        """Tokens of a text, at most."""
        return self.query_length if purpose == QUERY else self.document_length

    def prefix_id(self, purpose: str) -> int | None:
        """The token behind the first one."""
        return self.query_prefix_id if purpose == QUERY else self.document_prefix_id


def read_settings(task: Mapping[str, Any]) -> ColbertSettings:
    """Raises `ModelError` for other settings than a builder writes."""
    try:
        return ColbertSettings(**{**task, "skiplist": tuple(task["skiplist"])})
    except (TypeError, KeyError) as error:
        raise ModelError("the manifest does not say how this ColBERT model reads texts") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """`Asked.prepared`."""

    purpose: str
    prompt: str


class ReadsQueriesAndDocuments(Preprocessor[Any]):
    """One row for each text. `EncodedText.kept` of a document: bool [tokens], whether a token's vector counts."""

    def __init__(self, settings: ColbertSettings, padding_side: str) -> None:
        """Queries are filled up on the `padding_side`."""
        self._settings = settings
        self._on_the_left = padding_side == "left"
        self._skipped = np.array(settings.skiplist, dtype=np.int64)

    def prepare(self, asked: Asked) -> Asked:
        return dataclasses.replace(asked, prompt="", prepared=_Reading(asked.purpose or DOCUMENT, asked.prompt))

    def limit(self, text: EncodedText) -> int:
        """Tokens of such a text at most."""
        return self._settings.length(QUERY if text.kept is None else DOCUMENT)

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        """Without white space around it: the release of sentence-transformers that pylate calls strips texts."""
        assert isinstance(text, str)
        wanted: _Reading = asked.prepared
        whole = wanted.prompt + text
        begin = len(whole) - len(whole.lstrip())
        prefix = self._settings.prefix_id(wanted.purpose)
        # kept: what is taken from the offsets, so that they count from the beginning of the caller's text.
        return (
            Row(
                whole.strip(),
                self._settings.length(wanted.purpose) - (prefix is not None),
                kept=len(wanted.prompt) - begin,
            ),
        )

    def finish(self, encoded: EncodedText, row: Row, asked: Asked) -> EncodedText:
        """With the tokens put in that no text spells."""
        settings, purpose = self._settings, asked.prepared.purpose
        found = dataclasses.replace(encoded, tokens=_moved(encoded, row.kept), kept=None)
        if purpose == QUERY and settings.expansion_id is not None:
            assert row.max_length is not None
            place = 0 if self._on_the_left else len(found)
            count = row.max_length - len(found)
            attended = int(settings.attend_to_expansion)
            found = self._with(found, place, settings.expansion_id, count, attended)
            # A token beyond the window of local attention attends to all of its row alike, where nothing is in reach.
            found = dataclasses.replace(found, unpadded=not settings.attend_to_expansion)
        prefix = settings.prefix_id(purpose)
        if prefix is not None:
            found = self._with(found, min(1, len(found)), prefix, 1)
        return found if purpose == QUERY else self._without_skipped(found)

    def _with(self, text: EncodedText, place: int, token_id: int, count: int, attended: int = 1) -> EncodedText:
        """`text` with a token put in `count` times; special, and at no place of the caller's text."""
        token = TokenInfo(self._settings.spellings.get(str(token_id), ""), token_id, 0, 0)
        mask = np.ones(len(text), dtype=np.int64) if text.attention_mask is None else text.attention_mask

        def filled(values: IntArray, value: int) -> IntArray:
            added = np.full(count, value, dtype=np.int64)
            return np.concatenate([values[:place], added, values[place:]])

        return dataclasses.replace(
            text,
            input_ids=filled(text.input_ids, token_id),
            token_type_ids=filled(text.token_type_ids, 0),
            special_tokens_mask=filled(text.special_tokens_mask, 1),
            attention_mask=filled(mask, attended),
            tokens=(*text.tokens[:place], *[token] * count, *text.tokens[place:]) if text.tokens else (),
        )

    def _without_skipped(self, document: EncodedText) -> EncodedText:
        counts = (document.input_ids[:, None] != self._skipped).all(axis=1)
        tokens = tuple(token for token, count in zip(document.tokens, counts.tolist(), strict=False) if count)
        return dataclasses.replace(document, tokens=tokens, kept=counts)


def requests_to_score(query: str, texts: Sequence[str]) -> list[PredictRequest]:
    """As `Task.score_requests`."""
    first, *groups = score_requests(query, texts)
    asked = {purpose: AskedPrompt(input_type=purpose) for purpose in PURPOSES}
    return [
        dataclasses.replace(first, prompt=asked[QUERY]),
        *(dataclasses.replace(each, prompt=asked[DOCUMENT]) for each in groups),
    ]


def _moved(text: EncodedText, by: int) -> tuple[TokenInfo, ...]:
    """The tokens with offsets into the caller's text; special ones, and those of a prompt, have 0, 0."""
    if not by:
        return text.tokens
    return tuple(
        token if special else token._replace(start=max(0, token.start - by), end=max(0, token.end - by))
        for token, special in zip(text.tokens, text.special_tokens_mask.tolist(), strict=False)
    )
