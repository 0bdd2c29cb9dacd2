"""Asks a model of a newly declared type on every transport, and prints what each answers as JSON.

Run by its test in a process of its own, with a copy of the package in front of the one that is installed.
"""

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import grpc.aio
import httpx

from encoderfile.runtime.request_flags import flags
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.models import open_model
from support.serving import grpc_server, http_server, started

CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
ACCEPT = {"accept": "application/json, text/event-stream"}


async def answers(folder: Path, model_type: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer to `asked` by transport, and what is said of the type."""
    service = Service(open_model(folder, model_type), Limits())
    async with started(service), http_server(service) as url, grpc_server(service) as (_, address):
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            http = (await client.post("/predict", json=asked)).json()
            document = (await client.get("/openapi.json")).json()
            call = {**CALL, "params": {"name": "run_encoder", "arguments": asked}}
            mcp = (await client.post("/mcp", json=call, headers=ACCEPT)).json()
        return {
            "http": http["results"],
            "grpc": await over_grpc(address, model_type, asked),
            "mcp": mcp["result"]["structuredContent"]["results"],
            "request": document["components"]["schemas"]["Request"],
            "flags": list(flags()),
        }


async def over_grpc(address: str, model_type: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The results, with the stub that clients generate."""
    messages = importlib.import_module("encoderfile.transports._pb.encoderfile_pb2")
    stubs = importlib.import_module("encoderfile.transports._pb.encoderfile_pb2_grpc")
    name = "".join(word.title() for word in model_type.split("_"))
    async with grpc.aio.insecure_channel(address) as channel:
        stub = getattr(stubs, f"{name}Stub")(channel)
        answer = await stub.Predict(getattr(messages, f"{name}Request")(**asked))
        known = await stub.GetModelMetadata(messages.GetModelMetadataRequest())
    assert messages.ModelType.Name(known.model_type) == model_type.upper()
    return [{field.name: value for field, value in each.ListFields()} for each in answer.results]


if __name__ == "__main__":
    folder, model_type, asked = sys.argv[1:]
    json.dump(asyncio.run(answers(Path(folder), model_type, json.loads(asked))), sys.stdout)
