"""A route as a value, and the one road of a POST request: read, handled, written in chunks, timed and counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

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

    @property
    def route(self) -> Route:
        """A model's id, the one parameter of paths, may hold slashes, as they are or as %2F."""
        return Route(self.path.replace("{model}", "{model:path}"), self.respond, methods=[self.method])


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
    name: str,
    **described: Any,
) -> Endpoint:
    """A POST endpoint. `read` makes of a decoded body what `handle` takes; None: a `request`."""
    if read is None:
        assert not isinstance(request, Given)
        read = requests.reader(request)

    async def respond(asked: Request) -> Response:
        with service.metrics.request(metric or name) as answer:
            dialect.check(asked)
            body = dialect.read(asked, await asked.body())
            found = await handle(Call(asked, body, answer), read(body))
            written, media = dialect.write(asked, found.content)
            chunks = await cooperatively(written)
        return Chunks(chunks, {**found.headers, **answer.headers}, media)

    return Endpoint(
        dialect=dialect,
        method="POST",
        path=path,
        name=name,
        respond=respond,
        request=request,
        **described,
    )
