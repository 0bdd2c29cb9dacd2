"""The commands that need no port: texts answered once, and MCP over stdio."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from encoderfile.atomic import replacing
from encoderfile.errors import ConfigError, InputError
from encoderfile.model.device import choose
from encoderfile.progress import Progress
from encoderfile.runtime import process
from encoderfile.runtime.loading import load
from encoderfile.runtime.sizing import make_service
from encoderfile.service.service import Service
from encoderfile.settings import ModelSettings
from encoderfile.tasks.results import to_json
from encoderfile.types import DEFAULT_PROMPT, AskedPrompt, PredictRequest, Text

log = logging.getLogger(__name__)

_CHUNK = 256
"""Texts of one internal request, at most: bounds memory for long files."""


_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `infer` is asked for: `json` (the body of `/predict`) or `jsonl` (one result a line), and of what.

    `entities` is a strategy of `tasks.entities`, `stride` the tokens that its windows share; None: neither.
    """

    form: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the request, those that were given."""
    entities: str | None = None
    stride: int | None = None
    prompt: AskedPrompt = DEFAULT_PROMPT


@asynccontextmanager
async def _service(executable: Path, settings: ModelSettings) -> AsyncIterator[Service]:
    device = choose(settings.device, settings.device_id)
    model = await asyncio.to_thread(load, executable, device, settings)
    service = make_service(model, settings)
    service.start()
    try:
        yield service
    finally:
        await service.stop()


async def speak_mcp(executable: Path, settings: ModelSettings, drain_seconds: float, max_line_bytes: int) -> bool:
    """Speaks MCP over stdin and stdout until stdin ends or a signal comes.

    False when what was asked before a signal was not answered in `drain_seconds`.
    """
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


def answer(
    executable: Path,
    settings: ModelSettings,
    texts: Sequence[Text],
    output: Path | None,
    wanted: Wanted,
) -> None:
    """Answers texts and writes them as `wanted` says.

    `output` appears whole or not at all. Raises what `load` and the service raise.
    """
    # A log of JSON lines holds nothing else, and answers that run over a terminal are their own progress.
    shown = settings.log_format == "text" and (output is not None or not sys.stdout.isatty())
    with Progress("answering", len(texts), unit="texts", shown=shown) as progress:
        if output is None:
            process.run(_answer(executable, settings, texts, sys.stdout.buffer, wanted, progress))
            sys.stdout.buffer.flush()
            return
        with replacing(output, "-o", log.info) as temporary, temporary.open("wb") as file:
            process.run(_answer(executable, settings, texts, file, wanted, progress))


async def _answer(
    executable: Path,
    settings: ModelSettings,
    texts: Sequence[Text],
    out: BinaryIO,
    wanted: Wanted,
    progress: Progress,
) -> None:
    truncated, chunk = 0, min(_CHUNK, settings.max_inputs, settings.max_queue)
    async with _service(executable, settings) as service:
        _refuse_unused(service, wanted)
        ask = _entities if wanted.entities else _results
        answers: list[Any] = []
        for start in range(0, len(texts), chunk):
            try:
                lines, cut = await ask(service, texts[start : start + chunk], wanted)
            except InputError as error:
                # The service counts from the start of its request, a user from the start of his file.
                error.index = None if error.index is None else start + error.index
                raise
            truncated += cut
            progress.advance(len(lines))
            if wanted.form == "jsonl":
                for line in lines:
                    out.write(orjson.dumps(line, option=_OPTIONS))
            else:
                answers += lines
        if wanted.form == "json":
            out.write(orjson.dumps({"results": answers, "model_id": service.info.model_id}, option=_OPTIONS))
        progress.clear()
        if truncated:
            log.warning("%d of %d texts were cut at %d tokens", truncated, len(texts), service.info.max_length)


def _refuse_unused(service: Service, wanted: Wanted) -> None:
    """Raises `ConfigError` for a flag that the model at hand has no use for."""
    task = service.task
    known = {each.name for each in task.options}
    flags = [
        f"--{'no-' if value is False else ''}{name.replace('_', '-')}"
        for name, value in wanted.options.items()
        if name not in known
    ]
    if wanted.entities and not task.groups_tokens:
        flags.append("--entities")
    if wanted.prompt != DEFAULT_PROMPT and not task.takes_prompt:
        flags.append("--prompt" if wanted.prompt.name is None else "--prompt-name")
    if flags:
        raise ConfigError(f"{flags[0]} has no effect on a {task.name} model: leave it out")


async def _results(service: Service, texts: Sequence[Text], wanted: Wanted) -> tuple[list[Any], int]:
    """What `/predict` answers, one JSON value per text, and how many texts were truncated."""
    options = {**service.task.defaults, **wanted.options}
    prediction = await service.predict(PredictRequest(texts, options, prompt=wanted.prompt))
    return [to_json(result) for result in prediction.results], prediction.truncated_inputs


async def _entities(service: Service, texts: Sequence[Text], wanted: Wanted) -> tuple[list[Any], int]:
    singles = [text for text in texts if isinstance(text, str)]
    if len(singles) < len(texts):
        index = next(index for index, text in enumerate(texts) if not isinstance(text, str))
        raise InputError("is a text pair, and --entities reads single texts", index)
    extraction = await service.extract(singles, wanted.entities or "simple", wanted.stride)
    lines = [{"entities": [entity._asdict() for entity in each.entities]} for each in extraction.found]
    return lines, extraction.truncated_inputs
