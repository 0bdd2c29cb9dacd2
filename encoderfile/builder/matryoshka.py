"""What config.json says of vectors that may be truncated (Matryoshka embeddings)."""

from __future__ import annotations

from encoderfile.builder.folder import ModelFolder


def matryoshka(folder: ModelFolder) -> tuple[bool, tuple[int, ...]]:
    """Whether config.json allows vectors to be truncated, and the only sizes allowed, where it lists them."""
    listed = folder.config.get("matryoshka_dimensions")
    sizes = sorted({size for size in listed if isinstance(size, int)}) if isinstance(listed, list) else []
    return bool(listed) or folder.config.get("is_matryoshka") is True, tuple(sizes)
