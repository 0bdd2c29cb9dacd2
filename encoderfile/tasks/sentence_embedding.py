"""`sentence_embedding`: one vector per text, pooled as the model's sentence-transformers files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

from encoderfile.manifest import Manifest
from encoderfile.tasks import bge_m3, results
from encoderfile.tasks.abilities import Ability
from encoderfile.tasks.bge_m3 import MULTIVECTOR, BgeM3, Weights
from encoderfile.tasks.bge_m3 import SPARSE as SPARSE_KIND
from encoderfile.tasks.late_interaction import score_requests
from encoderfile.tasks.layers import Layers
from encoderfile.tasks.numerics import unit
from encoderfile.tasks.options import NORMALIZE
from encoderfile.tasks.pooling import SPARSE, pool
from encoderfile.tasks.results import Result
from encoderfile.tasks.static_route import WEIGHTS, StaticRoute, StaticSettings
from encoderfile.tasks.task import NO_TENSORS, Output, Task, TransformAxes
from encoderfile.types import AskedPrompt, EncodedText, FloatArray, PredictRequest


@dataclass(frozen=True, slots=True)
class SentenceEmbedding(Result):
    """One vector; `embedding` is float32 [hidden]."""

    embedding: Annotated[FloatArray, results.floats()]
    weights: Weights | None = None
    """Sparse ones, where they were asked for."""
    token_vectors: FloatArray | None = None
    """float32 [tokens, hidden], or BGE-M3's [tokens - 1, size], where they were asked for."""


