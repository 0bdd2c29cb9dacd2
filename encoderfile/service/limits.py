"""How much one request may ask for, and the sentences that refuse more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from encoderfile.errors import EmptyRequestError, EmptyTextError, InputError, RequestTooLargeError, TooLongError
from encoderfile.tasks import Task
from encoderfile.types import DEFAULT_PROMPT, EncodedText, PredictRequest, TokenIds

MAX_WHOLE = 1 << 17
"""Characters that one request may have tokenised to the last, not only to the model's limit: a second at most."""


def check_whole(texts: Sequence[str]) -> None:
    """Raises `RequestTooLargeError` for texts that are too long, together, to be tokenised whole."""
    count = sum(map(len, texts))
    if count > MAX_WHOLE:
        raise RequestTooLargeError(
            f"at most {MAX_WHOLE} characters of a request are read beyond the model's limit, got {count}: split the "
            "request"
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the service takes; None: any amount."""

    max_inputs: int = 4096
    max_queue: int = 16384
    max_batch_tokens: int = 1024
    max_run_tokens: int | None = None
    """Padded tokens of a run with all threads; None: as many as run at a time."""
    max_characters: int | None = 4 << 20
    """Of the texts of one request, with prompts and templates filled in."""
    max_values: int | None = 1 << 24
    """Numbers of one answer."""
    refuse_overflow: bool = False
    """Refuse texts longer than the model's limit instead of truncating them."""

    def check_characters(self, count: int) -> None:
        """Raises `RequestTooLargeError` when the texts of a request are too long together."""
        if self.max_characters is not None and count > self.max_characters:
            raise RequestTooLargeError(
                f"at most {self.max_characters} characters per request, prompts and templates filled in, "
                f"got {count}: split the request"
            )

    def check_count(self, inputs: int) -> None:
        """Raises `RequestTooLargeError` for too many inputs."""
        if inputs > self.max_inputs:
            raise RequestTooLargeError(
                f"at most {self.max_inputs} inputs per request, got {inputs}: split the request"
            )

    def check_inputs(self, request: PredictRequest, prompt: str, task: Task[Any]) -> None:
        """Raises `InputError` for inputs that are too many or too long, empty, or no Unicode text."""
        inputs = request.inputs
        if not inputs:
            raise EmptyRequestError("inputs is empty: send at least one text")
        self.check_count(len(inputs))
        seen: dict[int, int] = {}
        for index, text in enumerate(inputs):
            if isinstance(text, tuple) and not task.takes_pairs:
                raise InputError(
                    f"is a text pair, and a model of type {task.name} reads single texts: leave text_pair out", index
                )
            if isinstance(text, TokenIds):
                _check_token_ids(text, index, request, task)
                continue
            for part in (text,) if isinstance(text, str) else text:
                if not part and not request.allow_empty:
                    raise EmptyTextError(index)
                if id(part) not in seen:  # a query that all pairs share counts once
                    seen[id(part)] = len(part)
                    if not is_unicode(part):
                        raise InputError("holds a lone surrogate, which is not valid Unicode", index)
        self.check_characters(sum(seen.values()) + len(inputs) * len(prompt))

    def check_lengths(self, encoded: Sequence[EncodedText], refuse: bool | None, task: Task[Any]) -> None:
        """Raises `TooLongError` for a truncated text if none may be: `refuse`, or None for the default."""
        for index, text in enumerate(encoded):
            if not len(text):
                raise InputError("has no tokens for this model", index)
            if text.unpooled >= len(text):
                raise InputError("has no tokens behind its prompt, which this model does not pool", index)
            if text.truncated and (self.refuse_overflow if refuse is None else refuse):
                raise TooLongError(
                    f"has more than {task.limit(text)}, the most this model takes: "
                    f"shorten it{'' if refuse else ', or use --overflow truncate'}",
                    index,
                )


def _check_token_ids(text: TokenIds, index: int, request: PredictRequest, task: Task[Any]) -> None:
    """Raises `InputError` for none, where the model reads more than tokens, or a prompt is to stand before them."""
    if not text.ids:
        raise EmptyTextError(index)
    if task.preprocessor is not None or task.needs_pairs:
        raise InputError("holds token ids, and this model reads texts: send the text", index)
    if request.prompt != DEFAULT_PROMPT:
        raise InputError("holds token ids, which are read without a prompt: leave it out, or send the text", index)


class AnswerSize:
    """How many numbers an answer will hold, counted while its texts are tokenised: millions of tokens take memory."""

    def __init__(self, task: Task[Any], *maxima: int | None) -> None:
        """The least of `maxima` holds; None is no limit."""
        self._of_text = task.values
        self._maximum = min((each for each in maxima if each is not None), default=None)
        self.values = 0

    def add(self, texts: Sequence[EncodedText]) -> None:
        """Raises `RequestTooLargeError` once there are too many."""
        self.values += sum(map(self._of_text, texts))
        if self._maximum is not None and self.values > self._maximum:
            raise RequestTooLargeError(
                f"the answer would hold more than {self._maximum} numbers, the most in one answer: split the request"
            )


def is_unicode(text: str) -> bool:
    """False for a text with a lone surrogate, which JSON can spell."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
