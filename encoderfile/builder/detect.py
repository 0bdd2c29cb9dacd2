"""What the folder's files say of a model's vectors: the sizes they may be cut to."""

from __future__ import annotations

from encoderfile.builder.folder import ModelFolder


def matryoshka(folder: ModelFolder) -> tuple[bool, tuple[int, ...]]:
    """Whether config.json marks the vectors as ones that may be cut, and the only sizes, where it lists them."""
    listed = folder.config.get("matryoshka_dimensions")
    sizes = sorted({size for size in listed if isinstance(size, int)}) if isinstance(listed, list) else []
    return bool(listed) or folder.config.get("is_matryoshka") is True, tuple(sizes)
