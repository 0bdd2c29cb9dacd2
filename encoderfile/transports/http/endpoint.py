"""A route as a value, and the one road of a POST request: read, handled, written in chunks, timed and counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from encoderfile.service import requests
from encoderfile.service.cooperative import cooperatively
from encoderfile.service.metrics import Answering
from encoderfile.service.service import Service
from encoderfile.transports.http.chunks import Chunks
from encoderfile.transports.http.dialect import JSON, Dialect
from encoderfile.transports.http.schemas import Given

S = TypeVar("S")

Respond = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Another dialect's request and answer on a route that two dialects have: its body tells which is meant."""

    dialect: Dialect
    is_meant: Callable[[Any], bool]
    """Whether a decoded body is one of this form."""
    handle: Callable[[Call, Any], Awaitable[Answer]]
    request: Any
    response: Any
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    supported: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a route takes and answers; the router and the OpenAPI document are made of it.

    `request` and `response` are types that msgspec knows, or JSON Schemas.
    """

    dialect: Dialect
    method: str = "GET"
    path: str
    name: str
    summary: str
    respond: Respond
    request: Any = None
    response: Any = None
    media: tuple[str, ...] = (JSON,)
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What this model narrows the fields of `request` to: fields and more of their JSON Schemas."""
    supported: bool = True
    """Whether this model can answer it; where not, every request is refused."""
    also: tuple[int, ...] = ()
    """Statuses in addition to those of every route of its method."""
    open: bool = False
    """Answered without a key."""
    example: Any = None
    """A body, for the documentation."""
    forms: tuple[Form, ...] = ()
    """What other dialects take and answer under the same path."""


def routes(endpoints: Sequence[Endpoint]) -> list[Route]:
    """One route per path, for all of its methods. A model's id, the one parameter of paths, may hold slashes."""
    by_path: dict[str, dict[str, Respond]] = {}
    for each in endpoints:
        by_path.setdefault(each.path, {})[each.method] = each.respond
    return [
        Route(path.replace("{model}", "{model:path}"), _by_method(methods), methods=list(methods))
        for path, methods in by_path.items()
    ]


def _by_method(methods: Mapping[str, Respond]) -> Respond:
    async def respond(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return respond


@dataclass(frozen=True, slots=True)
class Call:
    """A POST request that is being answered."""

    request: Request
    body: Any
    """As the dialect decoded it."""
    answering: Answering


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler found. `content` may hold iterators, which become lists entry by entry."""

    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def get(dialect: Dialect, path: str, summary: str, respond: Respond, response: Any, **described: Any) -> Endpoint:
    """A GET endpoint, named by its path unless `described` has another name."""
    described.setdefault("name", path.strip("/"))
    return Endpoint(dialect=dialect, path=path, summary=summary, respond=respond, response=response, **described)


def post(
    service: Service,
    dialect: Dialect,
    path: str,
    handle: Callable[[Call, S], Awaitable[Answer]],
    *,
    request: type[S] | Given,
    read: Callable[[Any], S] | None = None,
    metric: str | None = None,
    forms: Sequence[Form] = (),
    **described: Any,
) -> Endpoint:
    """A POST endpoint. `read` makes of a decoded body what `handle` takes; None: a `request`.

    A body that is meant for one of the `forms` is answered by that, and what fails is told in its dialect.
    """
    if read is None:
        assert not isinstance(request, Given)
        read = requests.reader(request)
    own = _Way(dialect, read, handle)
    others = [(each.is_meant, _Way(each.dialect, requests.reader(each.request), each.handle)) for each in forms]

    async def respond(asked: Request) -> Response:
        with service.metrics.request(metric or described["name"]) as answer:
            asked.state.dialect = dialect
            dialect.check(asked)
            body = dialect.read(asked, await asked.body())
            way = next((each for is_meant, each in others if is_meant(body)), own)
            asked.state.dialect = way.dialect
            found = await way.handle(Call(asked, body, answer), way.read(body))
            written, media = way.dialect.write(asked, found.content)
            chunks = await cooperatively(written)
        return Chunks(chunks, {**found.headers, **answer.headers, **_server_timing(answer)}, media)

    return Endpoint(
        dialect=dialect,
        method="POST",
        path=path,
        respond=respond,
        request=request,
        forms=tuple(forms),
        **described,
    )


def _server_timing(answer: Answering) -> Mapping[str, str]:
    """How long the phases took, in milliseconds, as browsers show it. https://www.w3.org/TR/server-timing"""
    timing = answer.timing
    if not timing.inference:
        return {}
    phases = {
        "tokenize": timing.tokenization,
        "queue": timing.queue,
        "inference": timing.inference,
        "total": answer.seconds,
    }
    return {"Server-Timing": ", ".join(f"{name};dur={1000 * seconds:.3f}" for name, seconds in phases.items())}


class _Way(NamedTuple):
    """How the requests of one dialect are answered."""

    dialect: Dialect
    read: Callable[[Any], Any]
    handle: Callable[[Call, Any], Awaitable[Answer]]
