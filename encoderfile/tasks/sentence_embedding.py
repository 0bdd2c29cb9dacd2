"""`sentence_embedding`: one vector per text, pooled as the model's sentence-transformers files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from encoderfile.manifest import Manifest
from encoderfile.tasks.base import FLOATS, JsonSchema, Task, unit
from encoderfile.tasks.pooling import SPARSE, pool
from encoderfile.types import EncodedText, FloatArray, ModelType, SentenceEmbedding


class SentenceEmbeddings(Task[SentenceEmbedding]):
    """Takes an output that is already [batch, hidden], or pools `last_hidden_state`.

    From the logits of a model of masked words it makes a sparse vector: one weight per word of the vocabulary.
    """

    model_type = ModelType.SENTENCE_EMBEDDING
    needs_tokens = False
    takes_normalize = True
    takes_prompt = True
    summary = "Performs sentence embedding of input text sequences."

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(manifest)
        self._pooling = manifest.pooling

    @classmethod
    def expected_output(cls) -> str:
        return "sentence_embedding [batch, hidden] or last_hidden_state [batch, tokens, hidden]"

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[SentenceEmbedding]:
        if output.ndim == 3:
            unpooled = None if self.manifest.include_prompt else [text.unpooled for text in batch]
            output = pool(self._modes, output, mask, unpooled)
        return [SentenceEmbedding(row.copy()) for row in output[: len(batch)]]

    def values(self, text: EncodedText) -> int:
        return self.manifest.width * max(len(self._modes), 1)

    def normalized(self, result: SentenceEmbedding, normalize: bool | None) -> SentenceEmbedding:
        if normalize is None:
            normalize = self._pooling is not None and self._pooling.normalize
        return SentenceEmbedding(unit(result.embedding)) if normalize else result

    @property
    def _modes(self) -> tuple[str, ...]:
        return self._pooling.modes if self._pooling else ("mean",)

    @property
    def dims(self) -> Mapping[str, int]:
        if any(mode in SPARSE for mode in self._modes):
            return {"sparse": self.manifest.width}
        return {"dense": self.manifest.width * max(len(self._modes), 1)}

    def vectors(
        self, kind: str, results: Sequence[SentenceEmbedding], normalize: bool | None
    ) -> Iterator[FloatArray]:
        for each in results:
            yield self.normalized(each, normalize).embedding

    def to_json(self, result: SentenceEmbedding) -> dict[str, Any]:
        return {"embedding": result.embedding}

    @classmethod
    def result_schema(cls) -> JsonSchema:
        return {"type": "object", "properties": {"embedding": FLOATS}, "required": ["embedding"]}
