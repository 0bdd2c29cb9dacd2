"""The dialect of Ollama's clients: embeddings, and what the model is."""

from __future__ import annotations

from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Endpoint
from encoderfile.transports.http.ollama import embed, generation, models
from encoderfile.transports.http.ollama.dialect import DIALECT

__all__ = ["DIALECT", "endpoints"]


def endpoints(service: Service) -> list[Endpoint]:
    """Every route of the dialect."""
    return [*embed.endpoints(service), *models.endpoints(service), *generation.endpoints(service)]
