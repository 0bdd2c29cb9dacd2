"""The graph is loaded once more for runs at the same time, where memory allows."""

import dataclasses
import logging
from functools import partial
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import ModelError
from encoderfile.model import instances as module
from encoderfile.model.device import Device
from encoderfile.model.instances import Instances
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from support.models import MODELS, checked, open_model

MB = 1 << 20


class Loads:
    """What loads a session, and how often it did."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count = 0
        self._error = error

    def __call__(self) -> Any:
        self.count += 1
        if self._error:
            raise self._error
        return "a session"


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets how much memory is left."""

    def set_free(amount: int | None) -> None:
        monkeypatch.setattr(module, "available_memory", lambda: amount)

    return set_free


@pytest.mark.parametrize("amount", [200 * MB, None])
def test_instances_are_opened_once(free: Any, amount: int | None) -> None:
    free(amount)
    load = Loads()
    instances = Instances(3, load, 100 * MB)
    assert load.count == 0, "nothing is loaded before it is wanted"
    assert (instances.open(), instances.open()) == (True, True)
    assert load.count == 1
    assert instances.session == "a session"


def test_too_little_memory_leaves_one_instance(free: Any, caplog: pytest.LogCaptureFixture) -> None:
    free(150 * MB)
    load = Loads()
    with caplog.at_level(logging.INFO):
        assert not Instances(4, load, 100 * MB).open()
    assert load.count == 0
    assert "several need 200 MB of free memory, and 150 MB are free" in caplog.text


def test_a_session_that_cannot_be_loaded_leaves_one_instance(free: Any, caplog: pytest.LogCaptureFixture) -> None:
    free(None)
    with caplog.at_level(logging.WARNING):
        assert not Instances(4, Loads(ModelError("no more room")), 1).open()
    assert "no more room" in caplog.text


@pytest.mark.parametrize("name", ["bert-cls", "bert-embed"])
def test_both_sessions_of_a_model_give_the_same_answers_and_can_be_timed(name: str) -> None:
    usual = open_model(MODELS / name)
    load = partial(Session, *checked(MODELS / name).graph.in_place(), device=Device("cpu", "tests"))
    model = Model(usual.manifest, usual.tokenizer, load(threads=2), Instances(2, partial(load, threads=1), 0))
    assert model.instances == 2
    assert model.open_instances()
    batch = model.encode(["Hello world!", "a"])
    for one, all_threads in zip(model.run(batch, all_threads=False), model.run(batch), strict=True):
        for field, value in vars_of(one).items():
            np.testing.assert_allclose(value, vars_of(all_threads)[field], atol=1e-5)
    found = model.time_runs()
    assert 1 <= found.speedup <= 2
    assert found.run >= 1


def vars_of(result: Any) -> dict[str, Any]:
    """The arrays of a result."""
    fields = {each.name: getattr(result, each.name) for each in dataclasses.fields(result)}
    return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
