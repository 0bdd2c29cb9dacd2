"""`embedding`: one vector per token."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from encoderfile.manifest import Manifest
from encoderfile.tasks import results
from encoderfile.tasks.abilities import Ability
from encoderfile.tasks.colbert import PURPOSES, ReadsQueriesAndDocuments, read_settings, requests_to_score
from encoderfile.tasks.layers import Layers
from encoderfile.tasks.maxsim import maxsim
from encoderfile.tasks.numerics import unit
from encoderfile.tasks.options import NORMALIZE_REQUIRED
from encoderfile.tasks.pooling import pool
from encoderfile.tasks.projection import Projection
from encoderfile.tasks.results import Result, Rows
from encoderfile.tasks.task import NO_TENSORS, Output, Task, TransformAxes
from encoderfile.types import EncodedText, FloatArray, PredictRequest, TokenInfo


@dataclass(frozen=True, slots=True)
class TokenEmbeddings(Result):
    """One vector per token; `embeddings` is float32 [tokens, hidden]."""

    rows = Rows("embeddings", "One per token, special tokens included.")
    embeddings: Annotated[FloatArray, results.floats(name="embedding")]
    tokens: Annotated[tuple[TokenInfo, ...], results.token(name="token_info")]
    unpooled: int = 0
    """As in `EncodedText`."""


class Embedding(Task[TokenEmbeddings]):
    """Takes `last_hidden_state` [batch, tokens, hidden]; special tokens stay, padding goes."""

    name = "embedding"
    result = TokenEmbeddings
    outputs = (Output("last_hidden_state", ("batch", "tokens", "hidden")),)
    needs_tokens = True
    pools = True
    takes_prompt = True
    options = (NORMALIZE_REQUIRED,)
    transform = TransformAxes(("batch", "tokens", "hidden"), ("batch", "tokens", "size"))
    summary = "Performs embeddings for input text sequences."
    answer = "one vector per token of each text, special tokens included"
    example: ClassVar[Mapping[str, Any]] = {"inputs": ["Hello world"], "normalize": True}

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        self._layers = Layers(manifest.pooling.layers if manifest.pooling else (), tensors)
        self._colbert: ReadsQueriesAndDocuments | None = None
        if manifest.task:
            settings = read_settings(manifest.task)
            self._colbert = ReadsQueriesAndDocuments(settings, manifest.tokenizer.padding_side)
        self._projection = Projection.of(tensors) if self._colbert is not None else None
        self.preprocessor = self._colbert
        self.takes_prompt_text = self._colbert is None

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[TokenEmbeddings]:
        real = mask.astype(bool)
        return [
            TokenEmbeddings(self._vectors(rows[keep], text), text.tokens, text.unpooled)
            for rows, keep, text in zip(output, real, batch, strict=True)
        ]

    def _vectors(self, rows: FloatArray, text: EncodedText) -> FloatArray:
        counted = rows if text.kept is None else rows[text.kept]
        return counted if self._projection is None else self._projection(counted)

    @property
    def width(self) -> int:
        return self.manifest.width if self._projection is None else self._projection.gives

    def with_options(self, result: TokenEmbeddings, options: Mapping[str, Any]) -> TokenEmbeddings:
        if not options.get("normalize"):
            return result
        return dataclasses.replace(result, embeddings=unit(result.embeddings))

    @property
    def dims(self) -> Mapping[str, int]:
        """A ColBERT model has one vector per token alone: pooled into one, they mean nothing."""
        if self._colbert is not None:
            return {"multivector": self.width}
        return {"dense": self._layers.width(self.width * len(self.modes)), "multivector": self.width}

    @property
    def purposes(self) -> tuple[str, ...]:
        return PURPOSES if self._colbert is not None else ()

    @property
    def abilities(self) -> frozenset[Ability]:
        return super().abilities | {Ability.TOKENS} | ({Ability.SCORE} if self._colbert is not None else set())

    def token_vectors(self, results: Sequence[TokenEmbeddings]) -> Iterator[FloatArray]:
        return (each.embeddings for each in results)

    def score_requests(self, query: str, texts: Sequence[str]) -> Sequence[PredictRequest]:
        return requests_to_score(query, texts)

    def limit(self, text: EncodedText) -> str:
        return super().limit(text) if self._colbert is None else f"{self._colbert.limit(text)} tokens"

    def scores(self, answers: Sequence[Sequence[TokenEmbeddings]], raw: bool) -> Iterator[float]:
        """MaxSim of vectors of unit length; there is no last function that `raw` could leave out."""
        (query,), documents = answers
        rows = unit(query.embeddings)
        return (maxsim(rows, unit(each.embeddings)) if len(each.embeddings) else 0.0 for each in documents)

    def vectors(self, kind: str, results: Sequence[TokenEmbeddings], normalize: bool | None) -> Iterator[FloatArray]:
        """`multivector`: the vectors of all tokens, of unit length unless told otherwise; `dense`: pooled."""
        dense = kind == "dense"
        if normalize is None:
            normalize = not dense or self.normalizes
        for each in results:
            vector = self._pooled(each) if dense else each.embeddings
            yield unit(vector) if normalize else vector

    def _pooled(self, result: TokenEmbeddings) -> FloatArray:
        mask = np.ones((1, len(result.embeddings)), dtype=np.float32)
        pooled: FloatArray = self._layers(pool(self.modes, result.embeddings[None], mask, [result.unpooled]))[0]
        return pooled
