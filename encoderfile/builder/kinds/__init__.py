"""The kinds of models that the usual rules of `check` do not cover: one file each, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.kinds.bge_m3 import BgeM3
from encoderfile.builder.kinds.colbert import Colbert
from encoderfile.builder.kinds.gliclass import Gliclass
from encoderfile.builder.kinds.gliner import Gliner
from encoderfile.builder.kinds.kind import Facts, Kind, Outputs
from encoderfile.builder.kinds.nli import Nli
from encoderfile.builder.kinds.splade_router import SpladeRouter
from encoderfile.builder.kinds.yes_no import YesNo
from encoderfile.model.session import ValueInfo

KINDS: tuple[Kind, ...] = (BgeM3(), Colbert(), Gliclass(), Gliner(), Nli(), SpladeRouter(), YesNo())
"""Asked in this order whether a folder is theirs."""

__all__ = ["FILES", "KINDS", "Facts", "Kind", "Outputs", "offers", "recognised", "replace_config"]


FILES = tuple(dict.fromkeys(name for kind in KINDS for name in kind.files))
"""The small files of all kinds."""


def replace_config(files: Mapping[str, bytes]) -> bool:
    """Whether a folder with these small files needs no config.json."""
    return any(kind.replaces_config(files) for kind in KINDS)


def recognised(folder: ModelFolder, outputs: Sequence[ValueInfo], given: str | None) -> tuple[Kind | None, str]:
    """The kind of a folder and the reason; none where the usual rules hold."""
    for kind in KINDS:
        reason = kind.recognise(folder, outputs, given)
        if reason is not None:
            return kind, reason
    return None, ""


def offers(folder: ModelFolder, outputs: Sequence[ValueInfo]) -> list[str]:
    """What a folder of no kind could be built as besides."""
    return [offer for kind in KINDS if (offer := kind.offer(folder, outputs)) is not None]
