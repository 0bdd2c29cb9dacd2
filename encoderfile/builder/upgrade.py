"""Gives a built file the runtime of this version; the model in it stays as it is, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from encoderfile.atomic import replacing
from encoderfile.builder import container_writer, runtime_cache
from encoderfile.builder.new_file import try_out
from encoderfile.builder.runtime_facts import device_of
from encoderfile.container import Container
from encoderfile.errors import ContainerError
from encoderfile.progress import Progress, waiting


def upgrade(
    file: Path, output: Path | None, device: str | None, cache_dir: Path | None, say: Callable[[str], None]
) -> Path:
    """Writes the payload of `file` with a new runtime; returns where the new file is.

    `output` None replaces `file`; `device` None keeps what the file was built for. Raises `ContainerError` or
    `ConfigError`; on failure an existing file stays as it was.
    """
    target = output or file
    with Container(file) as old:
        with waiting(f"checking {file}"):
            old.verify()
        device = device or device_of(old.pack)
        if device is None:
            raise ContainerError(f"{file} does not say which runtime it has: give --device cpu or --device cuda")
        frozen = runtime_cache.runtime(device, runtime_cache.cache_folder(cache_dir), say)
        say(f"writing {target}")
        with replacing(target, "--output-path", say) as temporary:
            with Progress.of_bytes(f"writing {target}", old.size) as progress:
                container_writer.rewrap(
                    temporary, old, launcher=frozen.launcher, pack=frozen.pack, advance=progress.advance
                )
            say("running the new file once")
            try_out(temporary)
            if output is None:
                temporary.chmod(file.stat().st_mode & 0o777)
    return target
