"""The dialect of text-embeddings-inference: what its clients, and those of the Inference API, ask for."""

from __future__ import annotations

from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Endpoint, post
from encoderfile.transports.http.tei import embed, info, main, predict, rerank, similarity, tokens
from encoderfile.transports.http.tei.dialect import DIALECT

__all__ = ["DIALECT", "endpoints", "predict", "rerank"]

_OPERATIONS = {
    "/embed": (embed.embed, "One vector per text, as TEI gives them"),
    "/embed_all": (embed.embed_all, "One vector per token, as TEI gives them"),
    "/embed_sparse": (embed.embed_sparse, "Sparse vectors, as TEI gives them"),
    "/similarity": (similarity.similarity, "How alike sentences are to one of them"),
    "/tokenize": (tokens.tokenize, "The tokens of texts"),
    "/decode": (tokens.decode, "The texts of token ids"),
}


def endpoints(service: Service) -> list[Endpoint]:
    """Every route of the dialect that is its alone; `predict.form` and `rerank.form` are on the routes of others."""
    made = [(path, make(service), summary) for path, (make, summary) in _OPERATIONS.items()]
    return [
        *(
            post(service, DIALECT, path, each.handle, name=path.strip("/"), summary=summary, **each.described)
            for path, each, summary in made
        ),
        *main.endpoints(service),
        *info.endpoints(service),
    ]
