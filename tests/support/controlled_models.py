"""Models that do what a test says: wait before a run, fail, or give NaN."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encoderfile.errors import InternalError
from encoderfile.model.model import Model
from encoderfile.tasks.results import Result
from encoderfile.types import Asked, EncodedText, FloatArray, Text
from support.clients import PATIENCE
from support.model_types import needed_by


class Gated(Model):
    """A model whose runs wait until the test opens the gate; what happened before can be awaited."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.manifest, model.tokenizer, model.session)
        self._model = model
        self._gate = threading.Event()
        self._running = threading.Semaphore(0)
        self._encoded = threading.Semaphore(0)
        self.batches: list[int] = []
        """How many texts each run had."""

    def encode(self, texts: Sequence[Text], *more: Any) -> list[EncodedText]:
        encoded = self._model.encode(texts, *more)
        self._encoded.release()
        return encoded

    def run(self, batch: Sequence[EncodedText], all_threads: bool = True) -> list[Result | InternalError]:
        self.batches.append(len(batch))
        self._running.release()
        assert self._gate.wait(PATIENCE), "nobody opened the gate"
        return self._model.run(batch, all_threads)

    def open(self) -> None:
        self._gate.set()

    def wait_until_running(self) -> None:
        """Returns once a further run stands at the gate."""
        assert self._running.acquire(timeout=PATIENCE), "no run began"

    def wait_until_encoded(self, requests: int = 1) -> None:
        """Returns once so many further requests are tokenised: they queue before any that is sent after this."""
        for _ in range(requests):
            assert self._encoded.acquire(timeout=PATIENCE), "no request was tokenised"


class Faulty(Model):
    """A model that raises for the text `boom`, while tokenising or while running."""

    def __init__(self, model: Model, *, encode: Exception | None = None, run: Exception | None = None) -> None:
        super().__init__(model.manifest, model.tokenizer, model.session)
        self._encode_error = encode
        self._run_error = run
        self._boom = _ids(model)

    def encode(self, texts: Sequence[Text], *more: Any) -> list[EncodedText]:
        if self._encode_error is not None and "boom" in texts:
            raise self._encode_error
        return super().encode(texts, *more)

    def run(self, batch: Sequence[EncodedText], all_threads: bool = True) -> list[Result | InternalError]:
        if self._run_error is not None and any(text.input_ids.tolist() == self._boom for text in batch):
            raise self._run_error
        return super().run(batch, all_threads)


class Infinite(Model):
    """A model whose graph gives NaN for the text `boom`."""

    def __init__(self, model: Model) -> None:
        session: Any = _Poisoned(model.session, _ids(model))
        super().__init__(model.manifest, model.tokenizer, session)


class Nonsense(Model):
    """A model whose results no transport can write."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.manifest, model.tokenizer, model.session)

    def run(self, batch: Sequence[EncodedText], all_threads: bool = True) -> list[Result | InternalError]:
        return ["/opt/secret: no result"] * len(batch)  # type: ignore[list-item]


class _Poisoned:
    """A session that gives NaN for the rows that begin with the ids of `boom`."""

    def __init__(self, session: Any, boom: list[int]) -> None:
        self._session = session
        self._boom = boom

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, feeds: Mapping[str, Any], output: str) -> FloatArray:
        result: FloatArray = self._session.run(feeds, output)
        for row, ids in enumerate(feeds["input_ids"][:, : len(self._boom)].tolist()):
            if ids == self._boom:
                result[row] = np.nan
        return result


def _ids(model: Model) -> list[int]:
    (text,) = model.encode(["boom"], Asked(options=needed_by(type(model.task))))
    ids: list[int] = text.input_ids.tolist()
    return ids
