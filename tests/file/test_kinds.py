"""Files of every further kind of model answer as its own library does, over HTTP, gRPC, MCP and by `infer`."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from support.files import BuiltFile, Server
from support.kinds import KINDS, TYPES, Case, cases

NLI = [name for name in TYPES if name.startswith("nli")]


@pytest.fixture(scope="module", params=TYPES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def file(kind: str, files: Any) -> BuiltFile:
    flags = ["--model-type", TYPES[kind]] if kind in NLI else []
    built: BuiltFile = files.build(kind, KINDS[kind], *flags)
    return built


@pytest.fixture(scope="module")
def server(file: BuiltFile) -> Iterator[Server]:
    with file.serve() as running:
        yield running


def grouped(some: Sequence[Case]) -> list[list[Case]]:
    """Cases that one request may ask for: with the same fields."""
    key = lambda case: json.dumps(case.fields, sort_keys=True)  # noqa: E731
    return [list(group) for _, group in itertools.groupby(sorted(some, key=key), key)]


def test_every_case_alone_and_beside_others_over_http(kind: str, server: Server, clients: Any) -> None:
    client = clients("http", server, kind)
    every = cases(kind)
    for start in range(0, len(every), 16):
        # Started together, so that texts with other labels and options share runs.
        asked = [(case, client.start([case.text], **case.fields)) for case in every[start : start + 16]]
        for case, answer in asked:
            (found,) = answer.result(60).results
            case.check(found)


@pytest.mark.parametrize("way", ["http", "grpc", "mcp"])
def test_all_texts_of_the_same_options_in_one_request(kind: str, way: str, server: Server, clients: Any) -> None:
    client = clients(way, server, kind)
    for group in grouped(cases(kind))[:: 1 if way == "http" else 7]:
        answer = client.predict([case.text for case in group], **group[0].fields)
        for case, found in zip(group, answer.results, strict=True):
            case.check(found)


def test_infer_gives_the_same(kind: str, file: BuiltFile) -> None:
    group = next(group for group in grouped(cases(kind)) if len(group) > 3 and not _has_comma(group[0]))
    lines = "".join(json.dumps({"text": case.text}) + "\n" for case in group)
    done = file.run("infer", "-i", "-", "--input-format", "jsonl", *_flags(group[0]), stdin=lines)
    assert done.returncode == 0, done.stderr
    for case, found in zip(group, json.loads(done.stdout)["results"], strict=True):
        case.check(found)


def _has_comma(case: Case) -> bool:
    return any("," in label for label in case.fields.get("labels", ()))


def _flags(case: Case) -> list[str]:
    flags = []
    for name, value in case.fields.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{'' if value else 'no-'}{flag}")
        else:
            flags += [f"--{flag}", ",".join(value) if isinstance(value, list) else str(value)]
    return flags
