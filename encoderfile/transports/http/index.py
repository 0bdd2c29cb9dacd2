"""`GET /`: what this is and where its routes are, as text; the page for a browser."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

import encoderfile
from encoderfile.transports.http.dialect import PLAIN, TEXT
from encoderfile.transports.http.endpoint import Endpoint, get
from encoderfile.transports.http.ui.files import PAGES, file_response, wants_page
from encoderfile.types import ModelInfo

_DOCS = "/openapi.json"


def endpoint(info: ModelInfo, *, page: bool) -> Endpoint:
    """The route of `/`; with an API key the text asks for the key, as the others do. `page`: whether there is one."""
    title = f"{info.model_id} {info.version}"
    what = f"{info.model_type}, served by encoderfile {encoderfile.__version__}"

    async def index(request: Request) -> Response:
        if page and wants_page(request):
            response = file_response(request, PAGES["/"])
        else:
            listed = sorted({line for each in request.app.routes for line in _lines(each)})
            lines = [title, what, "", f"Every route with its fields is described in {_DOCS}:", "", *listed, ""]
            response = PlainTextResponse("\n".join(lines))
        response.headers["Vary"] = "Accept"
        return response

    summary = "What this is and where its routes are, as text or as a page"
    return get(PLAIN, "/", summary, index, str, name="index", media=(TEXT, "text/html") if page else (TEXT,))


def _lines(route: BaseRoute) -> list[str]:
    path = str(getattr(route, "path", "")).replace(":path}", "}")
    methods = getattr(route, "methods", None)
    if path in ("", "/") or methods == set() or not getattr(route, "include_in_schema", True):
        return []
    return [f"{path}  {method}" for method in sorted(set(methods or ("WebSocket",)) - {"HEAD"})]
