"""Writes clients.md from the table of the tests in tests/clients. Run by `make docs`; a test compares."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("clients.md")
TESTS = PAGE.parents[1] / "tests"

_HEAD = """\
# Clients of other projects

Clients that were run, unchanged, against built files: what they read is what `./FILE infer` says. `make clients`
installs them in these versions, builds the files and runs them; `make test` runs those for a shell, where they are
installed. Written by `make docs` from [these tests](../tests/clients/table.py).

`url` is `http://localhost:8080`, where `./FILE serve` answers, and `address` is `localhost:50051`. `file` is the file
itself. The file is called `embed`, `rerank` or `sentiment` here, as its `--name` says. With `serve --api-key KEY` the
key of the client is `KEY`; otherwise any will do.
"""

_LANGUAGES = {"python": "Python", "javascript": "JavaScript", "go": "Go", "java": "Java", "shell": "For a shell"}

_REFUSED = """\
## What a refused client sees

A client that asks for what the model cannot do gets an error of its own kind, in which the file says what the model
can do:

| client | asks | the sentence has |
|---|---|---|
"""

_PROGRAMS = """\
## Programs

The requests of these programs were read in their sources, and `make test` sends them and checks what the programs
read of the answers ([the requests](../tests/clients/bodies)).

| program | requests |
|---|---|
"""

_TAIL = """\
Open WebUI's engine for Azure asks below `/openai/deployments/`, which is not answered.

## Clients that take no address

| client | why |
|---|---|
| `HuggingFaceEndpointEmbeddings` of langchain-huggingface 1.2 | takes a name on the Hub, "not a URL" |
| langchain-voyageai | fetches the tokenizer of Voyage's model from the Hub |
| `JinaEmbeddingFunction` of chromadb, fastembed in qdrant-client | have no parameter for it |
| n8n's nodes for Cohere | have no parameter for it |

LiteLLM's `huggingface/` asks the Hub for the task of a model, unless `input_type="feature-extraction"` says it. The
health call of infinity-client does not read the answer of `/health`, which is Encoderfile's. gRPC-Web is not spoken:
browsers use HTTP.
"""


def text() -> str:
    """The whole page."""
    table = import_module("clients.table")
    parts = [_HEAD]
    for language, title in _LANGUAGES.items():
        rows = [each for each in table.CLIENTS if each.language == language]
        head = f"## {title}\n\n| client | version | | configured by |\n|---|---|---|---|\n"
        parts.append(head + "".join(_rows(rows)))
    parts.append(_REFUSED + "".join(_refusal(each) for each in table.REFUSED))
    parts.append(_PROGRAMS + "".join(_requests()))
    return "\n".join([*parts, _TAIL])


def _rows(clients: Iterable[Any]) -> Iterator[str]:
    """One row for each script: those of several files share one."""
    shown: dict[str, list[Any]] = {}
    for client in clients:
        shown.setdefault(client.script, []).append(client)
    for same in shown.values():
        flags = dict.fromkeys(f"`serve {' '.join(each.flags)}`" for each in same if each.flags)
        what = ", ".join([each.shows for each in same] + [f"with {each}" for each in flags])
        lines = "<br>".join(map(_code, same[0].setup.splitlines()))
        yield f"| {_named(same[0])} | {same[0].version} | {what} | {lines} |\n"


def _code(line: str) -> str:
    """A line as code in a cell of a table."""
    line = line.replace("|", "\\|")
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def _named(client: Any) -> str:
    return f"[{client.package}](../{client.source.relative_to(TESTS.parent)})"


def _refusal(client: Any) -> str:
    return f"| {_named(client)} {client.version} | {client.shows} of `{client.serves}` | {client.refused} |\n"


def _requests() -> Iterator[str]:
    for path in sorted((TESTS / "clients" / "bodies").glob("*.json")):
        program = json.loads(path.read_text(encoding="utf-8"))
        lines = [f"{each['what']}: `{each['method']} {each['path']}`" for each in program["requests"]]
        yield f"| {program['program']} | {'<br>'.join(lines)} |\n"


sys.path.insert(0, str(TESTS))
if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
