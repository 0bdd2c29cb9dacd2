"""`POST /api/chat` and `/api/generate`: refused with what this model can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from encoderfile.errors import UnableError
from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Answer, Call, Endpoint, post
from encoderfile.transports.http.ollama.dialect import DIALECT, check_name
from encoderfile.transports.http.schemas import Given

_ROUTES = {"/api/chat": "chat", "/api/generate": "generate"}


def endpoints(service: Service) -> list[Endpoint]:
    """The two routes."""

    def refusing(what: str) -> Callable[[Call, Any], Awaitable[Answer]]:
        async def refuse(_: Call, body: Any) -> Answer:
            wanted = body.get("model")
            if isinstance(wanted, str):
                check_name(wanted, service.info)
            raise UnableError(f'"{service.info.model_id}" does not support {what}: it gives {service.task.answer}')

        return refuse

    return [
        post(
            service,
            DIALECT,
            path,
            refusing(what),
            name=path.strip("/").replace("/", "_"),
            summary="Text, which no encoder writes",
            request=Given("OllamaGenerationRequest", lambda: {"type": "object"}),
            read=lambda body: body,
            response=None,
            supported=False,
        )
        for path, what in _ROUTES.items()
    ]
