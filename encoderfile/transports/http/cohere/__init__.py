"""The dialect of Cohere's clients; its `/v1/rerank` and `/v2/rerank` are in `rerank.py`, with those of others."""

from encoderfile.transports.http.cohere.dialect import DIALECT
from encoderfile.transports.http.cohere.embed import endpoints

__all__ = ["DIALECT", "endpoints"]
