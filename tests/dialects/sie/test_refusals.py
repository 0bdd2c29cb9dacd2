"""Errors, headers and probes: one shape, true times, and nothing that hides."""

import json
import logging
import re

import pytest

from encoderfile.errors import Kind
from encoderfile.runtime import logs
from encoderfile.service.limits import Limits
from encoderfile.transports.http import app, openai
from encoderfile.transports.http.sie import dialect as sie
from support.clients import PATIENCE
from support.controlled_models import Faulty, Gated, Infinite
from support.dialects import JSON, Sie, SieServers, code

TIMES = ("X-Total-Time", "X-Queue-Time", "X-Tokenization-Time", "X-Inference-Time")


@pytest.mark.proves("SIE Errors", "INTERNAL_ERROR, 500")
@pytest.mark.parametrize("table", [*(dialect.statuses for dialect in app.DIALECTS), sie.CODES, openai.CODES])
def test_every_dialect_has_a_word_for_every_kind_of_failure(table: dict[Kind, object]) -> None:
    assert set(table) == set(Kind)


@pytest.mark.proves("SIE Errors", "INFERENCE_ERROR, 500")
def test_a_model_that_fails_is_an_inference_error_without_details(own: SieServers) -> None:
    faulty = own.serve(Faulty(own.model("dense"), run=RuntimeError("boom in /secret/path")))
    response = faulty.encode("boom")
    assert code(response) == (500, "INFERENCE_ERROR")
    assert "secret" not in response.text
    assert faulty.encode("fine").status_code == 200


@pytest.mark.proves("SIE Errors", "INFERENCE_ERROR, 500")
def test_an_answer_that_is_not_finite_is_an_inference_error(own: SieServers) -> None:
    broken = own.serve(Infinite(own.model("dense")))
    assert code(broken.encode("boom")) == (500, "INFERENCE_ERROR")


@pytest.mark.proves("SIE Errors", "QUEUE_FULL, 503")
def test_a_full_queue_is_queue_full_and_says_when_to_return(own: SieServers) -> None:
    gated = Gated(own.model("dense"))
    client = own.serve(gated, Limits(max_queue=1))
    try:
        running = client.http.start(["a"])
        gated.wait_until_running()
        waiting = client.http.start(["b"])
        gated.wait_until_encoded(2)
        response = client.encode("c")
        assert code(response) == (503, "QUEUE_FULL")
        assert response.headers["retry-after"] == "1"
    finally:
        gated.open()
    assert running.result(PATIENCE).results
    assert waiting.result(PATIENCE).results


@pytest.mark.proves("SIE Health", "/readyz: 200 when requests are accepted")
@pytest.mark.proves(
    "SIE Errors",
    "MODEL_NOT_LOADED, 503",
    here="Only while the server stops: the port opens when the model is loaded.",
)
def test_a_server_that_stops_refuses_and_is_not_ready_but_alive(own: SieServers) -> None:
    client = own.serve(own.model("dense"))
    client.service.ready = False
    response = client.encode("a")
    assert code(response) == (503, "MODEL_NOT_LOADED")
    assert response.headers["retry-after"] == "1"
    assert client.http.get("/readyz").status_code == 503
    assert client.http.get("/healthz").status_code == 200


@pytest.mark.proves("SIE Health", "/healthz: 200 when the process runs", "/readyz: 200 when requests are accepted")
@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_probes_say_ok_in_plain_text(path: str, dense: Sie) -> None:
    response = dense.http.get(path)
    assert (response.status_code, response.text) == (200, "ok")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_too_many_items_are_refused(own: SieServers) -> None:
    small = own.serve(own.model("dense"), Limits(max_inputs=2))
    assert code(small.encode("a", "b", "c")) == (400, "INVALID_INPUT")


@pytest.mark.proves(
    "SIE Errors",
    "One shape: detail with code and message",
    here="A second `code` stands beside `detail`, for the TypeScript client.",
)
@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/v1/encode/org/dense", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/v1/zzz", 404, "NOT_FOUND"),
        ("POST", "/v1/pools", 404, "NOT_FOUND"),
        ("POST", "/v1/generate/org/dense", 404, "NOT_FOUND"),
    ],
)
def test_routes_that_are_not_there_are_refused_in_the_same_shape(
    method: str, path: str, status: int, name: str, dense: Sie
) -> None:
    assert code(dense.http.request(method, path)) == (status, name)


def test_errors_are_json_even_for_clients_of_msgpack(dense: Sie) -> None:
    response = dense.post("/v1/encode/no/such", {"items": [{"text": "a"}]}, {"accept": "application/msgpack"})
    assert code(response) == (404, "MODEL_NOT_FOUND")


