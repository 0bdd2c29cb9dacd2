"""`GET /`: what this is and where its routes are, as text, or as a small page for a browser."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute

import encoderfile
from encoderfile.transports.http.dialect import PLAIN, TEXT
from encoderfile.transports.http.endpoint import Endpoint, get
from encoderfile.types import ModelInfo

_DOCS = "/openapi.json"


def endpoint(info: ModelInfo) -> Endpoint:
    """The route of `/`; with an API key it asks for the key as the others do."""
    title = f"{info.model_id} {info.version}"
    what = f"{info.model_type}, served by encoderfile {encoderfile.__version__}"

    async def index(request: Request) -> Response:
        listed = sorted({line for each in request.app.routes for line in _lines(each)})
        headers = {"Vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            page = (
                f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
                f"<h1>{escape(title)}</h1><p>{escape(what)}</p>"
                f'<p>Every route with its fields is described in <a href="{_DOCS.lstrip("/")}">{_DOCS}</a>:</p>'
                f"<pre>{escape(chr(10).join(listed))}</pre></html>\n"
            )
            return HTMLResponse(page, headers={**headers, "Content-Security-Policy": "default-src 'none'"})
        lines = [title, what, "", f"Every route with its fields is described in {_DOCS}:", "", *listed, ""]
        return PlainTextResponse("\n".join(lines), headers=headers)

    summary = "What this is and where its routes are, as text or as a page"
    return get(PLAIN, "/", summary, index, str, name="index", media=(TEXT, "text/html"))


def _lines(route: BaseRoute) -> list[str]:
    path = str(getattr(route, "path", "")).replace(":path}", "}")
    methods = getattr(route, "methods", None)
    if path in ("", "/") or methods == set():
        return []
    return [f"{path}  {method}" for method in sorted(set(methods or ("WebSocket",)) - {"HEAD"})]
