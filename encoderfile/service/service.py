"""The one predict that every transport calls: limits, refusals, truncation, batching."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from encoderfile.errors import (
    DrainingError,
    EncoderfileError,
    ExhaustedError,
    InputError,
    InternalError,
    TooLongError,
)
from encoderfile.model.model import Model
from encoderfile.service import abilities
from encoderfile.service.batcher import Batcher
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.encoding import Encoding
from encoderfile.service.expansion import MAX_ROWS, Expansion
from encoderfile.service.in_flight import InFlight
from encoderfile.service.large_answers import LargeAnswers, sending
from encoderfile.service.limits import AnswerSize, Limits
from encoderfile.service.metrics import Metrics
from encoderfile.service.prompts import Prompts
from encoderfile.service.scoring import scored
from encoderfile.service.windows import MAX_WINDOWS, Windows
from encoderfile.tasks import Task
from encoderfile.tasks.abilities import Ability, Extracted
from encoderfile.tasks.results import Result
from encoderfile.types import (
    AS_CONFIGURED,
    DEFAULT_PROMPT,
    Asked,
    AskedPrompt,
    EncodedText,
    Prediction,
    PredictRequest,
    Timing,
    Truncation,
)

log = logging.getLogger(__name__)


RECOVERY_SECONDS = 10.0
"""How long the server says that it is not ready after it ran out of memory, threads or files."""

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def _draining() -> DrainingError:
    return DrainingError("the server is stopping and takes no new requests")


class Service:
    """Every transport holds one of these and nothing else of ours."""

    def __init__(
        self,
        model: Model,
        limits: Limits,
        default_prompt: str | None = None,
        threads: int = 2,
        *,
        served_names: Sequence[str] = (),
        allow_dimensions: bool = False,
    ) -> None:
        """`default_prompt` is that of `--default-prompt`; `threads` may tokenise at a time.

        `allow_dimensions` is that of `--allow-dimensions`.

        Raises `ConfigError` when the model has no such prompt, or the threads cannot be had.
        """
        self._model = model
        self.limits = limits
        self.tokenizer = model.tokenizer
        self.tokenizer_threads = threads
        self.specials = model.tokenizer.specials(pair=model.task.needs_pairs)
        self.weights_dtype = model.manifest.graph.dtype or "float32"
        self.info = replace(model.info, served_names=tuple(served_names))
        self.task: Task[Any] = model.task
        self.device = model.device
        self.allow_dimensions = allow_dimensions
        self.max_inputs = limits.max_inputs
        self.refuses_overflow = limits.refuse_overflow
        self.check_characters = limits.check_characters
        """`predict` asks this too; who fills in prompts asks before, for they can make a small body large."""
        self.prompts = Prompts(model.task, self.info, default_prompt)
        self.ready = False
        """Whether new requests are taken."""
        self._exhausted: ExhaustedError | None = None
        self._recovery: asyncio.TimerHandle | None = None
        self.on_fault: Callable[[bool], None] = lambda _: None
        """Called with True when a fault begins, and with False when it is over."""
        self.metrics = Metrics(model.info, model.device, model.manifest.model_bytes)
        self._accepted_requests = InFlight()
        self.encoding = Encoding(model.encode, threads)
        self.alone = self.encoding.alone
        self.large_answers = LargeAnswers(limits.max_values)
        self._batcher: Batcher[EncodedText, Result] = Batcher(
            model,
            max_batch_tokens=limits.max_batch_tokens,
            max_run_tokens=limits.max_run_tokens,
            max_queue=limits.max_queue,
            row_length=model.row_length,
            on_run=self.metrics.batch,
        )
        self._batcher.on_exhausted = self._note
        self.open_instances = self._batcher.open_instances

    @property
    def fault(self) -> str | None:
        """What the machine ran out of a moment ago, so that a request failed; None when all is well."""
        return None if self._exhausted is None else str(self._exhausted)

    def start(self) -> None:
        """Begins to take requests."""
        self.ready = True

    async def predict(self, request: PredictRequest) -> Prediction[Any]:
        """Raises `InputError`, `InternalError`, and at once `QueueFullError` and `DrainingError`."""
        return await self._answer(request)

    async def _answer(self, request: PredictRequest, accepted: bool = False) -> Prediction[Any]:
        async with self._accepted(request, accepted) as asked:
            prediction = await self._predict(request, asked)
            self.metrics.answered(prediction.token_count, prediction.truncated_inputs)
            return prediction

    async def score(
        self,
        query: str,
        texts: Sequence[str],
        raw: bool = False,
        truncation: Truncation = AS_CONFIGURED,
        instruction: str | None = None,
    ) -> Prediction[float]:
        """How well each text answers `query`, one number each; `raw` ones are the model's own.

        An `instruction` stands before the query, unless the model has a place of its own for it.

        Raises what `predict` raises, `InputError` also for a model that does not score.
        """
        self.check_ability(Ability.SCORE)
        self.limits.check_count(len(texts))
        prompt = DEFAULT_PROMPT
        if instruction and self.task.takes_instruction:
            prompt = AskedPrompt(text=instruction)
        elif instruction:
            query = f"{instruction} {query}"
        made = self.task.score_requests(query, texts)
        requests = [replace(each, truncation=truncation) for each in made]
        if prompt is not DEFAULT_PROMPT:
            requests = [replace(each, prompt=prompt) for each in requests]
        self.limits.check_characters(
            sum(len(text) for each in requests for text in each.inputs if isinstance(text, str))
        )
        with self.accepting() as predict:
            return await scored(predict, self.alone, self.task, requests, raw)

    @contextmanager
    def accepting(self) -> Iterator[Callable[[PredictRequest], Awaitable[Prediction[Any]]]]:
        """`predict`, for what takes several requests: once begun, all are answered. Raises `DrainingError`."""
        if not self.ready:
            raise _draining()
        with self._accepted_requests:
            yield partial(self._answer, accepted=True)

    async def extract(
        self,
        texts: Sequence[str],
        strategy: str = "simple",
        stride: int | None = None,
        truncation: Truncation = AS_CONFIGURED,
        options: Mapping[str, Any] = NO_OPTIONS,
    ) -> Prediction[Extracted]:
        """The entities or labels of each text; `strategy` is one of `STRATEGIES` and groups token labels.

        `options` are those of the model type.

        With `stride` a text longer than the limit is read in windows that overlap by this many tokens; without, it
        is truncated. Raises `InputError` for a model that does not extract, `ConfigError` for a stride that is too
        large, and what `predict` raises.
        """
        self.check_ability(Ability.EXTRACT)
        options = {**self.task.extract_defaults, **options}
        request = PredictRequest(texts, options, truncation=truncation, raw=True)
        async with self._accepted(request) as asked:
            if stride is None:
                try:
                    found = await self._predict(request, asked)
                except TooLongError as error:
                    if error.index is not None and self.task.preprocessor is not None:
                        lengths = self._model.inputs.lengths
                        error.observed = await self.encoding.alone(lengths, texts[error.index], asked)
                    raise
                pairs = zip(found.results, texts, strict=True)
                extracted = await cooperatively(self._extracted(result, text, strategy) for result, text in pairs)
                found = replace(found, results=extracted)
            else:
                found = await self._in_windows(texts, strategy, stride)
            self.metrics.answered(found.token_count, found.truncated_inputs)
            return found

    def check_ability(self, ability: Ability) -> None:
        """Raises `UnableError` where the model does not have it."""
        abilities.check(ability, self.task, self.info.model_id)

    @asynccontextmanager
    async def _accepted(self, request: PredictRequest, accepted: bool = False) -> AsyncIterator[Asked]:
        """Refuses what cannot be taken, and counts the request until it is answered. Yields what it asks for.

        `accepted` is a request that is a part of one in flight.
        """
        if not (self.ready or accepted):
            raise _draining()
        prompt, purpose = self.prompts.find(request.prompt)
        kinds = tuple(kind for kind in request.kinds if kind in self.task.separate_kinds)
        asked = Asked(prompt, purpose, request.options, kinds, request.truncation.side)
        self.limits.check_inputs(request, prompt, self.task)
        if self.task.preprocessor is not None:
            asked = self.task.preprocessor.prepare(asked)
        self._admit(len(request.inputs))
        try:
            with self._accepted_requests:
                yield asked
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

    def _admit(self, rows: int) -> None:
        """Raises `QueueFullError` where so many more do not fit."""
        self._batcher.admit(rows, ahead=self.encoding.waiting + self.large_answers.waiting)

    def _note(self, exhausted: ExhaustedError) -> None:
        """Reports for a while that the server is not ready, so that clients use another one."""
        begins, self._exhausted = self._exhausted is None, exhausted
        if self._recovery is not None:
            self._recovery.cancel()
        self._recovery = asyncio.get_running_loop().call_later(RECOVERY_SECONDS, self._recovered)
        if begins:
            self.on_fault(True)

    def _recovered(self) -> None:
        self._exhausted = self._recovery = None
        self.on_fault(False)

    async def _predict(self, request: PredictRequest, asked: Asked) -> Prediction[Any]:
        started = time.perf_counter()
        answer = AnswerSize(self.task, request.max_values, self.limits.max_values)
        expansion = Expansion(self.task.preprocessor, request.inputs, asked, self.limits.check_characters)
        if self.task.preprocessor is not None:
            await cooperatively(expansion.made())
            self._admit(len(expansion.rows))
        try:
            encoded = await self.encoding(expansion.rows, asked, answer.add)
            self._model.check_memory(encoded)
            tokenized = time.perf_counter()
            self.limits.check_lengths(encoded, request.truncation.refuse, self.task)
        except InputError as error:
            error.index = None if error.index is None else expansion.index(error.index)
            raise
        async with self.large_answers.admitted(answer.values, len(encoded)):
            admitted = time.perf_counter()
            to_run = expansion.to_run(encoded)
            results, queued = await self._batcher.submit(to_run) if to_run else ([], 0.0)
            if self.task.preprocessor is not None:
                results = await cooperatively(expansion.gathered(results))
            if not request.raw:
                results = await cooperatively(self.task.with_options(result, request.options) for result in results)
        return Prediction(
            results=results,
            model_id=self.info.model_id,
            metadata=request.metadata,
            truncated_inputs=expansion.of_inputs(lambda text: text.truncated, encoded),
            token_count=sum(len(text) for text in encoded),
            timing=Timing(
                tokenization=tokenized - started,
                queue=admitted - tokenized + queued,
                inference=time.perf_counter() - admitted - queued,
            ),
        )

    async def _in_windows(self, texts: Sequence[str], strategy: str, stride: int) -> Prediction[Extracted]:
        most = None if self.limits.max_characters is None else MAX_WINDOWS

        async def read(text: str) -> list[EncodedText]:
            return await self.alone(self._model.tokenizer.windows, text, stride, most)

        async def run(windows: list[EncodedText]) -> tuple[Sequence[Any], float]:
            values = AnswerSize(self.task)
            values.add(windows)
            self._admit(len(windows))
            with sending():  # the results become entities at once
                async with self.large_answers.admitted(values.values, len(windows)):
                    return await self._batcher.submit(windows)

        windows = Windows(read, run, lambda result, text: self._extracted(result, text, strategy))
        found = await windows.extracted(texts)
        return Prediction(found, self.info.model_id, token_count=windows.token_count, timing=windows.timing)

    def _extracted(self, result: Any, text: str, strategy: str) -> Extracted:
        return self.task.extract(result, text, strategy, self._model.inputs.words)

    def inputs_at_once(self, options: Mapping[str, Any], most: int) -> int:
        """How many inputs a request with these options may have, `most` or less. Raises `InputError`."""
        preprocessor = self.task.preprocessor
        if preprocessor is None:
            return most
        rows = len(preprocessor.rows(self.task.as_input("text"), preprocessor.prepare(Asked(options=options))))
        return max(1, min(most, MAX_ROWS // rows))

    @property
    def window_overlap(self) -> int | None:
        """A `stride` for `extract` that suits the model; None where it reads no text in windows."""
        return self.info.max_length // 4 if self.task.groups_tokens and self._model.tokenizer.has_windows else None

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
        self.encoding.stop()
