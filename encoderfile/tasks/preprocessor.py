"""How the inputs of a request become rows of a run, for a task that does not read each input as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from encoderfile.tasks.results import Result
from encoderfile.types import Asked, EncodedText, Followed, Text, Words

R = TypeVar("R", bound=Result)


class Row(NamedTuple):
    """What the model reads in one row of a run."""

    text: Text | Words | Followed
    max_length: int | None = None
    """In tokens; None: the model's own limit."""
    kept: Any = None
    """What the result needs to know of the input: `EncodedText.kept`."""


class Preprocessor(Generic[R]):
    """One input may take several rows (a text with each of its labels), other tokens, or no run at all.

    Stateless after creation, shared by all threads.
    """

    no_room: ClassVar[str | None] = None
    """Instead of the tokenizer's sentence, where what is read together with a text leaves no room for it."""

    def prepare(self, asked: Asked) -> Asked:
        """What a request asks, with what its rows have in common in `Asked.prepared`; called once for each request.

        Raises `InputError` for options that cannot be used.
        """
        return asked

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        """The rows of one input, at least one; `asked` is prepared."""
        return (Row(text),)

    def finish(self, encoded: EncodedText, row: Row, asked: Asked) -> EncodedText:
        """The row as it is run, once its text is tokenised."""
        return encoded

    def needs_run(self, encoded: EncodedText) -> bool:
        """Whether the graph is run for a row."""
        return self.answer(encoded) is None

    def answer(self, encoded: EncodedText) -> R | None:
        """The result of a row for which the graph is not run; None: run it."""
        return None

    def gather(self, results: Sequence[R], asked: Asked) -> R:
        """The result of one input, from those of its rows."""
        (result,) = results
        return result
