"""From the executable to a model that is ready: mapped, loaded, and known to be whole."""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from encoderfile.container import Container
from encoderfile.errors import ConfigError, InternalError
from encoderfile.manifest import GRAPH, TOKENIZER, WEIGHTS
from encoderfile.model.device import Device
from encoderfile.model.instances import Instances
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.runtime import sizing
from encoderfile.service.threads import LACKING
from encoderfile.settings import ModelSettings


def load(executable: Path, device: Device, settings: ModelSettings) -> Model:
    """Opens `executable`, compares its checksums and loads its model, with the threads and instances of `settings`.

    Hashing runs in a thread beside the loading (it releases the lock), and no model is returned before
    the file is known to be whole. Raises `ContainerError`, `ModelError` or `ConfigError`.
    """
    with Container(executable) as container, ThreadPoolExecutor(1, thread_name_prefix="verify") as pool:
        verified = pool.submit(container.verify)
        manifest = container.manifest
        mapped = container.map(WEIGHTS)
        weights: dict[str, mmap.mmap] = {} if mapped is None else {WEIGHTS: mapped}
        loaded = partial(Session, container.read(GRAPH), weights, device=device)
        try:
            session = loaded(threads=settings.granted_threads)
            tokenizer = Tokenizer(container.read(TOKENIZER), manifest.tokenizer)
            _start(tokenizer)
        except Exception:  # whatever it was, see below
            verified.result()  # a damaged file is the better explanation
            raise
        verified.result()
        instances, count = None, sizing.instances(settings)
        # Rows of a fixed batch are padded up, and would be computed once per instance.
        if device.name == "cpu" and count > 1 and manifest.graph.fixed_batch in (None, 1):
            instances = Instances(count, partial(loaded, threads=1), manifest.model_bytes)
        return Model(manifest, tokenizer, session, instances)


def _start(tokenizer: Tokenizer) -> None:
    """Has the library start its threads now. Raises `ConfigError` when they cannot be had."""
    try:
        tokenizer(["a", "b"], with_tokens=False)  # two, for one alone needs no thread
    except InternalError as error:
        raise ConfigError(f"the tokenizer's threads cannot be started: {LACKING}") from error
