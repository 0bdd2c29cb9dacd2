"""One model: inputs, graph and task together. Batch in, batch out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from encoderfile import tasks
from encoderfile.errors import InternalError
from encoderfile.manifest import Manifest
from encoderfile.model import costs
from encoderfile.model.costs import Costs, Shape
from encoderfile.model.instances import Instances
from encoderfile.model.session import Session
from encoderfile.model.text_inputs import TextInputs
from encoderfile.model.tokenizer import Known, Tokenizer
from encoderfile.tasks.results import Result
from encoderfile.types import EncodedText, ModelInfo, Text


class Model:
    """Synchronous and safe to share: `encode` and `run` may be called from different threads."""

    def __init__(
        self, manifest: Manifest, tokenizer: Tokenizer, session: Session, instances: Instances | None = None
    ) -> None:
        """`instances` is given where several runs may go at the same time."""
        self.manifest = manifest
        self.tokenizer = tokenizer
        self.task = tasks.create(manifest)
        self.device = session.device.name
        """Where the graph runs: `cpu` or `cuda`."""
        self.inputs = TextInputs(manifest, tokenizer, with_tokens=self.task.needs_tokens)
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
        )
        self.session = session
        self._instances = instances
        self.instances = instances.count if instances else 1
        """Runs of one thread that may go at the same time once `open_instances` said yes; 1: none may."""
        self.costs = costs.assumed(self.device, session.threads)
        self.load_seconds = session.load_seconds

    def with_session(self, session: Session) -> Model:
        """The same model on another graph."""
        return Model(self.manifest, self.tokenizer, session)

    def padded_on(self, side: str) -> Model:
        """The same model with the padding on the `left` or `right`."""
        spec = dataclasses.replace(self.manifest.tokenizer, padding_side=side)
        return Model(dataclasses.replace(self.manifest, tokenizer=spec), self.tokenizer, self.session)

    def encode(
        self, texts: Sequence[Text], prompt: str = "", known: Known | None = None, patient: bool = True
    ) -> list[EncodedText]:
        """As `TextInputs.encode`."""
        return self.inputs.encode(texts, prompt, known, patient)

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
        feeds, mask = self.inputs.feeds(batch)
        output = session.run(feeds, self.manifest.graph.output)[: len(batch)]
        real = mask[:, :, None] > 0 if output.ndim == 3 else np.ones((len(batch), 1), dtype=bool)
        axes: Any = tuple(range(1, output.ndim))
        numbers = np.isfinite(output)
        finite = (numbers | ~real).all(axis=axes)
        if not numbers.all():
            # Zeros, because what stands in the padding would enter sums: 0 times NaN is NaN.
            output = np.where(numbers, output, np.float32(0))
        results: list[Result] = self.task.postprocess(output, batch, mask)
        return [
            result if ok else InternalError("the model's output is not finite (NaN or infinity)")
            for result, ok in zip(results, finite, strict=True)
        ]
