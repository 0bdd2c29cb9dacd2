"""From the executable to a model that is ready: mapped, loaded, and known to be whole."""

from __future__ import annotations

import mmap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from encoderfile.container import Container
from encoderfile.manifest import GRAPH, TOKENIZER, WEIGHTS
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer


def load(executable: Path, device: Device, threads: int) -> Model:
    """Opens `executable`, checks its sums and loads its model.

    Hashing runs in a thread beside the loading (it releases the lock), and no model is returned before
    the file is known to be whole. Raises `ContainerError`, `ModelError` or `ConfigError`.
    """
    with Container(executable) as container, ThreadPoolExecutor(1, thread_name_prefix="verify") as pool:
        verified = pool.submit(container.verify)
        manifest = container.manifest
        mapped = container.map(WEIGHTS)
        weights: dict[str, mmap.mmap] = {} if mapped is None else {WEIGHTS: mapped}
        try:
            session = Session(container.read(GRAPH), weights, device=device, threads=threads)
            tokenizer = Tokenizer(container.read(TOKENIZER), manifest.tokenizer)
        except Exception:  # whatever it was, see below
            verified.result()  # a damaged file is the better explanation
            raise
        verified.result()
        return Model(manifest, tokenizer, session)
