"""From the executable to a service: the model mapped, checked and loaded, and how much the service takes."""

from __future__ import annotations

import logging
import mmap
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from encoderfile import tensors
from encoderfile.container import Container
from encoderfile.errors import ConfigError, InternalError
from encoderfile.manifest import GRAPH, LIBRARIES, TENSORS, TOKENIZER, WEIGHTS
from encoderfile.model.device import Device
from encoderfile.model.instances import Instances
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.service.threads import LACKING
from encoderfile.settings import ModelSettings, ServeSettings

log = logging.getLogger(__name__)


def load(executable: Path, device: Device, settings: ModelSettings) -> Model:
    """The model of `executable`, with the threads and instances of `settings`, once all checksums match.

    They are compared on a thread during the loading. Raises `ContainerError`, `ModelError` or `ConfigError`.
    """
    with Container(executable) as container, ThreadPoolExecutor(1, thread_name_prefix="verify") as pool:
        # The launcher has compared the libraries, where they were unpacked.
        verified = pool.submit(container.verify, but=LIBRARIES)
        manifest = container.manifest
        mapped = container.map(WEIGHTS)
        weights: dict[str, mmap.mmap] = {} if mapped is None else {WEIGHTS: mapped}
        held = container.map(TENSORS)
        transform = None
        loaded = partial(Session, container.read(GRAPH), weights, device=device)
        try:
            session = loaded(threads=settings.granted_threads)
            tokenizer = Tokenizer(container.read(TOKENIZER), manifest.tokenizer)
            _start(tokenizer)
            beside = {} if held is None else tensors.read(held, TENSORS)
            if manifest.has_transform:
                from encoderfile.runtime import transforms  # most files have none

                transform = transforms.opened(container)
        except Exception:
            verified.result()  # a damaged file is the better explanation
            raise
        verified.result()
        several, count = None, instances(settings)
        # Rows of a fixed batch are padded up, and would be computed once per instance.
        if device.name == "cpu" and count > 1 and manifest.graph.fixed_batch in (None, 1):
            several = Instances(count, partial(loaded, threads=1), manifest.model_bytes)
        return Model(manifest, tokenizer, session, several, beside, transform)


def _start(tokenizer: Tokenizer) -> None:
    """Has the library start its threads now. Raises `ConfigError` when they cannot be had."""
    try:
        tokenizer(["a", "b"], with_tokens=False)  # two, for one alone needs no thread
    except InternalError as error:
        raise ConfigError(f"the tokenizer's threads cannot be started: {LACKING}") from error


def instances(settings: ModelSettings) -> int:
    """Runs that may go at the same time on the CPU: one for each thread, or as many as are asked for."""
    if settings.no_lanes:
        log.warning("--no-lanes will be dropped: use --instances 1 (ENCODERFILE_INSTANCES=1)")
    threads = settings.granted_threads
    asked = settings.instances or (1 if settings.no_lanes else threads)
    if asked > threads:
        log.warning("--instances %d: only %d run at the same time, one for each thread", asked, threads)
    return min(asked, threads)


def make_service(model: Model, settings: ModelSettings) -> Service:
    """A service with the limits that the settings name; characters are counted where clients send them."""
    in_flight, run = batch_tokens(model, settings)
    limits = Limits(
        max_inputs=settings.max_inputs,
        max_queue=settings.max_queue,
        max_batch_tokens=in_flight,
        max_run_tokens=run,
        max_characters=settings.max_body_bytes if isinstance(settings, ServeSettings) else None,
        max_values=settings.max_output_values if isinstance(settings, ServeSettings) else None,
        refuse_overflow=settings.overflow == "error",
    )
    serving = settings if isinstance(settings, ServeSettings) else ServeSettings()
    return Service(
        model,
        limits,
        settings.default_prompt,
        settings.granted_threads,
        served_names=serving.served_name,
        allow_dimensions=serving.allow_dimensions,
    )


@asynccontextmanager
async def served(model: Model, settings: ModelSettings) -> AsyncIterator[Service]:
    """A service that takes requests until the block ends."""
    service = make_service(model, settings)
    service.start()
    try:
        yield service
    finally:
        await service.stop()


def batch_tokens(model: Model, settings: ModelSettings) -> tuple[int, int]:
    """Padded tokens in flight, and of a run with all threads, as set or as suits the device.

    On the CPU larger runs are not faster, and their memory is kept. Each instance may run the longest text, up to 512
    tokens; longer ones run alone, with all threads.
    """
    if settings.max_batch_tokens:
        return settings.max_batch_tokens, settings.max_batch_tokens
    if model.device == "cuda":
        return 16384, 16384
    graph = model.manifest.graph
    least = (graph.fixed_batch or 1) * (graph.fixed_tokens or 1)  # what a fixed shape is padded to anyway
    of_one = min(512, max(256, model.manifest.tokenizer.max_length))
    in_flight = max(least, of_one * model.instances if model.instances > 1 else 1024)
    return in_flight, max(least, min(in_flight, 1024))
