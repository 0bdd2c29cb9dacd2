"""One model: inputs, graph and task together. Batch in, batch out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from encoderfile import tasks
from encoderfile.errors import InternalError
from encoderfile.manifest import Manifest
from encoderfile.model import costs
from encoderfile.model.costs import Costs, Shape
from encoderfile.model.instances import Instances
from encoderfile.model.pairs import Known
from encoderfile.model.session import Session
from encoderfile.model.text_inputs import Readable, TextInputs
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.pooling import pooled_mask
from encoderfile.tasks.results import Result
from encoderfile.tasks.task import NO_TENSORS
from encoderfile.types import AS_IT_STANDS, Asked, EncodedText, FloatArray, ModelInfo

if TYPE_CHECKING:  # most files have none
    from encoderfile.transforms.transform import Transform


class Model:
    """Synchronous and safe to share: `encode` and `run` may be called from different threads."""

    def __init__(
        self,
        manifest: Manifest,
        tokenizer: Tokenizer,
        session: Session,
        instances: Instances | None = None,
        tensors: Mapping[str, FloatArray] = NO_TENSORS,
        transform: Transform | None = None,
    ) -> None:
        """`instances` is given where several runs may go at the same time; `tensors` are those of `TENSORS`."""
        self.manifest = manifest
        self.tokenizer = tokenizer
        self.tensors = tensors
        self._transform = transform
        self.task = tasks.create(manifest, tensors)
        self.device = session.device.name
        """Where the graph runs: `cpu` or `cuda`."""
        self.inputs = TextInputs(manifest, tokenizer, self.task)
        self.row_length = self.inputs.row_length
        self.info = ModelInfo(
            model_id=manifest.name,
            version=manifest.version,
            model_type=manifest.model_type,
            id2label=manifest.id2label,
            max_length=manifest.tokenizer.max_length,
            truncation_side=manifest.tokenizer.truncation_side,
            prompts=manifest.prompts,
            default_prompt_name=manifest.default_prompt_name,
            matryoshka=manifest.matryoshka,
            matryoshka_dimensions=manifest.matryoshka_dimensions,
            license=manifest.card.license,
            languages=manifest.card.languages,
            examples=manifest.card.examples,
        )
        self._more_outputs = manifest.graph.more_outputs
        self.session = session
        self._instances = instances
        self.instances = instances.count if instances else 1
        """Runs of one thread that may go at the same time once `open_instances` said yes; 1: none may."""
        self.costs = costs.assumed(self.device, session.threads)
        self.load_seconds = session.load_seconds

    def with_session(self, session: Session) -> Model:
        """The same model on another graph."""
        return Model(self.manifest, self.tokenizer, session, tensors=self.tensors, transform=self._transform)

    def padded_on(self, side: str) -> Model:
        """The same model with the padding on the `left` or `right`."""
        spec = dataclasses.replace(self.manifest.tokenizer, padding_side=side)
        manifest = dataclasses.replace(self.manifest, tokenizer=spec)
        return Model(manifest, self.tokenizer, self.session, tensors=self.tensors, transform=self._transform)

    def encode(
        self,
        texts: Sequence[Readable],
        asked: Asked = AS_IT_STANDS,
        known: Known | None = None,
        patient: bool = True,
    ) -> list[EncodedText]:
        """As `TextInputs.encode`."""
        return self.inputs.encode(texts, asked, known, patient)

    def check_memory(self, texts: Sequence[EncodedText]) -> None:
        """Raises `TooLongError` for a text that takes more memory than this machine has left."""
        if self.device == "cpu":
            self.inputs.check_memory(texts)

    def open_instances(self) -> bool:
        """Prepares runs of one thread each, at the same time. False if there can be none."""
        return self._instances is not None and self._instances.open()

    def time_runs(self) -> Costs:
        """Times short runs of both sessions, once `open_instances` said yes. Raises what `Session.run` raises."""
        sessions = self.session, self._session_of(all_threads=False)
        all_threads, one_thread = (partial(self._seconds, session) for session in sessions)
        lengths = range(self.row_length or 1, (self.row_length or self.manifest.tokenizer.max_length) + 1)
        return costs.timed(all_threads, one_thread, self.session.threads, lengths)

    def run(self, batch: Sequence[EncodedText], all_threads: bool = True) -> list[Result | InternalError]:
        """Pads `batch`, runs the graph and returns one result per text, in order.

        With all threads, or with one, at the same time as others, once `open_instances` said yes. A text whose output
        is not finite gets an `InternalError` in its place. A graph of fixed shape runs as often as needed.
        """
        session = self._session_of(all_threads)
        if not any(text.unpadded for text in batch):
            return self._run_together(session, batch)
        found: dict[int, Result | InternalError] = {}
        for rows in _by_length(batch):
            found.update(zip(rows, self._run_together(session, [batch[row] for row in rows]), strict=True))
        return [found[row] for row in range(len(batch))]

    def transformed(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> FloatArray:
        """What the file's script makes of the graph's output, or the output itself. Raises `TransformError`."""
        if self._transform is None:
            return output
        pooled = mask if self.manifest.include_prompt else pooled_mask(mask, [text.unpooled for text in batch])
        return self._transform(output, pooled)

    def _run_together(self, session: Session, batch: Sequence[EncodedText]) -> list[Result | InternalError]:
        size = self.manifest.graph.fixed_batch or len(batch)
        chunks = (batch[start : start + size] for start in range(0, len(batch), size))
        return [result for chunk in chunks for result in self._run_padded(session, chunk)]

    def _session_of(self, all_threads: bool) -> Session:
        return self.session if all_threads or self._instances is None else self._instances.session

    def _seconds(self, session: Session, shape: Shape) -> float:
        """How long a run of this shape takes."""
        rows, tokens = shape
        feeds, _ = self.inputs.feeds([self.inputs.sample(tokens)] * rows)
        started = time.perf_counter()
        session.run(feeds, self.manifest.graph.output)
        return time.perf_counter() - started

    def _run_padded(self, session: Session, batch: Sequence[EncodedText]) -> list[Result | InternalError]:
        feeds, mask = self.inputs.feeds([*batch, *self.task.fillers(batch)])
        mask = mask[: len(batch)]
        kinds = [kind for kind in self._more_outputs if any(kind in text.kinds for text in batch)]
        if kinds:
            main = self.manifest.graph.output
            names = list(dict.fromkeys([main, *(self._more_outputs[kind] for kind in kinds)]))
            found = dict(zip(names, session.run_several(feeds, names), strict=True))
            first, others = found[main], [found[self._more_outputs[kind]] for kind in kinds]
        else:
            first, others = session.run(feeds, self.manifest.graph.output), []
        output, finite = _finite(self.task.batch_first(first)[: len(batch)], mask)
        if self._transform is not None:
            output, still = _finite(self.transformed(output, batch, mask), mask)
            finite = finite & still
        results: list[Result] = self.task.postprocess(output, batch, mask)
        if kinds:
            more, are_finite = zip(*(_finite(each[: len(batch)], mask) for each in others), strict=True)
            finite = finite & np.all(are_finite, axis=0)
            results = self.task.add_outputs(results, dict(zip(kinds, more, strict=True)), batch, mask)
        return [
            result if ok else InternalError("the model's output is not finite (NaN or infinity)")
            for result, ok in zip(results, finite, strict=True)
        ]


def _by_length(batch: Sequence[EncodedText]) -> Iterable[list[int]]:
    """The rows that are run together: those that may be padded, and the others by their length."""
    groups: dict[int, list[int]] = {}
    for row, text in enumerate(batch):
        groups.setdefault(len(text) if text.unpadded else 0, []).append(row)
    return groups.values()


def _finite(output: FloatArray, mask: FloatArray) -> tuple[FloatArray, Any]:
    """The output without NaN and infinity, and for each text whether it had none; padding does not count.

    [texts, tokens, width], without the first tokens perhaps; or of another shape, in which nothing is padding.
    """
    missing = mask.shape[1] - output.shape[1] if output.ndim == 3 else -1
    real = mask[:, missing:, None] > 0 if 0 <= missing <= 1 else np.ones((len(mask), *[1] * (output.ndim - 1)), bool)
    numbers = np.isfinite(output)
    axes: Any = tuple(range(1, output.ndim))
    finite = (numbers | ~real).all(axis=axes)
    # Zeros, because what stands in the padding would enter sums: 0 times NaN is NaN.
    return (output if numbers.all() else np.where(numbers, output, np.float32(0))), finite
