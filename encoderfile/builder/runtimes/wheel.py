"""A runtime as a wheel, so that a package index can hold it.

https://packaging.python.org/specifications/binary-distribution-format/
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zipfile
from pathlib import Path

from encoderfile.container import CHUNK, Slice, hash_range
from encoderfile.errors import ContainerError

MAGIC = b"PK\x03\x04"

# of a local header in a ZIP archive: lengths of name and extra field, which the content follows
_LOCAL_HEADER = struct.Struct("<26xHH")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def distribution(platform: str) -> str:
    """The name that `pip install` takes."""
    return f"encoderfile-runtime-{platform.replace('_', '-')}"


def file_name(platform: str, version: str) -> str:
    """The name that a wheel must have. It runs nothing here, so it is for any Python on any machine."""
    return f"{_module(platform)}-{version}-py3-none-any.whl"


def _module(platform: str) -> str:
    return distribution(platform).replace("-", "_")


def write(target: Path, pack: Slice, *, platform: str, version: str, device: str) -> None:
    """Writes the wheel; the same pack gives the same bytes. Raises `OSError`."""
    information = f"{_module(platform)}-{version}.dist-info"
    texts = {
        f"{information}/METADATA": (
            f"Metadata-Version: 2.4\nName: {distribution(platform)}\nVersion: {version}\n"
            f"Summary: The runtime for files that `encoderfile build --platform {platform}` makes.\n"
            "License-Expression: Apache-2.0\n"
        ),
        f"{information}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: encoderfile\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    name = f"{_module(platform)}/{device}.pack"
    record = [f"{name},sha256={_checksum(pack)},{pack.length}"]
    with zipfile.ZipFile(target, "w") as archive:
        # Stored, so that it can be used where it lies in the archive; its files are compressed.
        with pack.path.open("rb") as source, archive.open(_entry(name, pack.length), "w") as out:
            source.seek(pack.offset)
            left = pack.length
            while left and (data := source.read(min(left, CHUNK))):
                out.write(data)
                left -= len(data)
        for path, text in texts.items():
            archive.writestr(_entry(path), text)
            digest = hashlib.sha256(text.encode()).digest()
            record.append(f"{path},sha256={_base64(digest)},{len(text.encode())}")
        record.append(f"{information}/RECORD,,")
        archive.writestr(_entry(f"{information}/RECORD"), "\n".join(record) + "\n")


def pack_in(path: Path) -> Slice:
    """Where the pack lies in a wheel. Raises `ContainerError` where there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if entry.filename.endswith(".pack")]
        if len(found) != 1 or found[0].compress_type != zipfile.ZIP_STORED:
            raise ContainerError(f"{path} holds no runtime")
        with path.open("rb") as file:
            file.seek(found[0].header_offset)
            lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    except (zipfile.BadZipFile, struct.error) as error:
        raise ContainerError(f"{path} is damaged: copy it again") from error
    return Slice(path, found[0].header_offset + _LOCAL_HEADER.size + sum(lengths), found[0].file_size)


def _entry(name: str, size: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_DAY)
    entry.external_attr = 0o100644 << 16
    entry.create_system = 3  # Unix, whatever wrote it
    entry.file_size = size
    return entry


def _checksum(pack: Slice) -> str:
    digest = hashlib.sha256()
    with pack.path.open("rb") as source:
        hash_range(source.fileno(), pack.offset, pack.length, digest)
    return _base64(digest.digest())


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
