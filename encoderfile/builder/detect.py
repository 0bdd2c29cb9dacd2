"""What the folder's files say of a model's vectors: the prompts before a text, and the sizes they may be cut to."""

from __future__ import annotations

from collections.abc import Mapping

from encoderfile.builder.folder import ModelFolder


def prompts(folder: ModelFolder) -> dict[str, str]:
    """What sentence-transformers puts before queries and before documents, where the model's files say so.

    Its names for documents are tried in its own order. A model that leaves its prompt out of the pooling
    (`include_prompt`) gets none: that is not built here.
    """
    named = folder.sentence_transformers.get("prompts") or {}
    if not isinstance(named, Mapping) or folder.pooling.get("include_prompt") is False:
        return {}
    found = {}
    for purpose, names in (("query", ("query",)), ("document", ("document", "passage", "corpus"))):
        prompt = next((named[name] for name in names if isinstance(named.get(name), str)), "")
        if prompt:
            found[purpose] = prompt
    return found


def matryoshka(folder: ModelFolder) -> tuple[bool, tuple[int, ...]]:
    """Whether config.json marks the vectors as ones that may be cut, and the only sizes, where it lists them."""
    listed = folder.config.get("matryoshka_dimensions")
    sizes = sorted({size for size in listed if isinstance(size, int)}) if isinstance(listed, list) else []
    return bool(listed) or folder.config.get("is_matryoshka") is True, tuple(sizes)
