"""Small bodies that ask for large work."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from attacks.attack import OnServer
from attacks.target import Target

_MEGABYTE = 1 << 20
_PATIENCE = 120.0


def _post(path: str, body: Mapping[str, Any], clients: int = 1) -> Callable[[Target], str | None]:
    return _Post(path, body, clients)


class _Post:
    """The same body from several clients at a time, over and over."""

    def __init__(self, path: str, body: Mapping[str, Any], clients: int) -> None:
        self.path, self.body, self.clients = path, body, clients

    def __call__(self, target: Target) -> str | None:
        data = json.dumps(self.body).encode()

        def ask() -> None:
            while True:
                try:
                    client = http.client.HTTPConnection("127.0.0.1", target.http, timeout=_PATIENCE)
                    headers = {"Content-Type": "application/json", "Accept": "application/json"}
                    client.request("POST", self.path, data, headers)
                    status = client.getresponse().status
                    assert status not in (404, 405, 415), "the attack missed"
                except (OSError, http.client.HTTPException):
                    return

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(self.clients)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return None


def _leave(target: Target) -> str | None:
    """Clients who ask for much and hang up at once."""
    data = json.dumps({"inputs": ["lorem ipsum dolor sit amet " * 1500] * 100}).encode()
    while True:
        client = http.client.HTTPConnection("127.0.0.1", target.http, timeout=_PATIENCE)
        try:
            client.request("POST", "/predict", data, {"Content-Type": "application/json"})
        except OSError:
            return None
        client.close()


def _predict(name: str, text: str, clients: int = 1) -> OnServer:
    return OnServer(name, _post("/predict", {"inputs": [text]}, clients))


_ENCODE = "/v1/encode/embed"
_RERANK = "/v1/rerank"
_words = "word " * 10_000

ATTACKS = [
    OnServer(
        "a template of 16,000 texts",
        _post(
            _ENCODE,
            {
                "items": [{"text": "x" * 1000}] * 100,
                "params": {"options": {"doc_template": "{text}" * 16_000}},
            },
        ),
    ),
    OnServer(
        "an instruction of 1 MB for 2,000 items",
        _post(_ENCODE, {"items": [{"text": "x"}] * 2000, "params": {"instruction": "x" * _MEGABYTE}}),
    ),
    OnServer(
        "a query of 200 KB for 1,000 documents",
        _post(_RERANK, {"query": "text " * 40_000, "documents": ["word"] * 1000}),
        file="cross",
    ),
    OnServer(
        "a pair of 15,000 and 24,000 characters",
        _post(_RERANK, {"query": "text " * 3000, "documents": ["word " * 4800]}),
        file="cross",
    ),
    OnServer(
        "eight pairs of 10,000 words each",
        _post(_RERANK, {"query": _words, "documents": [_words]}, 8),
        file="cross",
    ),
    _predict("4 MB of commas", "," * 4_100_000),
    _predict("4 MB of commas from 8 clients", "," * 4_100_000, 8),
    _predict("4 MB of one word from 4 clients", "a" * 4_100_000, 4),
    _predict("4 MB of white space from 4 clients", "a" + " " * 4_100_000, 4),
    _predict("2 million combining accents from 4 clients", "\u0301" * 680_000, 4),
    _predict("4 MB of control characters from 4 clients", "\u200b" * 680_000, 4),
    _predict("4 MB of words from 4 clients", "word " * 800_000, 4),
    OnServer(
        "4,096 texts of 1,000 characters from 4 clients",
        _post("/predict", {"inputs": ["lorem ipsum dolor " * 55] * 4096}, 4),
    ),
    OnServer(
        "the vectors of 800,000 tokens from 4 clients",
        _post("/predict", {"inputs": ["word " * 200] * 4000, "normalize": False}, 4),
        file="tokens",
    ),
    OnServer(
        "the vectors of 40,000 tokens from 4 clients",
        _post("/predict", {"inputs": ["word " * 200] * 200, "normalize": False}, 4),
        file="tokens",
    ),
    OnServer("clients who ask for much and leave", _leave),
]
