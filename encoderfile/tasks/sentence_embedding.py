"""`sentence_embedding`: one vector per text, pooled as the model's sentence-transformers files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from encoderfile.tasks import results
from encoderfile.tasks.numerics import unit
from encoderfile.tasks.options import NORMALIZE
from encoderfile.tasks.pooling import SPARSE, pool
from encoderfile.tasks.results import Result
from encoderfile.tasks.task import Output, Task
from encoderfile.types import EncodedText, FloatArray


@dataclass(frozen=True, slots=True)
class SentenceEmbedding(Result):
    """One vector; `embedding` is float32 [hidden]."""

    embedding: Annotated[FloatArray, results.floats()]


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
    summary = "Performs sentence embedding of input text sequences."
    answer = "one vector per text; compare two by their dot product when normalised"
    example: ClassVar[Mapping[str, Any]] = {"inputs": ["How do I reset my password?", "Password recovery steps"]}

    def postprocess(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[SentenceEmbedding]:
        if output.ndim == 3:
            unpooled = None if self.manifest.include_prompt else [text.unpooled for text in batch]
            output = pool(self.modes, output, mask, unpooled)
        return [SentenceEmbedding(row.copy()) for row in output[: len(batch)]]

    def with_options(self, result: SentenceEmbedding, options: Mapping[str, Any]) -> SentenceEmbedding:
        return SentenceEmbedding(self._normalized(result, options.get("normalize")))

    @property
    def width(self) -> int:
        return self.manifest.width * max(len(self.modes), 1)

    @property
    def dims(self) -> Mapping[str, int]:
        if any(mode in SPARSE for mode in self.modes):
            return {"sparse": self.manifest.width}
        return {"dense": self.width}

    def vectors(
        self, kind: str, results: Sequence[SentenceEmbedding], normalize: bool | None
    ) -> Iterator[FloatArray]:
        for each in results:
            yield self._normalized(each, normalize)

    def _normalized(self, result: SentenceEmbedding, normalize: bool | None) -> FloatArray:
        wanted = self.normalizes if normalize is None else normalize
        return unit(result.embedding) if wanted else result.embedding
