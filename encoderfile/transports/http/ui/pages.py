"""The routes of the pages."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from encoderfile.service.service import Service
from encoderfile.transports.http.dialect import PLAIN
from encoderfile.transports.http.endpoint import Endpoint, get
from encoderfile.transports.http.ui import model
from encoderfile.transports.http.ui.files import PAGES, file_response
from encoderfile.transports.http.ui.model import WaysIn

_HTML = ("text/html",)


def endpoints(service: Service, ways_in: WaysIn) -> Sequence[Endpoint]:
    """Those but for `/`, which is text for what is not a browser (index.py)."""

    async def page(request: Request) -> Response:
        return file_response(request, PAGES[request.url.path])

    return [
        get(PLAIN, "/ui", "A page to try the model", page, str, media=_HTML, open=True),
        get(PLAIN, "/docs", "A page that describes every route", page, str, media=_HTML, open=True),
        model.endpoint(service, ways_in),
    ]