def test_a_key_is_asked_for_in_the_same_shape_and_not_of_probes(own: SieServers) -> None:
    locked = own.serve(own.model("dense"), api_key="secret")
    assert code(locked.encode("a")) == (401, "UNAUTHENTICATED")
    headers = {**JSON, "authorization": "Bearer secret"}
    assert locked.post(f"/v1/encode/{locked.id}", {"items": [{"text": "a"}]}, headers).status_code == 200
    for path in ("/healthz", "/livez", "/readyz"):
        assert locked.http.get(path).status_code == 200
    assert locked.http.get("/metrics").status_code == 401


@pytest.mark.proves("SIE Response headers", "X-Total-Time, X-Queue-Time, X-Tokenization-Time, X-Inference-Time")
@pytest.mark.parametrize("kind", ["dense", "cross", "ner"])
def test_answers_say_how_long_each_step_took(kind: str, sie: SieServers) -> None:
    client = sie[kind]
    response = {"dense": client.encode, "cross": lambda text: client.score(text, "b"), "ner": client.extract}[kind](
        "a"
    )
    for name in TIMES:
        assert re.fullmatch(r"\d+\.\d\d", response.headers[name]), name
    steps = sum(float(response.headers[name]) for name in TIMES[1:])
    assert steps <= float(response.headers["X-Total-Time"]) + 0.05
    assert float(response.headers["X-Inference-Time"]) > 0
    assert not re.match(r"\d", response.headers["X-SIE-Server-Version"])


@pytest.mark.proves("SIE POST /v1/encode/:model", "The answer has model, items and timing")
@pytest.mark.proves("SIE Response headers", "X-Postprocessing-Time, only if above 0")
def test_the_times_of_the_body_are_those_of_the_headers(dense: Sie) -> None:
    response = dense.encode("a", output_dtype="int8")
    timing = response.json()["timing"]
    for field, name in (("total_ms", "X-Total-Time"), ("postprocessing_ms", "X-Postprocessing-Time")):
        assert f"{timing[field]:.2f}" == response.headers[name]


@pytest.mark.proves("SIE Response headers", "X-Postprocessing-Time, only if above 0")
def test_no_postprocessing_time_is_sent_where_there_was_none(ner: Sie) -> None:
    assert "x-postprocessing-time" not in ner.extract("a").headers


@pytest.mark.parametrize(("profile", "status"), [("cpu", 200), ("CPU", 200), ("l4", 400)])
def test_a_request_for_another_machine_is_refused(profile: str, status: int, dense: Sie) -> None:
    headers = {**JSON, "X-SIE-MACHINE-PROFILE": profile, "X-SIE-Pool": "p"}
    response = dense.post(f"/v1/encode/{dense.id}", {"items": [{"text": "a"}]}, headers)
    assert response.status_code == status
    if status == 400:
        assert code(response) == (400, "INVALID_INPUT")
        detail = response.json()["detail"]
        assert (detail["requested_profile"], detail["worker_identity"]) == ("l4", "cpu")


def test_health_tells_sies_clients_that_this_is_a_worker(dense: Sie) -> None:
    assert dense.http.get("/health").json() == "OK!"
    asked = dense.http.get("/health", headers={"X-SIE-SDK-Version": "0.10.1"}).json()
    assert asked == {"status": "healthy", "type": "worker"}


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.proves("SIE Response headers", "X-Trace-ID", here="On every answer; traces are not exported.")
@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
        {"traceparent": f"01-{TRACE}-00f067aa0ba902b7-01-later"},
        {"X-Trace-ID": TRACE},
        {"X-Trace-ID": TRACE.upper()},
        {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Trace-ID": "f" * 32},
    ],
)
@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/zzz"])
def test_the_callers_trace_is_passed_on(headers: dict[str, str], path: str, dense: Sie) -> None:
    assert dense.http.get(path, headers=headers).headers["x-trace-id"] == TRACE


@pytest.mark.proves("SIE Response headers", "X-Trace-ID")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": f"ff-{TRACE}-00f067aa0ba902b7-01"},
        {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01-more"},
        {"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f"00-{TRACE.upper()}-00f067aa0ba902b7-01"},
        {"traceparent": "nonsense"},
        {"X-Trace-ID": "0" * 32},
        {"X-Trace-ID": "short"},
    ],
)
def test_without_a_valid_trace_a_new_one_begins(headers: dict[str, str], dense: Sie) -> None:
    first, second = (dense.http.get("/health", headers=headers).headers["x-trace-id"] for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert TRACE not in (first, second)
    assert first != second


def test_what_a_request_logs_names_its_trace(own: SieServers) -> None:
    faulty = own.serve(Faulty(own.model("dense"), encode=RuntimeError("boom")))
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    kept = Kept()
    kept.setFormatter(logs.JsonFormatter())
    logging.getLogger("encoderfile").addHandler(kept)
    try:
        headers = {**JSON, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
        faulty.post(f"/v1/encode/{faulty.id}", {"items": [{"text": "boom"}]}, headers)
    finally:
        logging.getLogger("encoderfile").removeHandler(kept)
    (entry,) = (json.loads(line) for line in lines)
    assert (entry["message"], entry["trace_id"]) == ("a request failed", TRACE)
