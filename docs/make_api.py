"""Writes http.md from the OpenAPI documents of models of every kind, grpc.md from proto/. Run by `make docs`.

A test compares the pages with what this makes.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.transports.http import app
from encoderfile.transports.http.ui.model import WaysIn

DOCS = Path(__file__).parent
ROOT = DOCS.parent
TESTS = ROOT / "tests"

Schema = dict[str, Any]
Route = tuple[str, str]
"""Method and path."""

MODELS: Mapping[str, tuple[str, str | None]] = {
    "`embedding`": ("examples/embed/model", "embedding"),
    "ColBERT": ("tests/kinds/models/colbert", None),
    "`sentence_embedding`": ("examples/embed/model", None),
    "SPLADE": ("tests/models/bert-mlm", None),
    "BGE-M3": ("tests/kinds/models/bge-m3", None),
    "`sequence_classification`": ("examples/sentiment/model", None),
    "cross-encoder": ("", None),
    "`token_classification`": ("examples/ner/model", None),
    "`zero_shot_classification`": ("tests/kinds/models/gliclass", None),
    "NLI": ("tests/kinds/models/nli", "zero_shot_classification"),
    "`zero_shot_token_classification`": ("tests/kinds/models/gliner-span", None),
}
"""A model of every kind that has routes or fields of its own, and its type where it is not the folder's own.

The test suite makes the cross-encoder.
"""

PAGES = {
    "Encoderfile": "serve.md",
    "OpenAI": "openai.md",
    "Reranking": "openai.md#rerank",
    "TEI": "tei.md",
    "Cohere": "cohere.md",
    "Ollama": "ollama.md",
    "Infinity": "infinity.md",
    "SIE": "sie.md",
}
"""The page of each dialect, by its name in the documents, in the order of this page."""

_HTTP = """\
# HTTP routes

Every route of every kind of model, with the fields of its requests. Written by `make docs` from `/openapi.json`. Each
file serves that document for its own model, with the shapes of answers and errors, and shows it at `/docs`.

Models are named by their [type](models.md). Some kinds within a type have more: ColBERT among `embedding`, SPLADE and
BGE-M3 among `sentence_embedding`, cross-encoders among `sequence_classification`, NLI among
`zero_shot_classification`. Other models refuse the route, or the field, in one sentence. `?` marks a field that may
be left out. In addition to the statuses that are listed, every route but the probes answers 401 if the key is
missing, and every POST 408 and 413 for a body that stops coming or is too large.
"""

_GRPC = """\
# gRPC

