"""The SIE dialect: `/v1/encode`, `/v1/score`, `/v1/extract`, `/v1/models`, `/ws/status`."""

from __future__ import annotations

from starlette.routing import BaseRoute

from encoderfile.service.service import Service
from encoderfile.transports.http.sie import encode, extract, models, score, status
from encoderfile.transports.http.sie.errors import refuse

__all__ = ["refuse", "routes"]


def routes(service: Service, max_body_bytes: int) -> list[BaseRoute]:
    """Every route of the dialect. A model's id may hold slashes, as they are or as %2F."""
    return [
        encode.route(service, max_body_bytes),
        score.route(service, max_body_bytes),
        extract.route(service, max_body_bytes),
        *models.routes(service),
        status.route(service),
    ]
