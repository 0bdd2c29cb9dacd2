"""The one predict that every way in calls: limits, refusals, truncation, batching."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from encoderfile.errors import (
    DrainingError,
    EmptyTextError,
    EncoderfileError,
    ExhaustedError,
    InputError,
    InternalError,
    TooLongError,
)
from encoderfile.model.model import Model
from encoderfile.service.batcher import Batcher
from encoderfile.service.encoding import Encoding
from encoderfile.service.metrics import Metrics
from encoderfile.service.prompts import Prompts
from encoderfile.service.room import Room
from encoderfile.service.turns import in_turns
from encoderfile.service.under_way import UnderWay
from encoderfile.tasks import Task
from encoderfile.tasks.entities import Entity, WordRules, entities, merged
from encoderfile.types import EncodedText, ModelInfo, Prediction, PredictRequest, Result, Text, Timing, TokenLabels

log = logging.getLogger(__name__)


RECOVERY_SECONDS = 10.0
"""How long the server says that it is not ready after memory, a thread or a file was lacking."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes. Texts per request, texts waiting, padded tokens that run at a time."""

    max_inputs: int = 4096
    max_queue: int = 16384
    max_batch_tokens: int = 1024
    max_run_tokens: int | None = None
    """Padded tokens of a run with all threads; None: as many as run at a time."""
    max_characters: int | None = 4 << 20
    """Of the texts of one request as the model is to read them; None: any number."""
    max_values: int | None = 1 << 24
    """Numbers of one answer; None: any number."""
    refuse_overflow: bool = False
    """Refuse texts longer than the model's limit instead of cutting them."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """The entities of several texts, one list per text, in order."""

    entities: Sequence[Sequence[Entity]]
    truncated_inputs: int
    token_count: int
    timing: Timing


class Service:
    """Every transport holds one of these and nothing else of ours."""

    def __init__(self, model: Model, limits: Limits, default_prompt: str | None = None, threads: int = 2) -> None:
        """`default_prompt` is that of `--default-prompt`; `threads` may tokenise at a time.

        Raises `ConfigError` when the model has no such prompt, or the threads cannot be had.
        """
        self._model = model
        self._prompts = Prompts(model.task, default_prompt)
        self._limits = limits
        manifest = model.manifest
        self.info = ModelInfo(
            manifest.name, manifest.version, manifest.model_type, manifest.id2label, manifest.tokenizer.max_length
        )
        self.ready = False
        """Whether new requests are taken."""
        self._exhausted: ExhaustedError | None = None
        self._recovery: asyncio.TimerHandle | None = None
        self.on_fault: Callable[[bool], None] = lambda _: None
        """Told that a fault began, and that it is over."""
        self.metrics = Metrics(
            manifest.name,
            model.device,
            manifest.model_bytes,
        )
        self._accepted_requests = UnderWay()
        self._encoding = Encoding(model.encode, threads)
        self._room = Room(limits.max_values)
        self._batcher: Batcher[EncodedText, Result] = Batcher(
            model,
            max_batch_tokens=limits.max_batch_tokens,
            max_run_tokens=limits.max_run_tokens,
            max_queue=limits.max_queue,
            row_length=model.row_length,
            on_run=self.metrics.batch,
        )
        self._batcher.on_exhausted = self._note

    @property
    def task(self) -> Task[Any]:
        """The model type: schemas and the JSON form of results."""
        return self._model.task

    @property
    def device(self) -> str:
        """Where the model runs: `cpu` or `cuda`."""
        return self._model.device

    @property
    def max_inputs(self) -> int:
        """Texts of one request, at most."""
        return self._limits.max_inputs

    @property
    def refuses_overflow(self) -> bool:
        """Whether texts longer than the model's limit are refused unless the request says otherwise."""
        return self._limits.refuse_overflow

    @property
    def word_rules(self) -> WordRules:
        """What `tasks.entities` needs of this model to group its token labels."""
        return self._model.word_rules()

    @property
    def fault(self) -> str | None:
        """For want of what a request failed a moment ago; None where all is well."""
        return None if self._exhausted is None else str(self._exhausted)

    def check_characters(self, count: int) -> None:
        """Raises `InputError` when the texts of a request hold too much, prompts and templates filled in.

        `predict` asks this too; whoever fills in prompts asks before, because a small body can become large by it.
        """
        most = self._limits.max_characters
        if most is not None and count > most:
            raise InputError(
                f"at most {most} characters per request, prompts and templates filled in, got {count}: "
                "split the request"
            )

    def start(self) -> None:
        """Begins to take requests."""
        self.ready = True

    async def open_instances(self) -> None:
        """Makes ready for many requests at the same time, which is otherwise done when they come."""
        await self._batcher.open_instances()

    async def predict(self, request: PredictRequest) -> Prediction[Any]:
        """Answers one request, whole.

        Raises `InputError` for what the caller must change, `QueueFullError` and `DrainingError` at once,
        `InternalError` for the rest.
        """
        async with self._accepted(request) as prompt:
            prediction = await self._predict(request, prompt)
            self.metrics.answered(prediction.token_count, prediction.truncated_inputs)
            return prediction

    async def extract(self, texts: Sequence[str], strategy: str = "simple", stride: int | None = None) -> Extraction:
        """The entities of each text, from a model of token labels; `strategy` is one of `entities.STRATEGIES`.

        With `stride` a text longer than the limit is read in windows that share so many tokens; without, it is
        cut as `predict` cuts it. Raises what `predict` raises, `ConfigError` for a stride that is too large.
        """
        request = PredictRequest(texts)
        async with self._accepted(request) as prompt:
            found = await (
                self._cut(request, prompt, strategy) if stride is None else self._windows(texts, strategy, stride)
            )
            self.metrics.answered(found.token_count, found.truncated_inputs)
            return found

    @asynccontextmanager
    async def _accepted(self, request: PredictRequest) -> AsyncIterator[str]:
        """Refuses what cannot be taken, and counts the request until it is answered; gives its prompt."""
        if not self.ready:
            raise DrainingError("the server is stopping and takes no new requests")
        prompt = self._prompts.text(request.prompt)
        self._check(request.inputs, prompt, request.allow_empty)
        self._batcher.admit(len(request.inputs), ahead=self._encoding.waiting + self._room.waiting)
        try:
            with self._accepted_requests:
                yield prompt
        except EncoderfileError:
            raise
        except (MemoryError, OSError) as error:
            log.exception("a request failed")
            exhausted = ExhaustedError("no memory, thread or file is left for this request")
            self._note(exhausted)
            raise exhausted from error
        except Exception as error:
            log.exception("a request failed")
            raise InternalError.unforeseen() from error

    def _note(self, exhausted: ExhaustedError) -> None:
        """Says for a while that the server is not ready, so that what can be sent elsewhere is."""
        begins, self._exhausted = self._exhausted is None, exhausted
        if self._recovery is not None:
            self._recovery.cancel()
        self._recovery = asyncio.get_running_loop().call_later(RECOVERY_SECONDS, self._recovered)
        if begins:
            self.on_fault(True)

    def _recovered(self) -> None:
        self._exhausted = self._recovery = None
        self.on_fault(False)

    async def _predict(self, request: PredictRequest, prompt: str) -> Prediction[Any]:
        started = time.perf_counter()
        limits = [each for each in (request.max_values, self._limits.max_values) if each is not None]
        answer = _AnswerSize(self.task.values, min(limits, default=None))
        encoded = await self._encoding(request.inputs, prompt, answer.add)
        self._model.check_memory(encoded)
        tokenized = time.perf_counter()
        truncated = self._check_lengths(encoded, request.refuse_overflow)
        async with self._room.taken(answer.values, len(encoded)):
            has_room = time.perf_counter()
            results, queued = await self._batcher.submit(encoded)
            results = await in_turns(self.task.normalized(result, request.normalize) for result in results)
        return Prediction(
            results=results,
            model_id=self.info.model_id,
            metadata=request.metadata,
            truncated_inputs=truncated,
            token_count=sum(len(text) for text in encoded),
            timing=Timing(
                tokenization=tokenized - started,
                queue=has_room - tokenized + queued,
                inference=time.perf_counter() - has_room - queued,
            ),
        )

    def _check_lengths(self, encoded: Sequence[EncodedText], refuse: bool | None) -> int:
        """How many texts were cut. Raises `TooLongError` where none may be."""
        for index, text in enumerate(encoded):
            if not len(text):
                raise InputError("has no tokens for this model", index)
            if text.unpooled >= len(text):
                raise InputError("has no tokens behind its prompt, which this model does not pool", index)
            if text.truncated and (self._limits.refuse_overflow if refuse is None else refuse):
                raise TooLongError(
                    f"has more than {self.info.max_length} tokens, the most this model takes: "
                    f"shorten it{'' if refuse else ', or let --overflow truncate cut it'}",
                    index,
                )
        return sum(text.truncated for text in encoded)

    async def _cut(self, request: PredictRequest, prompt: str, strategy: str) -> Extraction:
        prediction = await self._predict(request, prompt)
        rules, texts = self.word_rules, cast("Sequence[str]", request.inputs)
        found = [
            entities(result, text, strategy, rules) for result, text in zip(prediction.results, texts, strict=True)
        ]
        return Extraction(found, prediction.truncated_inputs, prediction.token_count, prediction.timing)

    async def _windows(self, texts: Sequence[str], strategy: str, stride: int) -> Extraction:
        started = time.perf_counter()
        windows = [await self._encoding.alone(self._model.windows, text, stride) for text in texts]
        tokenized = time.perf_counter()
        results, queued = await self._batcher.submit([window for each in windows for window in each])
        rules, left = self.word_rules, iter(cast("list[TokenLabels]", results))
        found = []
        for text, each in zip(texts, windows, strict=True):
            answers = [entities(answer, text, strategy, rules) for answer in itertools.islice(left, len(each))]
            found.append(answers[0] if len(answers) == 1 else merged(answers))
        return Extraction(
            found,
            truncated_inputs=0,
            token_count=sum(len(window) for each in windows for window in each),
            timing=Timing(tokenized - started, queued, time.perf_counter() - tokenized - queued),
        )

    @property
    def waiting(self) -> int:
        """Texts queued and not yet taken into a run."""
        return self._batcher.waiting

    async def drain(self, seconds: float) -> bool:
        """Refuses new requests and answers accepted ones; False when `seconds` were not enough."""
        self.ready = False
        return await self._accepted_requests.ended(seconds)

    async def stop(self) -> None:
        """Ends the worker threads."""
        self.ready = False
        if self._recovery is not None:
            self._recovery.cancel()
        await self._batcher.stop()
        self._encoding.stop()

    def _check(self, inputs: Sequence[Text], prompt: str, allow_empty: bool) -> None:
        if not inputs:
            raise InputError("inputs is empty: send at least one text")
        if len(inputs) > self._limits.max_inputs:
            raise InputError(
                f"at most {self._limits.max_inputs} inputs per request, got {len(inputs)}: split the request"
            )
        seen: dict[int, int] = {}
        for index, text in enumerate(inputs):
            if not (isinstance(text, str) or self.task.takes_pairs):
                raise InputError(
                    f"is a text pair, and a model of type {self.info.model_type.value} reads single texts: "
                    "leave text_pair out",
                    index,
                )
            for part in (text,) if isinstance(text, str) else text:
                if not part and not allow_empty:
                    raise EmptyTextError(index)
                if id(part) not in seen:  # a query that all pairs share counts once
                    seen[id(part)] = len(part)
                    if not _is_unicode(part):
                        raise InputError("holds a lone surrogate, which is no Unicode text", index)
        self.check_characters(sum(seen.values()) + len(inputs) * len(prompt))


class _AnswerSize:
    """How many numbers an answer will hold, counted piece by piece as its texts are tokenised.

    What is known of millions of tokens takes hundreds of megabytes too, so it is not looked at in the end.
    """

    def __init__(self, of_text: Callable[[EncodedText], int], most: int | None) -> None:
        self._of_text, self._most = of_text, most
        self.values = 0

    def add(self, texts: Sequence[EncodedText]) -> None:
        """Raises `InputError` once there are too many."""
        self.values += sum(map(self._of_text, texts))
        if self._most is not None and self.values > self._most:
            raise InputError(
                f"the answer would hold more than {self._most} numbers, the most in one answer: split the request"
            )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
