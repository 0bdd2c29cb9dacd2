"""What is done with a built file: its model back in a folder, and a new runtime for the same model."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from encoderfile.atomic import replacing
from encoderfile.builder.container_writer import copy_out, rewrap
from encoderfile.builder.model_card import NAME as CARD
from encoderfile.builder.model_card import card_text
from encoderfile.builder.runtimes import cuda_libraries, lua, packs
from encoderfile.builder.runtimes.cache import cache_folder
from encoderfile.builder.runtimes.platforms import this_platform
from encoderfile.builder.runtimes.sbom import cuda_libraries_of, device_of, platform_of
from encoderfile.builder.trial import try_out
from encoderfile.container import Container
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import CUDA_LIBRARIES, GRAPH, PACKS
from encoderfile.progress import Progress, waiting


def extract(file: Path, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Writes every file of the export into `folder`, the weights beside `model.onnx`, and what is left of its card.

    Raises `ContainerError` for a damaged file, `ConfigError` for a folder that is not empty or cannot be written;
    nothing is left behind then.
    """
    with Container(file) as source:
        with waiting(f"checking {file}"):
            source.verify()
        artifacts = [each for each in source.manifest.artifacts if each.name not in PACKS]
        card = card_text(source.manifest.card)
        paths = [_path(source, artifact.name, folder) for artifact in artifacts]
        if len(set(paths)) < len(paths):
            raise ContainerError(f"{file} holds two files of one name: build it again")
        made = not os.path.lexists(folder)
        total = sum(artifact.length for artifact in artifacts)
        try:
            if not made and any(folder.iterdir()):
                raise ConfigError(f"{folder} is not empty: give a new folder")
            with _all_or_nothing([*paths, folder / CARD]), Progress.of_bytes(f"writing {folder}", total) as progress:
                for artifact, path in zip(artifacts, paths, strict=True):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    copy_out(source.slice_of(artifact), path, progress.advance)
                if card:
                    (folder / CARD).write_text(card, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"cannot write into {folder}: {error.strerror}; give another folder") from error
    if made:
        say(f"made the folder {folder}")


@contextlib.contextmanager
def _all_or_nothing(paths: Sequence[Path]) -> Iterator[None]:
    """Where the block fails or is interrupted, removes the files at `paths` and the folders it made for them."""
    missing = {parent for path in paths for parent in path.parents if not os.path.lexists(parent)}
    try:
        yield
    except BaseException:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()
        for folder in sorted(missing, reverse=True):  # the innermost first
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _path(source: Container, name: str, folder: Path) -> Path:
    """Where an artifact goes in the folder. Raises `ContainerError` for a name that leads out of it."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ContainerError(f"{source.path} holds {name}, which would lie outside {folder}")
    return folder / ("model.onnx" if name == GRAPH else name)


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
        bundled = old.manifest.artifact(CUDA_LIBRARIES) is not None
        if bundled and device == "cpu":
            raise ConfigError(f"{file} carries the libraries of CUDA, which stay: build it again with --device cpu")
        platform = platform_of(old.pack) or this_platform()
        frozen = packs.runtime(platform, device, cache_folder(cache_dir), say)
        lua.check_kept(old, frozen.pack)
        if bundled:
            cuda_libraries.check_kept(old, cuda_libraries_of(frozen.pack))
        elif device == "cuda":
            say("note: the new file takes the libraries of CUDA from its machine; `encoderfile build` puts them in")
        say(f"writing {target}")
        with replacing(target, "--output-path", say) as temporary:
            with Progress.of_bytes(f"writing {target}", old.size) as progress:
                rewrap(temporary, old, launcher=frozen.launcher, pack=frozen.pack, advance=progress.advance)
            try_out(temporary, platform, say)
            if output is None:
                temporary.chmod(file.stat().st_mode & 0o777)
    return target
