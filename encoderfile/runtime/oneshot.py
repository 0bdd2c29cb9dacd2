"""The commands that need no port: texts answered once, and MCP over stdio."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from encoderfile.atomic import replacing
from encoderfile.errors import ConfigError, InputError
from encoderfile.progress import Progress, waiting
from encoderfile.runtime import cuda_libraries, process
from encoderfile.runtime.loading import load, served
from encoderfile.runtime.writers import Answer, Writer, writer
from encoderfile.service.service import Service
from encoderfile.settings import InferSettings, ModelSettings
from encoderfile.terminal import Screen, is_terminal, redraws
from encoderfile.types import DEFAULT_PROMPT, PredictRequest, Text

log = logging.getLogger(__name__)

_CHUNK = 256
"""Maximum texts of one internal request: bounds memory for long files."""


@asynccontextmanager
async def _service(executable: Path, settings: ModelSettings) -> AsyncIterator[Service]:
    device = cuda_libraries.device(executable, settings.device, settings.device_id)
    with waiting("loading the model", shown=settings.log_format == "text" and redraws(sys.stderr)):
        model = await asyncio.to_thread(load, executable, device, settings)
    async with served(model, settings) as service:
        yield service


async def speak_mcp(executable: Path, settings: ModelSettings, drain_seconds: float, max_line_bytes: int) -> bool:
    """Speaks MCP until stdin ends, or a signal comes: False when `drain_seconds` were then not enough to answer."""
    from encoderfile.transports.mcp_stdio import serve_stdio

    async with _service(executable, settings) as service:
        conversation, asked = asyncio.create_task(serve_stdio(service, max_line_bytes)), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        await asyncio.wait({conversation, asyncio.create_task(asked.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if conversation.done():
            await conversation
            return True
        process.end_within(drain_seconds + process.LEAVING_SECONDS)
        return await service.drain(drain_seconds)


def answer(executable: Path, settings: InferSettings, texts: Sequence[Text]) -> None:
    """Answers texts and writes them in the format of the settings, by default a table for a person, else JSON.

    A file appears whole or not at all. Raises what `load` and the service raise.
    """
    output = settings.output
    watched = output is None and is_terminal(sys.stdout)
    form = settings.form or ("table" if watched else "json")
    # A log of JSON lines holds nothing else, and answers that run over a terminal are their own progress.
    shown = settings.log_format == "text" and not (watched and form != "json")
    with Progress("answering", len(texts), unit="texts", shown=shown) as progress:
        if output is None:
            written = partial(writer, form, sys.stdout.buffer, screen=Screen.of(sys.stdout))
            process.run(_answer(executable, settings, texts, written, progress))
            sys.stdout.buffer.flush()
            return
        with replacing(output, "-o", log.info) as temporary, temporary.open("wb") as file:
            written = partial(writer, form, file, screen=Screen())
            process.run(_answer(executable, settings, texts, written, progress))


async def _answer(
    executable: Path,
    settings: InferSettings,
    texts: Sequence[Text],
    written: Callable[[Service], Writer],
    progress: Progress,
) -> None:
    truncated, most = 0, min(_CHUNK, settings.max_inputs, settings.max_queue)
    async with _service(executable, settings) as service:
        _refuse_unused(service, settings)
        chunk = service.inputs_at_once(_options(service, settings), most)
        ask = _entities if settings.entities else _results
        out = written(service)
        for start in range(0, len(texts), chunk):
            asked = texts[start : start + chunk]
            try:
                answers, count = await ask(service, asked, settings)
            except InputError as error:
                # The service counts from the start of its request, a user from the start of his file.
                error.index = None if error.index is None else start + error.index
                raise
            truncated += count
            progress.advance(len(answers))
            out.add(asked, answers)
        progress.clear()
        out.end()
        if truncated:
            # Queries and documents may have limits of their own.
            where = "" if service.task.purposes else f" at {service.info.max_length} tokens"
            log.warning("%d of %d texts were truncated%s", truncated, len(texts), where)


def _refuse_unused(service: Service, settings: InferSettings) -> None:
    """Raises `ConfigError` for a flag that has no effect on the model at hand."""
    task = service.task
    known = {each.name for each in task.options}
    flags = [
        f"--{'no-' if value is False else ''}{name.replace('_', '-')}"
        for name, value in settings.request.items()
        if name not in known
    ]
    if settings.entities and not task.groups_tokens:
        flags.append("--entities")
    if settings.asked_prompt != DEFAULT_PROMPT and not task.takes_prompt:
        flags.append("--prompt" if settings.prompt_name is None else "--prompt-name")
    if flags:
        raise ConfigError(f"{flags[0]} has no effect on a {task.name} model: leave it out")
    missing = task.needed.keys() - _options(service, settings).keys()
    if missing:
        raise ConfigError(f"a {task.name} model needs --{min(missing).replace('_', '-')}: see --help")


def _options(service: Service, settings: InferSettings) -> dict[str, Any]:
    return {**service.task.defaults, **settings.request}


async def _results(service: Service, texts: Sequence[Text], settings: InferSettings) -> tuple[Sequence[Answer], int]:
    """What `/predict` answers, one result per text, and how many texts were truncated."""
    prediction = await service.predict(
        PredictRequest(texts, _options(service, settings), prompt=settings.asked_prompt)
    )
    return prediction.results, prediction.truncated_inputs


async def _entities(service: Service, texts: Sequence[Text], settings: InferSettings) -> tuple[Sequence[Answer], int]:
    singles = [text for text in texts if isinstance(text, str)]
    if len(singles) < len(texts):
        index = next(index for index, text in enumerate(texts) if not isinstance(text, str))
        raise InputError("is a text pair, and --entities reads single texts", index)
    extraction = await service.extract(singles, settings.entities or "simple", settings.stride)
    return extraction.results, extraction.truncated_inputs
