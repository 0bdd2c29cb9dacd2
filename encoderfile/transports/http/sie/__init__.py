"""The SIE dialect: `/v1/encode`, `/v1/score`, `/v1/extract`, `/v1/models`, `/ws/status`."""

from __future__ import annotations

from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Endpoint
from encoderfile.transports.http.sie import encode, extract, models, score
from encoderfile.transports.http.sie.dialect import DIALECT
from encoderfile.transports.http.sie.status import route as status_route

__all__ = ["DIALECT", "endpoints", "status_route"]


def endpoints(service: Service) -> list[Endpoint]:
    """Every route of the dialect but the WebSocket, which is `status_route`."""
    return [
        encode.endpoint(service),
        score.endpoint(service),
        extract.endpoint(service),
        *models.endpoints(service),
    ]
