"""The whole road in one command: build the sentiment example, serve it, ask it four ways, stop it.

    python examples/demo.py

Leaves `sentiment.encoderfile` in the working folder. Needs nothing beyond what `encoderfile` itself needs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.request import Request, urlopen

import grpc
from mcp import Client

from encoderfile.transports._pb import encoderfile_pb2 as pb
from encoderfile.transports._pb import encoderfile_pb2_grpc as rpc

MODEL = Path(__file__).parent / "sentiment" / "model"
FILE = Path("sentiment.encoderfile")
TEXTS = [
    "This product is amazing!",
    "Terrible experience, very disappointed.",
    "The staff were kind and the room was spotless.",
    "It broke after two days and nobody answers my mails.",
]
PATIENCE_SECONDS = 60
"""Everything but the build takes about a second; after this time something is wrong."""

Answer = list[tuple[str, float]]
"""One label and its score per text."""


class DemoError(Exception):
    """What went wrong, in one sentence."""


def main() -> None:
    """Runs the demo; any failure is one sentence on stderr and exit code 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("demo: stopped by SIGTERM"))
    # A proxy for the outside world has no business between this script and its own server.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1"
    try:
        build()
        with serving() as (url, target):
            answers = ask(url, target)
        show(answers)
    except DemoError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit("demo: stopped by Ctrl-C")


def build() -> None:
    """Makes the file with the real command."""
    program = Path(sys.executable).with_name("encoderfile")
    if not program.exists():
        raise DemoError(f"there is no `encoderfile` beside {sys.executable}: run `make demo`")
    command = [os.path.relpath(program), "build", os.path.relpath(MODEL), "--name", FILE.stem]
    print(f"Running {shlex.join(command)}", flush=True)
    # A process group of its own, so that nothing the builder starts outlives this script.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0) as builder:
        try:
            code = builder.wait()
        except BaseException:
            os.killpg(builder.pid, signal.SIGTERM)
            raise
    if code != 0:
        raise DemoError("the build failed, the line above says why")


@contextlib.contextmanager
def serving() -> Iterator[tuple[str, str]]:
    """Serves the file on free ports; gives the HTTP address and the gRPC target, and stops it at the end."""
    command = [f"./{FILE}", "serve", "--http-hostname", "127.0.0.1", "--http-port", "0"]
    command += ["--grpc-hostname", "127.0.0.1", "--grpc-port", "0"]
    print(f"\nRunning {shlex.join(command)}", flush=True)
    started = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        watchdog = Timer(PATIENCE_SECONDS, server.kill)
        watchdog.start()
        try:
            url, target = addresses(server)
            print(f"ready after {time.perf_counter() - started:.1f} s: {url} and gRPC on {target}", flush=True)
            yield url, target
        finally:
            watchdog.cancel()
            server.terminate()
            try:
                _, log = server.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                log = f"it was still there {PATIENCE_SECONDS} seconds later"
    if server.returncode != 0:
        raise DemoError(f"after SIGTERM the server ended with exit code {server.returncode}: {last_line(log)}")
    print("stopped by SIGTERM with exit code 0", flush=True)


def addresses(server: subprocess.Popen[str]) -> tuple[str, str]:
    """Reads the log until it says `ready`; the lines before it name the real ports."""
    assert server.stderr is not None
    found = {}
    line = ""
    for line in server.stderr:
        for way in ("HTTP on ", "gRPC on "):
            if way in line:
                found[way] = line.partition(way)[2].strip()
        if line.endswith(" ready\n"):
            return found["HTTP on "], found["gRPC on "]
    raise DemoError(f"the server ended before it was ready: {last_line(line)}")


def ask(url: str, target: str) -> dict[str, Answer]:
    """The same texts by every way in. Whatever a client library raises becomes one sentence."""
    ways = {
        "HTTP": lambda: over_http(url),
        "gRPC": lambda: over_grpc(target),
        "MCP": lambda: asyncio.run(over_mcp(url)),
        "infer": on_the_command_line,
    }
    answers = {}
    for way, predict in ways.items():
        try:
            answers[way] = predict()
        except Exception as error:
            raise DemoError(f"no answer over {way}: {cause(error)}") from error
    return answers


def over_http(url: str) -> Answer:
    """POST /predict."""
    body = json.dumps({"inputs": TEXTS}).encode()
    request = Request(f"{url}/predict", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=PATIENCE_SECONDS) as response:
        return labels(json.load(response))


def over_grpc(target: str) -> Answer:
    """encoderfile.SequenceClassification/Predict, with the stubs this package already has."""
    with grpc.insecure_channel(target) as channel:
        stub = rpc.SequenceClassificationStub(channel)
        response = stub.Predict(pb.SequenceClassificationRequest(inputs=TEXTS), timeout=PATIENCE_SECONDS)
    return [(result.predicted_label, max(result.scores)) for result in response.results]


async def over_mcp(url: str) -> Answer:
    """The tool `run_encoder`, as an agent calls it."""
    async with Client(f"{url}/mcp", read_timeout_seconds=PATIENCE_SECONDS) as client:
        result = await client.call_tool("run_encoder", {"inputs": TEXTS})
        return labels(result.structured_content)


def on_the_command_line() -> Answer:
    """`./sentiment.encoderfile infer`: no server at all."""
    command = [f"./{FILE}", "infer", *TEXTS]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise DemoError(last_line(done.stderr))
    return labels(json.loads(done.stdout))


def labels(body: Any) -> Answer:
    """Label and score of each result in a `/predict` body."""
    return [(result["predicted_label"], max(result["scores"])) for result in body["results"]]


def show(answers: Mapping[str, Answer]) -> None:
    """One table: texts down, ways in across. Raises `DemoError` where two ways disagree."""
    width = max(map(len, TEXTS))
    print(f"\n{'':{width}}  {'label':<10}" + "".join(f"{way:>8}" for way in answers))
    for text, row in zip(TEXTS, zip(*answers.values(), strict=True), strict=True):
        found = {label for label, _ in row}
        scores = [score for _, score in row]
        if len(found) > 1 or max(scores) - min(scores) > 1e-4:
            raise DemoError(f"the ways in disagree about {text!r}: {dict(zip(answers, row, strict=True))}")
        print(f"{text:<{width}}  {found.pop():<10}" + "".join(f"{score:8.4f}" for score in scores))
    print(f"\nThe file stays. Serve it:  ./{FILE} serve")


def last_line(text: str) -> str:
    """The line of a log that says most."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def cause(error: BaseException) -> str:
    """The message that matters: task groups wrap what really happened."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


if __name__ == "__main__":
    main()
