"""Memory or a thread that cannot be had fails its request alone, and probes say that the server is not ready."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from typing import Any

import pytest

from encoderfile.errors import ConfigError, ExhaustedError, Kind
from encoderfile.service import service as service_module
from encoderfile.service import threads
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.types import PredictRequest
from support.clients import PATIENCE, HttpClient
from support.controlled_models import Faulty
from support.models import DEMO, open_model
from support.servers import Connect, Servers

SENTENCE = "Internal error: no memory is left for this run"


def short_of_memory() -> Faulty:
    return Faulty(open_model(DEMO["sentiment"]), run=MemoryError())


def test_a_run_without_memory_fails_its_request_alone(connect: Connect) -> None:
    client = connect(short_of_memory())
    assert client.refusal(["boom"]) == client.says(Kind.INTERNAL, SENTENCE)
    assert len(client.predict(["another"]).results) == 1


def test_tokenising_without_memory_fails_its_request_alone(connect: Connect) -> None:
    client = connect(Faulty(open_model(DEMO["sentiment"]), encode=MemoryError()))
    sentence = "Internal error: no memory, thread or file is left for this request"
    assert client.refusal(["boom"]) == client.says(Kind.INTERNAL, sentence)
    assert len(client.predict(["another"]).results) == 1


def test_probes_say_so_until_it_is_over(own: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    service = own.service(short_of_memory())
    http: HttpClient = own.client("http", service)
    told: list[bool] = []
    service.on_fault = told.append

    def probes() -> list[tuple[int, str]]:
        return [(each.status_code, each.text) for each in (http.request("GET", p) for p in ("/health", "/readyz"))]

    assert probes() == [(200, '"OK!"'), (200, "ok")]
    http.refusal(["boom"])
    assert probes() == [(503, SENTENCE)] * 2
    assert http.request("GET", "/livez").status_code == 200, "starting anew would help nobody"
    monkeypatch.setattr(service_module, "RECOVERY_SECONDS", 0.0)
    http.refusal(["boom"])
    http.predict(["another"])
    assert probes() == [(200, '"OK!"'), (200, "ok")]
    assert told == [True, False]


def test_grpc_health_turns_to_not_serving_and_back(own: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    import grpc.aio
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    from support.serving import grpc_server

    serving = health_pb2.HealthCheckResponse
    service = own.service(short_of_memory())
    _, address = own.enter(grpc_server(service))
    monkeypatch.setattr(service_module, "RECOVERY_SECONDS", 0.0)

    async def watch() -> list[Any]:
        async with grpc.aio.insecure_channel(address) as channel:
            call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
            seen = [(await call.read()).status]
            with pytest.raises(ExhaustedError):
                await service.predict(PredictRequest(["boom"]))
            seen += [(await call.read()).status, (await call.read()).status]
            call.cancel()
            return seen

    assert own.portal.call(watch) == [serving.SERVING, serving.NOT_SERVING, serving.SERVING]


class _NoThreads:
    """A pool that starts no thread, and so loses what it is given."""

    def submit(self, *_: Any) -> None:
        raise RuntimeError("can't start new thread")

    def shutdown(self, **_: Any) -> None:
        pass


def test_a_run_whose_thread_cannot_be_had_fails_and_is_not_lost(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "started", lambda *_: _NoThreads())
    client = connect(open_model(DEMO["sentiment"]))
    sentence = "Internal error: the run did not start (can't start new thread)"
    for _ in range(2):
        assert client.refusal(["text"]) == client.says(Kind.INTERNAL, sentence)


def test_a_service_whose_threads_cannot_be_had_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    model = open_model(DEMO["sentiment"])
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ConfigError, match="no further thread can be started: allow this user or container more"):
        Service(model, Limits())


def test_instances_whose_threads_cannot_be_had_are_not_opened(
    own: Servers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = open_model(DEMO["sentiment"])
    monkeypatch.setattr(model, "open_instances", lambda: True)
    service = own.service(model)

    def refuse(*_: Any) -> None:
        raise ConfigError("no further thread can be started")

    monkeypatch.setattr(threads, "started", refuse)
    with caplog.at_level(logging.WARNING):
        own.portal.call(service.open_instances)
    assert caplog.messages == ["one instance only: no further thread can be started"]
    assert len(own.client("service", service).predict(["text"]).results) == 1


def test_started_threads_run_side_by_side() -> None:
    pool = threads.started(3, "test")
    together = threading.Barrier(3)
    for done in [pool.submit(together.wait, PATIENCE) for _ in range(3)]:
        done.result(PATIENCE)
    pool.shutdown()


def test_threads_that_can_be_had_are_found() -> None:
    # In a process with one thread, as it is made for.
    program = "from encoderfile.service import threads; threads.check(2)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=PATIENCE).returncode == 0
