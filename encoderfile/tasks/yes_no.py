"""Rerankers that are asked in words whether a document answers a query, and answer yes or no (Qwen3-Reranker).

The words are those of the model's page (https://huggingface.co/Qwen/Qwen3-Reranker-0.6B#usage).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from encoderfile.errors import InputError, ModelError
from encoderfile.manifest import Manifest
from encoderfile.tasks.preprocessor import Preprocessor, Row
from encoderfile.types import Asked, Followed, Text


@dataclass(frozen=True, slots=True)
class YesNoSettings:
    """`Manifest.task`: what is read, in its order around instruction, query and document."""

    before: str
    before_query: str
    before_document: str
    after: str
    instruction: str
    """Where a request has none."""

    @staticmethod
    def of(manifest: Manifest) -> YesNoSettings | None:
        """None for other models. Raises `ModelError` where the manifest has something else."""
        if not manifest.task:
            return None
        try:
            return YesNoSettings(**manifest.task)
        except TypeError as error:
            raise ModelError("the manifest does not say how the model is asked") from error


class AsksYesNo(Preprocessor[Any]):
    """One row for each pair: what is behind the document is never truncated."""

    no_room = "has no room beside the question that this model is asked: shorten the instruction"

    def __init__(self, settings: YesNoSettings) -> None:
        self._settings = settings

    def prepare(self, asked: Asked) -> Asked:
        """A request's prompt is its instruction."""
        return replace(asked, prompt="", prepared=asked.prompt.strip() or self._settings.instruction)

    def rows(self, text: Text, asked: Asked) -> Sequence[Row]:
        if isinstance(text, str):
            raise InputError("this model reads a query and a document together: send a pair, text and text_pair")
        query, document = text
        words = self._settings
        whole = f"{words.before}{asked.prepared}{words.before_query}{query}{words.before_document}{document}"
        return [Row(Followed(whole, words.after))]
