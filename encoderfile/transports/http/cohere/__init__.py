"""The dialect of Cohere's clients; its `/v1/rerank` and `/v2/rerank` are in `rerank.py`, with those of others."""

from __future__ import annotations

from encoderfile.service.service import Service
from encoderfile.transports.http.cohere import embed, tokens
from encoderfile.transports.http.cohere.dialect import DIALECT
from encoderfile.transports.http.endpoint import Endpoint

__all__ = ["DIALECT", "endpoints"]


def endpoints(service: Service) -> list[Endpoint]:
    """Every route of the dialect that no other has."""
    return [*embed.endpoints(service), *tokens.endpoints(service)]
