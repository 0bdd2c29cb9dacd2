"""`GET /info`: the model and the limits of this server, as TEI's clients read them; and `GET /ping`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.json import encode
from starlette.requests import Request
from starlette.responses import Response

import encoderfile
from encoderfile.service.service import Service
from encoderfile.tasks.abilities import Ability
from encoderfile.transports.http.dialect import PLAIN, TEXT, json_response
from encoderfile.transports.http.endpoint import Endpoint, get
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.tei.dialect import DIALECT


class TeiInfo(Struct, kw_only=True):
    model_id: str
    model_sha: str | None = None
    model_dtype: str
    served_model_name: str
    model_type: dict[str, dict[str, Any]]
    max_concurrent_requests: Count
    max_input_length: Count
    max_batch_tokens: Count
    max_batch_requests: Count | None = None
    max_client_batch_size: Count
    auto_truncate: bool
    tokenization_workers: Count
    version: str
    sha: str | None = None
    docker_label: str | None = None


def endpoints(service: Service) -> list[Endpoint]:
    """The two routes."""
    info, limits = service.info, service.limits

    async def told(_: Request) -> Response:
        found = TeiInfo(
            model_id=info.model_id,
            model_dtype=service.weights_dtype,
            served_model_name=next(iter(info.served_names), info.model_id),
            model_type=_model_type(service),
            max_concurrent_requests=limits.max_queue,
            max_input_length=info.max_length,
            max_batch_tokens=limits.max_batch_tokens,
            max_client_batch_size=limits.max_inputs,
            auto_truncate=not limits.refuse_overflow,
            tokenization_workers=service.tokenizer_threads,
            version=encoderfile.__version__,
        )
        return json_response(encode(found))

    async def ping(_: Request) -> Response:
        return Response(media_type=TEXT)

    return [
        get(DIALECT, "/info", "The model and its limits, as TEI tells them", told, TeiInfo, name="info"),
        get(PLAIN, "/ping", "Whether the server runs", ping, str, name="ping", media=(TEXT,), open=True),
    ]


def _model_type(service: Service) -> dict[str, dict[str, Any]]:
    """One of TEI's words with its facts. What TEI has no word for has that of its model type."""
    task = service.task
    labels = {str(index): label for index, label in enumerate(task.labels)}
    classifier = {"id2label": labels, "label2id": {label: int(index) for index, label in labels.items()}}
    if Ability.DENSE in task.abilities or Ability.SPARSE in task.abilities:
        return {"embedding": {"pooling": _pooling(task.modes)}}
    if Ability.SCORE in task.abilities:
        return {"reranker": classifier}
    return {"classifier" if task.classifies else task.name: classifier}


_POOLING = {"lasttoken": "last_token"}


def _pooling(modes: tuple[str, ...]) -> str:
    """TEI's word; `custom` where the graph or a transform pools."""
    if not modes:
        return "custom"
    return "+".join(
        _POOLING.get(mode, mode.partition("_")[0] if mode.startswith("splade") else mode) for mode in modes
    )
