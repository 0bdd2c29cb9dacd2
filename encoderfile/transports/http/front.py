"""`GET /`: what this is and where its routes are, as text, or as a small page for a browser."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

import encoderfile
from encoderfile.types import ModelInfo

_DOCS = "/openapi.json"


def route(info: ModelInfo, others: Iterable[BaseRoute]) -> Route:
    """The route of `/`. `others` are the routes to be listed; with an API key it asks for the key as they do."""
    title = f"{info.model_id} {info.version}"
    what = f"{info.model_type}, served by encoderfile {encoderfile.__version__}"
    listed = sorted({line for each in others for line in _lines(each)})
    text = "\n".join([title, what, "", f"Every route with its fields is described in {_DOCS}:", "", *listed, ""])
    page = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(what)}</p>"
        f'<p>Every route with its fields is described in <a href="{_DOCS.lstrip("/")}">{_DOCS}</a>:</p>'
        f"<pre>{escape(chr(10).join(listed))}</pre></html>\n"
    )

    async def front(request: Request) -> Response:
        headers = {"Vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page, headers={**headers, "Content-Security-Policy": "default-src 'none'"})
        return PlainTextResponse(text, headers=headers)

    return Route("/", front, methods=["GET"])


def _lines(route: BaseRoute) -> list[str]:
    path = str(getattr(route, "path", "")).replace(":path}", "}")
    methods = getattr(route, "methods", None)
    if not path or methods == set():
        return []
    return [f"{path}  {method}" for method in sorted(set(methods or ("WebSocket",)) - {"HEAD"})]
