"""The layout of Hugging Face's cache: snapshots of links, and blobs that they lead to."""

import hashlib
import os
from pathlib import Path


def into_hub_cache(repository: Path, *, shared: bool = False) -> None:
    """Makes every file below `repository`/snapshots/REVISION a link to a blob, as `huggingface_hub` does.

    `shared`: the blobs are links too, into the store of all repositories.
    """
    blobs = repository / "blobs"
    blobs.mkdir()
    for path in [each for each in (repository / "snapshots").rglob("*") if each.is_file()]:
        name = hashlib.sha256(path.read_bytes()).hexdigest()
        blob = repository.parent / "blobs" / name[:2] / name if shared else blobs / name
        blob.parent.mkdir(parents=True, exist_ok=True)
        path.rename(blob)
        if shared:
            (blobs / name).symlink_to(os.path.relpath(blob, blobs))
        path.symlink_to(os.path.relpath(blobs / name, path.parent))
