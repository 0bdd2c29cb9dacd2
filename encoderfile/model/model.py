"""One model: tokenizer, graph and task together. Batch in, batch out."""

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
from encoderfile.model import attention, costs, padding, prompts
from encoderfile.model.costs import Costs, Shape
from encoderfile.model.instances import Instances
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Known, Tokenizer
from encoderfile.tasks.entities import WordRules
from encoderfile.tasks.results import Result
from encoderfile.types import EncodedText, FloatArray, ModelInfo, Text


class Model:
    """Synchronous and safe to share: `encode` and `run` may be called from different threads."""

    def __init__(
        self, manifest: Manifest, tokenizer: Tokenizer, session: Session, instances: Instances | None = None
    ) -> None:
        """`instances` is given where several runs may go at the same time."""
        self.manifest = manifest
        self.task = tasks.create(manifest)
        self.device = session.device.name
        """Where the graph runs: `cpu` or `cuda`."""
        spec, words = manifest.tokenizer, tokenizer
        self.info = ModelInfo(
            manifest.name,
            manifest.version,
            manifest.model_type,
            manifest.id2label,
            spec.max_length,
            spec.truncation_side,
            manifest.prompts,
            manifest.default_prompt_name,
            manifest.matryoshka,
            manifest.matryoshka_dimensions,
        )
        """What a caller may know of it."""
        self.words = WordRules(words.spell, words.join, words.continuing_prefix, spec.unknown_token_id)
        """What grouping tokens into words needs of this model."""
        self._tokenizer = tokenizer
        self._session = session
        self._instances = instances
        self.instances = instances.count if instances else 1
        """Runs of one thread that may go at the same time once `open_instances` said yes; 1 where none may."""
        self.costs = costs.assumed(self.device, session.threads)
        """What runs cost, as long as nobody has timed them."""
        self.load_seconds = session.load_seconds
        """How long loading the graph took."""

    def with_session(self, session: Session) -> Model:
        """The same model on another graph."""
        return Model(self.manifest, self._tokenizer, session)

    def padded_on(self, side: str) -> Model:
        """The same model with the padding on the `left` or `right`."""
        spec = dataclasses.replace(self.manifest.tokenizer, padding_side=side)
        return Model(dataclasses.replace(self.manifest, tokenizer=spec), self._tokenizer, self._session)

    def encode(
        self, texts: Sequence[Text], prompt: str = "", known: Known | None = None, patient: bool = True
    ) -> list[EncodedText]:
        """Tokenises texts behind a prompt, cut at the limit; `truncated` says where.

        `known` and `patient` as `Tokenizer` has them.
        """
        read = partial(self._tokenizer, with_tokens=self.task.needs_tokens, known=known, patient=patient)
        if not prompt:
            return read(texts)
        unpooled = 0 if self.manifest.include_prompt else self._tokenizer.prompt_tokens(prompt, patient)
        return prompts.encode(read, prompt, texts, unpooled)

    def check_memory(self, texts: Sequence[EncodedText]) -> None:
        """Raises `TooLongError` for a text that this machine has not the memory for."""
        if self.device == "cpu":
            attention.refuse_too_large(texts, self.manifest.attention_bytes)

    def windows(self, text: str, stride: int) -> list[EncodedText]:
        """Tokenises all of a text, in windows of the limit that share `stride` tokens."""
        return self._tokenizer.windows(text, stride)

    @property
    def row_length(self) -> int | None:
        """The one length that every text is padded to, in tokens; None: that of the longest text of a run."""
        return self.manifest.graph.fixed_tokens or self.manifest.tokenizer.pad_to

    def open_instances(self) -> bool:
        """Prepares runs of one thread each, at the same time. False where that cannot be."""
        return self._instances is not None and self._instances.open()

    def time_runs(self) -> Costs:
        """Times short runs of both sessions, once `open_instances` said yes; nothing else should run meanwhile.

        Raises what `Session.run` raises.
        """
        sessions = self._session, self._session_of(all_threads=False)
        all_threads, one_thread = (partial(self._seconds, session) for session in sessions)
        return costs.timed(all_threads, one_thread, self._session.threads, self.row_length)

    def run(self, batch: Sequence[EncodedText], all_threads: bool = True) -> list[Result | InternalError]:
        """Pads `batch`, runs the graph and returns one result per text, in order.

        With all threads, or with one once `open_instances` said yes, while others run too. A text whose output is not
        finite gets an `InternalError` in its place, the others their results. A graph of fixed shape is run in that
        shape, as often as needed.
        """
        session = self._session_of(all_threads)
        size = self.manifest.graph.fixed_batch or len(batch)
        chunks = (batch[start : start + size] for start in range(0, len(batch), size))
        return [result for chunk in chunks for result in self._run_padded(session, chunk)]

    def _session_of(self, all_threads: bool) -> Session:
        return self._session if all_threads or self._instances is None else self._instances.session

    def _seconds(self, session: Session, shape: Shape) -> float:
        """How long a run of so many rows takes, of so many tokens each."""
        rows, tokens = shape
        ids = np.zeros(tokens, dtype=np.int64)
        feeds, _ = padding.feeds(
            [EncodedText(ids, ids, ids, (), False)] * rows, self.manifest.graph, self.manifest.tokenizer
        )
        started = time.perf_counter()
        session.run(feeds, self.manifest.graph.output)
        return time.perf_counter() - started

    def _run_padded(self, session: Session, batch: Sequence[EncodedText]) -> list[Result | InternalError]:
        feeds, mask = padding.feeds(batch, self.manifest.graph, self.manifest.tokenizer)
        output = session.run(feeds, self.manifest.graph.output)[: len(batch)]
        return self._results(output, batch, mask)

    def _results(
        self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray
    ) -> list[Result | InternalError]:
        real = mask[:, :, None] > 0 if output.ndim == 3 else np.ones((len(batch), 1), dtype=bool)
        axes: Any = tuple(range(1, output.ndim))
        numbers = np.isfinite(output)
        finite = (numbers | ~real).all(axis=axes)
        if not numbers.all():
            # Zeros, because what stands in the padding would else enter sums: 0 times NaN is NaN.
            output = np.where(numbers, output, np.float32(0))
        results: list[Result] = self.task.postprocess(output, batch, mask)
        return [
            result if ok else InternalError("the model's output is not finite (NaN or infinity)")
            for result, ok in zip(results, finite, strict=True)
        ]
