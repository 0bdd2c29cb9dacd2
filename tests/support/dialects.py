"""Servers and clients for the tests of other APIs (SIE, OpenAI, rerankers); models have ids as hubs give them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import msgpack
import numpy as np
import onnx
from anyio.from_thread import start_blocking_portal
from onnx import helper, numpy_helper

from encoderfile.model.model import Model
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.clients import PATIENCE, HttpClient, http_client
from support.controlled_models import Gated
from support.graphs import edit_graph, edit_json
from support.kinds import KINDS
from support.models import DEMO, MODELS, open_model
from support.servers import Servers
from support.serving import http_server
from support.zero_shot import gliclass

JSON = {"accept": "application/json"}
MSGPACK = {"content-type": "application/msgpack"}


def renamed(model: Model, **manifest: Any) -> Model:
    """The same model with other facts in its manifest."""
    return Model(
        dataclasses.replace(model.manifest, **manifest), model.tokenizer, model.session, tensors=model.tensors
    )


def one_logit(model: onnx.ModelProto) -> None:
    """Of the logits only the first: a classifier becomes a cross-encoder."""
    for node in model.graph.node:
        node.output[:] = ["all_logits" if name == "logits" else name for name in node.output]
    for name, value in (("first", 0), ("behind", 1), ("axis", 1)):
        model.graph.initializer.append(numpy_helper.from_array(np.array([value], dtype=np.int64), name))
    model.graph.node.append(helper.make_node("Slice", ["all_logits", "first", "behind", "axis"], ["logits"]))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1


def make_cross_encoder(folder: Path, **config: Any) -> Path:
    """An export with one logit, at `folder`, which must not exist."""
    shutil.copytree(MODELS / "bert-cls", folder)
    edit_graph(folder, one_logit)
    edit_json(folder, "config.json", id2label={"0": "LABEL_0"}, label2id={"LABEL_0": 0}, **config)
    return folder


class SieServers:
    """A server for every kind of model, started on first use."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self._folder = folder
        self._clients: dict[str, Sie] = {}
        self.model = cache(self._open)

    def _open(self, kind: str) -> Model:
        found = {
            "dense": lambda: open_model(DEMO["embed"]),
            "tokens": lambda: open_model(DEMO["embed"], "embedding"),
            "sparse": lambda: open_model(MODELS / "bert-mlm"),
            "labels": lambda: open_model(DEMO["sentiment"]),
            "ner": lambda: open_model(DEMO["ner"]),
            "colbert": lambda: open_model(KINDS["colbert-vespa"]),
            "gliclass": lambda: open_model(KINDS["gliclass"]),
            "gliclass-text-first": lambda: open_model(gliclass(self._folder / "text-first", prompt_first=False)),
            "gliner": lambda: open_model(KINDS["gliner-span"]),
            "bge-m3": lambda: open_model(KINDS["bge-m3"]),
            "bge-m3-heads": lambda: open_model(KINDS["bge-m3-heads"]),
            "nli": lambda: open_model(KINDS["nli"], "zero_shot_classification"),
            "cross": lambda: open_model(make_cross_encoder(self._folder / "cross")),
        }[kind]()
        return renamed(found, name=f"org/{kind}")

    def __getitem__(self, kind: str) -> Sie:
        """A client of the one server of this kind, for tests that change nothing."""
        if kind not in self._clients:
            self._clients[kind] = self.serve(self.model(kind))
        return self._clients[kind]

    def serve(self, model: Model | Service, limits: Limits | None = None, **server: Any) -> Sie:
        """A client of a server of the test's own."""
        service = model if isinstance(model, Service) else self.servers.service(model, limits)
        url = self.servers.enter(http_server(service, mcp=False, **server))
        return Sie(self.servers.enter(http_client(self.servers.portal, url)), service, url)

    @contextmanager
    def full(self, kind: str) -> Iterator[Sie]:
        """A client of a server of its own whose queue takes no more."""
        gated = Gated(self.model(kind))
        client = self.serve(gated, Limits(max_queue=1))
        try:
            running = client.http.start(["a"])
            gated.wait_until_running()
            waiting = client.http.start(["b"])
            gated.wait_until_encoded(2)
            yield client
        finally:
            gated.open()
        for each in (running, waiting):
            each.result(PATIENCE)


@contextmanager
def sie_servers(folder: Path) -> Iterator[SieServers]:
    """Servers on an event loop of their own; `folder` is for models that are made."""
    with start_blocking_portal() as portal, ExitStack() as stack:
        yield SieServers(Servers(portal, stack), folder)


class Sie:
    """Requests of the SIE dialect to one server; answers are JSON unless the test says otherwise."""

    def __init__(self, http: HttpClient, service: Service, url: str) -> None:
        self.http, self.service, self.url = http, service, url
        self.id = service.info.model_id

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.http.request("POST", path, json=body, headers=JSON if headers is None else headers)

    def encode(self, *texts: str, **params: Any) -> httpx.Response:
        body: dict[str, Any] = {"items": [{"text": text} for text in texts]}
        return self.post(f"/v1/encode/{self.id}", {**body, "params": params} if params else body)

    def extract(self, *texts: str, **params: Any) -> httpx.Response:
        return self.post(f"/v1/extract/{self.id}", {"items": [{"text": text} for text in texts], "params": params})

    def score(self, query: str, *texts: str, **more: Any) -> httpx.Response:
        body = {"query": {"text": query}, "items": [{"text": text} for text in texts], **more}
        return self.post(f"/v1/score/{self.id}", body)

    def vectors(self, kind: str, *texts: str, **params: Any) -> list[Any]:
        """The vectors of an answered encode request, as arrays."""
        response = self.encode(*texts, output_types=[kind], **params)
        assert response.status_code == 200, response.text
        return [np.array(item[kind]["values"]) for item in response.json()["items"]]

    def ready_made(self, texts: list[str]) -> Any:
        """What `/predict` says of the same texts."""
        return self.http.predict(texts, normalize=None).results


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal, whose shape is checked."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body["code"] == body["detail"]["code"]
    assert body["detail"]["message"]
    return response.status_code, body["code"]


def unpacked(response: httpx.Response) -> Any:
    """A msgpack answer; arrays are taken only in the form that SIE's clients take."""
    assert response.headers["content-type"] == "application/msgpack"
    return msgpack.unpackb(response.content, object_hook=_array, strict_map_key=True)


def _array(found: dict[Any, Any]) -> Any:
    if b"nd" not in found:
        assert all(isinstance(key, str) for key in found)
        return found
    assert list(found) == [b"nd", b"type", b"kind", b"shape", b"data"]
    assert found[b"nd"] is True
    assert found[b"kind"] == b""
    return np.frombuffer(found[b"data"], dtype=found[b"type"]).reshape(found[b"shape"])
