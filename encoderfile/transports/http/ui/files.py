"""The page's own files: read once, sent with a policy that lets nothing in from elsewhere."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")

PAGES = {"/": "page.html", "/ui": "page.html", "/docs": "docs.html"}
"""The pages. What they load is named relative to the folder of all three, so that any `--root-path` will do."""

_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    # A script that made HTML of a string would be refused, wherever the string came from.
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Another model may be served here tomorrow, by another version.
    "Cache-Control": "no-cache",
}
"""With every file: scripts and styles only from here, none in line, and no frame around the page."""


@functools.cache
def _read(name: str) -> tuple[bytes, str]:
    """A file and its entity tag."""
    content = (STATIC / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def file_response(request: Request, name: str) -> Response:
    """One of the page's files; 304 without it where the browser has it already."""
    content, tag = _read(name)
    headers = {**HEADERS, "ETag": tag}
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, headers={**headers, "Content-Type": _MEDIA[Path(name).suffix]})


def _has(request: Request, tag: str) -> bool:
    """Whether the browser has this: a proxy that compresses makes its tag a weak one, `W/"..."`."""
    known = [
        each.strip().removeprefix("W/") for each in ",".join(request.headers.getlist("if-none-match")).split(",")
    ]
    return tag in known or "*" in known


@functools.cache
def names() -> tuple[str, ...]:
    """The files that pages load."""
    return tuple(sorted(path.name for path in STATIC.iterdir() if path.suffix in _MEDIA and path.suffix != ".html"))


def routes() -> list[Route]:
    """A route for each file that pages load."""

    def route(name: str) -> Route:
        async def send(request: Request) -> Response:
            return file_response(request, name)

        return Route(f"/ui/{name}", send, include_in_schema=False)

    return [route(name) for name in names()]


def wants_page(request: Request) -> bool:
    """Whether this is a browser, which asks for a page by name."""
    return "text/html" in request.headers.get("accept", "").lower()


def needs_no_key(scope: Scope) -> bool:
    """Whether a request is for one of the page's files, which are the same for every model."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    path = scope["path"]
    return (
        path in ("/ui", "/docs")
        or path.removeprefix("/ui/") in names()
        or (path == "/" and wants_page(Request(scope)))
    )
