"""GLiNER: the labels stand before the text, each behind a marker, and the text is read as words.

The rules of the gliner package (data_processing/processor.py and data_processing/utils.py).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from encoderfile.errors import InputError, ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.tasks.span_decoding import Search
from encoderfile.tasks.spans import FoundSpans
from encoderfile.tasks.zero_shot import checked_labels
from encoderfile.types import Asked, EncodedText, IntArray, Text, WordNumbers, Words

THRESHOLD = 0.5
"""Of the package's `predict_entities`."""

MAX_CHARACTERS = 1 << 17
"""Of the labels and the words of one text: the library of the tokenizer reads all of them before it truncates."""

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\w+(?:[-_]\w+)*|\S")
"""`words_splitter_type: whitespace`."""


@dataclass(frozen=True, slots=True)
class GlinerSettings:
    """`Manifest.task`."""

    max_words: int
    """Words of a text that are read."""
    max_width: int
    """Words of the longest span that a span-level graph scores."""
    span_level: bool
    """Whether the graph scores spans; else the beginnings, ends and insides of spans."""
    marker: str
    """The token before each label."""
    separator: str
    """The token behind the last label."""
    marker_token_id: int
    subtokens: str = "first"
    """Which tokens of a word stand for it: the `first`, the `last`, or `all` of them."""

    @staticmethod
    def of(manifest: Manifest) -> GlinerSettings:
        """Raises `ModelError` where the manifest does not have them."""
        try:
            return GlinerSettings(**manifest.task)
        except TypeError as error:
            raise ModelError(f"the manifest does not say how a {manifest.model_type} model reads labels") from error


@dataclass(frozen=True, slots=True)
class AskedSpans:
    """What a request asks, checked."""

    labels: tuple[str, ...]
    """Each once, in the order of the request."""
    prompt: tuple[str, ...]
    """The words before those of the text."""
    search: Search
    undecided: bool
    """As in `Asked`."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text, and where its words are, in code points; `EncodedText.kept`."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    cut: bool
    """Whether it has more words."""
    asked: AskedSpans
    columns: int = 0
    """Labels that the graph scores: those whose marker was not truncated."""


class ReadsWords(Preprocessor[FoundSpans]):
    """One row for each text."""

    def __init__(self, settings: GlinerSettings) -> None:
        self._settings = settings

    def prepare(self, asked: Asked) -> Asked:
        options = asked.options
        threshold = options.get("threshold", THRESHOLD)
        if math.isnan(threshold):
            raise InputError("threshold should be a number, got NaN")
        labels = tuple(dict.fromkeys(checked_labels(options.get("labels", ()))))
        # An empty label is its marker alone.
        prompt = [word for label in labels for word in (self._settings.marker, label) if word]
        search = Search(threshold, options.get("flat_ner", True), options.get("multi_label", False))
        prepared = AskedSpans(labels, (*prompt, self._settings.separator), search, asked.undecided)
        return replace(asked, prompt="", prepared=prepared)

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        assert isinstance(text, str)
        wanted: AskedSpans = asked.prepared
        limit = self._settings.max_words
        places = list(itertools.islice(word_places(text), limit + 1))
        starts, ends = ([place[side] for place in places[:limit]] for side in (0, 1))
        words = [*wanted.prompt, *(text[start:end] for start, end in places[:limit])]
        characters = sum(map(len, words))
        if characters > MAX_CHARACTERS:
            raise InputError(
                f"the labels and the first {limit} words of a text hold {characters} characters, at most "
                f"{MAX_CHARACTERS} are read: send shorter ones"
            )
        return [Row(Words(words), kept=Sentence(text, starts, ends, len(places) > limit, wanted))]

    def finish(self, encoded: EncodedText, row: Row, asked: Asked) -> EncodedText:
        sentence: Sentence = encoded.kept
        markers = int(np.count_nonzero(encoded.input_ids == self._settings.marker_token_id))
        columns = min(markers, len(sentence.asked.labels))
        assert encoded.word_ids is not None
        numbers = word_numbers(encoded.word_ids, len(sentence.asked.prompt), self._settings.subtokens)
        return replace(
            encoded,
            kept=replace(sentence, columns=columns),
            numbered=WordNumbers(numbers, len(sentence.starts), self._settings.max_width),
            truncated=encoded.truncated or sentence.cut,
        )

    def answer(self, encoded: EncodedText) -> FoundSpans | None:
        """A text without words has no entities, and neither has one whose labels were all truncated."""
        sentence: Sentence = encoded.kept
        return None if sentence.starts and sentence.columns else FoundSpans.none()

    def gather(self, results: Sequence[FoundSpans], asked: Asked) -> FoundSpans:
        """Raises `InputError` where too many spans were found."""
        (found,) = results
        if found.most is not None:
            raise InputError(
                f"more than {found.most} spans of a text have a score above threshold: send a higher threshold, or "
                "fewer labels"
            )
        return found


def word_places(text: str) -> Iterator[tuple[int, int]]:
    """Where each word begins and ends, in code points."""
    end = 0
    while True:
        # Spaces at once: a search would try a word at each of millions.
        start = _SPACE.match(text, end).end()  # type: ignore[union-attr]  # matches anywhere
        word = _WORD.match(text, start)
        if word is None:
            return
        end = word.end()
        yield start, end


def word_numbers(word_ids: IntArray, prompt: int, subtokens: str) -> IntArray:
    """`words_mask`: at the tokens that stand for a word of the text its number, from 1, and 0 at all others.

    `word_ids` are -1 at special tokens. Words are counted by their tokens, and the first `prompt` of them are taken
    for those of the labels: a word without tokens is not counted, so the next ones have its number
    (`prepare_word_mask`).
    """
    before = np.concatenate([[-1], word_ids[:-1]])
    after = np.concatenate([word_ids[1:], [-1]])
    real = word_ids >= 0
    first = real & (word_ids != before)
    chosen = {"first": first, "last": real & (word_ids != after), "all": real}[subtokens]
    numbers = np.cumsum(first) - prompt
    found: IntArray = np.where(chosen & (numbers > 0), numbers, 0).astype(np.int64)
    return found
