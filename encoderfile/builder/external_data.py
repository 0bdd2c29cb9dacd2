"""Where a tensor lies that an ONNX graph keeps in another file: ONNX's external data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from encoderfile.builder import safe_read
from encoderfile.builder.onnx_file import OnnxFile
from encoderfile.errors import ModelError


@dataclass(frozen=True, slots=True)
class Tensor:
    """One large tensor: its name in the graph and where its raw little-endian bytes lie on disk."""

    name: str
    source: Path
    offset: int
    length: int


def external_tensor(file: OnnxFile, name: str, entries: Mapping[str, str], *, is_empty: bool) -> Tensor:
    """The tensor `name` of `file`, from its external data's `location`, `offset` and `length`.

    Raises `ModelError` for a location outside the model's folder and for a file that is missing or too short.
    """
    location = entries.get("location", "")
    folder = file.path.parent
    unprintable = not location.isprintable()  # no exporter writes one, and a zero byte cannot be in a file's name
    if not location or unprintable or Path(location).is_absolute() or ".." in Path(location).parts:
        raise ModelError(
            f"{file.path.name} keeps the tensor {name} in {location!r}, outside the model's folder: "
            "export the model again with its data beside it"
        )
    root = folder.resolve()
    try:
        source = safe_read.inside(folder / location, root.parent if root.name == "onnx" else root)  # hubs' layout
        size = source.stat().st_size if source.is_file() else None
    except OSError as error:
        raise ModelError(f"cannot read {folder / location}: {error.strerror}") from error
    if size is None:
        raise ModelError(
            f"{file.path.name} keeps its weights in {location}, which is missing: "
            f"copy {location} into the folder beside {file.path.name}"
        )
    try:
        offset = int(entries.get("offset", "") or 0)
        # As onnx reads it (external_data_helper.py): no length, or 0, is the rest of the file.
        length = int(entries.get("length", "") or 0) or (0 if is_empty else size - offset)
    except ValueError:
        raise file.broken() from None
    if offset < 0 or length < 0 or offset + length > size:
        with source.open("rb") as data:
            safe_read.refuse_lfs_pointer(data.read(40), location)
        raise ModelError(
            f"{location} has {size} bytes and {file.path.name} needs {offset + length}: "
            "the file is truncated, copy it or export the model again"
        )
    return Tensor(name, source, offset, length)
