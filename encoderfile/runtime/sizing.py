"""How much a service takes: the limits that the settings name, or that suit the device and the model."""

from __future__ import annotations

import logging

from encoderfile.model.model import Model
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.settings import ModelSettings, ServeSettings

log = logging.getLogger(__name__)


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
    """The service with the limits that the settings name; characters are counted where clients send them."""
    in_flight, run = batch_tokens(model, settings)
    return Service(
        model,
        Limits(
            max_inputs=settings.max_inputs,
            max_queue=settings.max_queue,
            max_batch_tokens=in_flight,
            max_run_tokens=run,
            max_characters=settings.max_body_bytes if isinstance(settings, ServeSettings) else None,
            max_values=settings.max_output_values if isinstance(settings, ServeSettings) else None,
            refuse_overflow=settings.overflow == "error",
        ),
        default_prompt=settings.default_prompt,
        threads=settings.granted_threads,
    )


def batch_tokens(model: Model, settings: ModelSettings) -> tuple[int, int]:
    """Padded tokens in flight, and of a run with all threads, as set or as suits the device.

    On the CPU larger runs are no faster, and the memory of the largest is kept. Each instance may run the longest
    text, up to 512 tokens: one that is longer is run alone, with all threads.
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