A file has the one service of its model type, gRPC's health service and server reflection; the services of encoderfile
0.7 answer too. [serve.md](serve.md#grpc) has examples, [examples/clients](../examples/clients/README.md) has clients.
Written by `make docs` from `proto/`.
"""

_ALWAYS = {"200", "401", "408", "413"}
_DEEP = 4
"""Levels of objects within objects that the tables follow."""


def pages() -> dict[Path, str]:
    """The text of each page."""
    protos = [
        f"## {path.name}\n\n```proto\n{path.read_text()}```\n" for path in sorted((ROOT / "proto").glob("*.proto"))
    ]
    return {DOCS / "http.md": _http(), DOCS / "grpc.md": "\n".join([_GRPC, *protos])}


def _http() -> str:
    """The page of all routes."""
    documents = {kind: asyncio.run(_document(service)) for kind, service in _services()}
    paths = next(iter(documents.values()))["paths"]
    routes = [(method.upper(), path) for path in paths for method in paths[path] if method != "parameters"]
    parts, requests = [_HTTP], _Requests(documents)
    dialects = [paths[path][method.lower()]["tags"][0] for method, path in routes]
    if unknown := {*dialects} - PAGES.keys():
        raise ValueError(f"name the pages of {', '.join(sorted(unknown))} in {__file__}")
    for dialect, page in PAGES.items():
        own = [route for route, of in zip(routes, dialects, strict=True) if of == dialect]
        parts.append(f"## {dialect}\n\nSee [{page.partition('#')[0]}]({page}).\n")
        parts.append("| route | what it does | models |\n|---|---|---|\n" + "".join(_rows(own, documents)))
        parts += filter(None, map(requests.text, own))
    return "\n".join(parts)


def _services() -> Iterator[tuple[str, Service]]:
    """A service around each of the models; they all have one name."""
    models = import_module("support.models")
    support = import_module("support.dialects")
    with tempfile.TemporaryDirectory() as folder:
        cross_encoder = support.make_cross_encoder(Path(folder) / "model")
        for kind, (path, model_type) in MODELS.items():
            model = models.open_model(ROOT / path if path else cross_encoder, model_type)
            yield kind, Service(support.renamed(model, name="my-model"), Limits())


async def _document(service: Service) -> Schema:
    application = app.create(service, api_key=None, max_body_bytes=1 << 22, page=WaysIn())
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        found: Schema = (await client.get("/openapi.json")).raise_for_status().json()
        return found


def _operation(route: Route, document: Schema) -> Schema | None:
    """What a document says of a route; None where its model refuses every request."""
    method, path = route
    found: Schema = document["paths"][path][method.lower()]
    return found if "200" in found["responses"] else None


def _rows(routes: Iterable[Route], documents: Mapping[str, Schema]) -> Iterator[str]:
    for method, path in routes:
        able = [kind for kind, document in documents.items() if _operation((method, path), document)]
        said = {document["paths"][path][method.lower()]["summary"] for document in documents.values()}
        said = {summary.removesuffix("; not with this model") for summary in said}
        # Those of /predict differ: each names its model type.
        summary = said.pop() if len(said) == 1 else "What the model answers, in full"
        yield f"| `{method} {path}` | {summary} | {_models(able, documents) or 'none'} |\n"


def _models(some: Collection[str], every: Collection[str]) -> str:
    missing = [kind for kind in every if kind not in some]
    if len(missing) in (0, 1) and len(every) > 2:
        return f"all but {missing[0]}" if missing else "all"
    return ", ".join(some) if missing else "all"


class _Requests:
    """What has been said of requests: a shape that a route shares with one before it is not told again."""

    def __init__(self, documents: Mapping[str, Schema]) -> None:
        self._documents = documents
        self._told: dict[str, Route] = {}

    def text(self, route: Route) -> str:
        """The fields of a route's requests; nothing for a route without a body, or that no model answers."""
        forms: dict[str, dict[str, Schema]] = {}
        statuses, examples = set[str](), list[Any]()
        for kind, document in self._documents.items():
            operation = _operation(route, document)
            if operation is None or "requestBody" not in operation:
                continue
            statuses |= operation["responses"].keys() - _ALWAYS
            content = next(iter(operation["requestBody"]["content"].values()))
            schema, examples = content["schema"], examples + [content[key] for key in content.keys() & {"example"}]
            for form in schema.get("anyOf", [schema]):
                forms.setdefault(form["$ref"].rpartition("/")[2], {})[kind] = form
        if not forms:
            return ""
        able = list(dict.fromkeys(kind for by_kind in forms.values() for kind in by_kind))
        parts = [self._form(route, name, by_kind, able) for name, by_kind in forms.items()]
        told = "\nOr:\n\n".join(parts)
        example = f"```json\n{json.dumps(examples[0], ensure_ascii=False)}\n```\n\n" if examples else ""
        head = f"### `{route[0]} {route[1]}`\n\n{example}"
        return f"{head}{told}\nStatuses: 200, {', '.join(sorted(statuses))}.\n"

    def _form(self, route: Route, name: str, by_kind: Mapping[str, Schema], able: Collection[str]) -> str:
        """One shape of a body: a table, or the route that has it too. `able`: the models that answer the route."""
        if name in self._told:
            method, path = self._told[name]
            of = "" if len(by_kind) == len(able) else f" ({_models(by_kind, able)})"
            return f"The fields of [`{method} {path}`](#{_anchor(method, path)}){of}.\n"
        self._told[name] = route
        fields: dict[str, dict[str, tuple[str, str]]] = {}
        for kind, form in by_kind.items():
            for field, said in _fields(form, self._documents[kind]):
                fields.setdefault(field, {})[kind] = said
        rows = [(field, *_said(said), _models(said, able)) for field, said in fields.items()]
        if all(models == "all" for *_, models in rows):
            return "| field | type | |\n|---|---|---|\n" + "".join(f"| {a} | {b} | {c} |\n" for a, b, c, _ in rows)
        head = "| field | type | | models |\n|---|---|---|---|\n"
        return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _anchor(method: str, path: str) -> str:
    """That of the heading that is made of the two."""
    return f"{method.lower()}-" + re.sub(r"[^\w-]", "", path.lower())


def _said(said: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Type and description. Where models differ: the types without bounds, and every description."""
    types, words = (list(dict.fromkeys(each)) for each in zip(*said.values(), strict=True))
    if len(types) > 1:
        types = list(dict.fromkeys(each.partition(",")[0] for each in types))
    return " or ".join(_longest(types)), " ".join(_longest(words))


def _longest(texts: Sequence[str]) -> list[str]:
    """Those with which no other begins."""
    return [each for each in texts if not any(other != each and other.startswith(each) for other in texts)]


def _fields(
    schema: Schema, document: Schema, before: str = "", depth: int = 0
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Name, type and description of each field of an object, then of the objects in it."""
    schema = _resolved(schema, document)
    for name, field in schema.get("properties", {}).items():
        found = _resolved(field, document)
        optional = "" if name in schema.get("required", ()) else "?"
        # A model's own name, which the document gives as the one choice.
        type_ = "string" if name == "model" else _type(found, document)
        yield f"`{before}{name}`{optional}", (type_, _cell(found.get("description", "")))
        inner = _resolved(found.get("items", found), document)
        if depth < _DEEP and inner.get("properties"):
            yield from _fields(inner, document, f"{before}{name}{'[]' if inner is not found else ''}.", depth + 1)


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _type(schema: Schema, document: Schema, several: bool = False) -> str:
    """A type in words, then its bounds and its default; `several`: in the plural, without them."""
    schema = _resolved(schema, document)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(each, document, several) for each in schema["anyOf"]))
    if "enum" in schema:
        return "one of " + " ".join(f"`{each}`" for each in schema["enum"] if each is not None)
    kind = str(schema.get("type", "any value"))
    if kind == "array":
        kind = f"list{'s' * several} of {_type(schema.get('items', {}), document, several=True)}"
    elif several and "type" in schema:
        kind += "s"
    return kind if several else ", ".join([kind, *_bounds(schema)])


def _bounds(schema: Schema) -> Iterator[str]:
    words = {"minItems": "at least", "maxItems": "at most", "minimum": "from", "maximum": "to"}
    yield from (f"{said} {schema[key]}" for key, said in words.items() if key in schema)
    if schema.get("minLength") == 1:
        yield "not empty"
    default = schema.get("default")
    if default not in (None, [], {}):
        yield f"default {str(default).lower() if isinstance(default, bool) else default}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
