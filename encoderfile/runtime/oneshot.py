"""The commands that need no port: texts answered once, and MCP over stdio."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from encoderfile.container import replacing
from encoderfile.model.device import choose
from encoderfile.runtime import inputs
from encoderfile.runtime.loading import load
from encoderfile.runtime.server import make_service
from encoderfile.service.json_form import write_answer
from encoderfile.service.service import Service
from encoderfile.settings import ModelSettings
from encoderfile.types import ModelType, Prediction, PredictRequest

log = logging.getLogger(__name__)

_CHUNK = 256
"""Texts of one internal request: bounds memory for long files, whatever `--max-inputs` says."""


@asynccontextmanager
async def _service(executable: Path, settings: ModelSettings) -> AsyncIterator[Service]:
    device = choose(settings.device, settings.device_id)
    model = await asyncio.to_thread(load, executable, device, settings.granted_threads)
    service = make_service(model, settings, device)
    service.start()
    try:
        yield service
    finally:
        await service.stop()


async def speak_mcp(executable: Path, settings: ModelSettings) -> None:
    """Speaks MCP over stdin and stdout until stdin ends."""
    from encoderfile.transports.mcp import serve_stdio

    async with _service(executable, settings) as service:
        await serve_stdio(service)


def answer(
    executable: Path,
    settings: ModelSettings,
    arguments: tuple[str, ...],
    input_file: str | None,
    output: Path | None,
    form: str,
    normalize: bool | None,
) -> None:
    """Answers texts and writes `json` (the body of `/predict`) or `jsonl` (one result a line).

    `output` appears whole or not at all. Raises what `inputs.texts`, `load` and the service raise.
    """
    texts = inputs.texts(arguments, input_file)
    if output is None:
        asyncio.run(_answer(executable, settings, texts, sys.stdout.buffer, form, normalize))
        sys.stdout.buffer.flush()
        return
    with replacing(output) as temporary, temporary.open("wb") as file:
        asyncio.run(_answer(executable, settings, texts, file, form, normalize))


async def _answer(
    executable: Path, settings: ModelSettings, texts: list[str], out: BinaryIO, form: str, normalize: bool | None
) -> None:
    truncated = 0
    async with _service(executable, settings) as service:
        if normalize is None and service.info.model_type is ModelType.EMBEDDING:
            normalize = True
        results: list[Any] = []
        for start in range(0, len(texts), _CHUNK):
            prediction = await service.predict(PredictRequest(texts[start : start + _CHUNK], normalize))
            truncated += prediction.truncated_inputs
            if form == "jsonl":
                for result in prediction.results:
                    line = service.task.to_json(result)
                    out.write(orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE))
            else:
                results += prediction.results
        if form == "json":
            out.write(
                write_answer(Prediction(results, service.info.model_id), service.task, orjson.OPT_APPEND_NEWLINE)
            )
        if truncated:
            log.warning("%d of %d texts were cut at %d tokens", truncated, len(texts), service.info.max_length)