class SentenceEmbeddings(Task[SentenceEmbedding]):
    """Takes an output that is already [batch, hidden], or pools `last_hidden_state`.

    From the logits of a masked language model it makes a sparse vector: one weight per word of the vocabulary.
    """

    name = "sentence_embedding"
    result = SentenceEmbedding
    outputs = (
        Output("sentence_embedding", ("batch", "hidden")),
        Output("last_hidden_state", ("batch", "tokens", "hidden")),
        Output("logits", ("batch", "tokens", "vocabulary")),
    )
    pools = True
    takes_prompt = True
    options = (NORMALIZE,)
    transform = TransformAxes(("batch", "tokens", "hidden"), ("batch", "size"), takes_mask=True)
    summary = "Performs sentence embedding of input text sequences."
    answer = "one vector per text; compare two by their dot product when normalised"
    example: ClassVar[Mapping[str, Any]] = {"inputs": ["How do I reset my password?", "Password recovery steps"]}

    def __init__(self, manifest: Manifest, tensors: Mapping[str, FloatArray] = NO_TENSORS) -> None:
        super().__init__(manifest, tensors)
        self._purposes: tuple[str, ...] = ()
        self._bge_m3 = BgeM3.of(manifest, tensors)
        static = StaticSettings.of(manifest, tensors)
        if static is not None:
            self._purposes = tuple(static.purposes)
            self.preprocessor = StaticRoute(static, tensors[WEIGHTS], manifest.width, SentenceEmbedding)
        self._layers = Layers(manifest.pooling.layers if manifest.pooling else (), tensors)
        pooled_here = manifest.pooling is not None and bool(manifest.pooling.modes)
        words = any(mode in SPARSE for mode in self.modes)
        self._gives_tokens = pooled_here and not words and self._bge_m3 is None

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[SentenceEmbedding]:
        tokens: list[FloatArray | None] = [None] * len(batch)
        if output.ndim == 3:
            tokens = [
                rows[real > 0] if Ability.TOKENS in text.kinds else None
                for rows, real, text in zip(output, mask, batch, strict=True)
            ]
            unpooled = None if self.manifest.include_prompt else [text.unpooled for text in batch]
            output = pool(self.modes, output, mask, unpooled)
        output = self._layers(output)
        return [
            SentenceEmbedding(row.copy(), token_vectors=rows)
            for row, rows in zip(output[: len(batch)], tokens, strict=True)
        ]

    def add_outputs(
        self,
        results: Sequence[SentenceEmbedding],
        outputs: Mapping[str, FloatArray],
        batch: Sequence[EncodedText],
        mask: FloatArray,
    ) -> list[SentenceEmbedding]:
        found = list(results)
        model = self._bge_m3
        if model is not None and SPARSE_KIND in outputs:
            made = model.sparse(outputs[SPARSE_KIND], batch, mask)
            found = [replace(each, weights=one) for each, one in zip(found, made, strict=True)]
        if model is not None and MULTIVECTOR in outputs:
            rows = model.multivector(outputs[MULTIVECTOR], batch, mask)
            found = [replace(each, token_vectors=one) for each, one in zip(found, rows, strict=True)]
        return found

    def with_options(self, result: SentenceEmbedding, options: Mapping[str, Any]) -> SentenceEmbedding:
        return SentenceEmbedding(self._normalized(result, options.get("normalize")))

    @property
    def width(self) -> int:
        return self._layers.width(self.manifest.width * max(len(self.modes), 1))

    @property
    def dims(self) -> Mapping[str, int]:
        if any(mode in SPARSE for mode in self.modes):
            return {"sparse": self.manifest.width}
        if self._bge_m3 is None:
            return {"dense": self.width}
        settings = self._bge_m3.settings
        return {"dense": self.width, SPARSE_KIND: settings.vocabulary, MULTIVECTOR: settings.multivector_size}

    @property
    def purposes(self) -> tuple[str, ...]:
        return self._purposes

    @property
    def separate_kinds(self) -> frozenset[str]:
        return frozenset((*self.manifest.graph.more_outputs, *[Ability.TOKENS] * self._gives_tokens))

    @property
    def abilities(self) -> frozenset[Ability]:
        more = {Ability.TOKENS: self._gives_tokens, Ability.SCORE: self._bge_m3 is not None}
        return super().abilities | {ability for ability, has in more.items() if has}

    def values(self, text: EncodedText) -> int:
        of_tokens = 2 if SPARSE_KIND in text.kinds else 0
        if MULTIVECTOR in text.kinds:
            of_tokens += self.dims[MULTIVECTOR]
        if Ability.TOKENS in text.kinds:
            of_tokens += self.manifest.width
        return self.width + len(text) * of_tokens

    def vectors(
        self, kind: str, results: Sequence[SentenceEmbedding], normalize: bool | None
    ) -> Iterator[FloatArray]:
        for each in results:
            if kind == SPARSE_KIND and each.weights is not None:
                yield each.weights.vector(self.dims[kind])
            elif kind == MULTIVECTOR and each.token_vectors is not None:
                yield each.token_vectors if normalize is False else unit(each.token_vectors)
            else:
                yield self._normalized(each, normalize)

    def token_vectors(self, results: Sequence[SentenceEmbedding]) -> Iterator[FloatArray]:
        for each in results:
            assert each.token_vectors is not None
            yield each.token_vectors

    def score_requests(self, query: str, texts: Sequence[str]) -> Sequence[PredictRequest]:
        return score_requests(query, texts, kinds=(SPARSE_KIND, MULTIVECTOR), prompt=AskedPrompt(text=""))

    def scores(self, answers: Sequence[Sequence[SentenceEmbedding]], raw: bool) -> Iterator[float]:
        (query,), passages = answers
        asked = self._parts(query)
        return (bge_m3.score(asked, self._parts(each)) for each in passages)

    def _parts(self, result: SentenceEmbedding) -> tuple[FloatArray, Weights, FloatArray]:
        assert result.weights is not None
        assert result.token_vectors is not None
        return unit(result.embedding), result.weights, unit(result.token_vectors)

    def _normalized(self, result: SentenceEmbedding, normalize: bool | None) -> FloatArray:
        wanted = self.normalizes if normalize is None else normalize
        return unit(result.embedding) if wanted else result.embedding
