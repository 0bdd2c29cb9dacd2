"""Fuzzers: one looks for an answer that `/openapi.json` does not have, one damages messages of gRPC."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from random import Random

import grpc
import pytest

from encoderfile.transports._pb import encoderfile_pb2 as pb
from support.clients import RefusedError
from support.model_types import OF_EACH_TYPE, service_of, task_of
from support.servers import Servers

needs_schemathesis = pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None,
    reason="schemathesis is not installed: it is in the group `test`",
)

OF_EVERY_DIALECT = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
OF_OUR_OWN = (*OF_EVERY_DIALECT, "negative_data_rejection", "positive_data_acceptance", "missing_required_header")
"""And what fits the schema is answered, what does not is refused; the others' clients are taken more kindly."""

OUR_OWN = ("/health", "/model", "/openapi.json", "/predict")


_REFUSALS = """
[checks.negative_data_rejection]
expected-statuses = ["4xx"]
"""
"""A refusal has the status of its dialect: 424 is TEI's."""


def fuzz(url: str, folder: Path, checks: tuple[str, ...], *arguments: str) -> None:
    """One run; the same seed has the same requests."""
    (folder / "schemathesis.toml").write_text(_REFUSALS, encoding="utf-8")
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "schemathesis.cli",
                "run",
                f"{url}/openapi.json",
                "--no-color",
                "--warnings",
                "off",
            ),
            *("--seed", "1", "--max-examples", "10", "--phases", "coverage,fuzzing", "--generation-database", "none"),
            *("--checks", ",".join(checks), *arguments),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test cases:" in done.stdout, done.stdout


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
@needs_schemathesis
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_a_fuzzer_finds_no_500_and_nothing_that_the_document_does_not_have(
    name: str, servers: Servers, tmp_path: Path
) -> None:
    fuzz(servers.url(name), tmp_path, OF_EVERY_DIALECT)


@pytest.mark.proves("ENC GET /openapi.json", "It describes this API")
@needs_schemathesis
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_a_fuzzer_finds_what_fits_the_schema_answered_and_what_does_not_refused(
    name: str, servers: Servers, tmp_path: Path
) -> None:
    fuzz(servers.url(name), tmp_path, OF_OUR_OWN, *(word for path in OUR_OWN for word in ("--include-path", path)))


@pytest.mark.proves("ENC Beyond the page", "Damaged messages", here="Invalid input.")
@pytest.mark.parametrize("name", OF_EACH_TYPE)
def test_damaged_messages_are_answered_or_invalid_and_nothing_else(name: str, servers: Servers) -> None:
    client = servers.shared("grpc", name)
    service = service_of(name)
    whole = getattr(pb, f"{service}Request")(**task_of(name).example, metadata={"k": "v"})
    predict = client.channel.unary_unary(f"/encoderfile.{service}/Predict")
    dice = Random(1)
    statuses, sentences = set(), set()
    for _ in range(200):
        message = bytearray(whole.SerializeToString())
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(message))
            message[place : place + dice.randint(0, 1)] = dice.randbytes(dice.randint(0, 2))
        try:
            client.call(predict, bytes(message))
            statuses.add(grpc.StatusCode.OK)
        except RefusedError as refused:
            statuses.add(refused.status)
            sentences.add(refused.sentence)
    assert statuses == {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
    assert {sentence for sentence in sentences if not sentence.startswith("Invalid input: ")} == set()
