"""ColBERT folders of other backbones, with other settings, compared with pylate's way written out in numpy."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.numerics import unit
from encoderfile.types import AskedPrompt, PredictRequest
from support.colbert import Reference, flat, retold, vespa
from support.graphs import edit_json
from support.models import open_model
from support.serving import started

TEXTS = (
    "how tall is Stone Tower",
    "",
    "  white space around it \n",
    "Zürich, naïve café: 東京 & 😀! (really?)",
    "... ?! ^ #",
    "It was the best of times, it was the worst of times. " * 8,
    "[Q] [MASK] [unused0] spelled out",
)
TOLERANCE = 2e-5

STANFORD = {"query_prefix": "[unused0]", "document_prefix": "[unused1]", "document_length": 96}
RETOLD = {"query_length": 24, "document_length": 48}


def padded_left(folder: Path) -> Path:
    edit_json(folder, "tokenizer_config.json", padding_side="left")
    return folder


Make = Callable[[Path], Path]
FORMS: Mapping[str, tuple[Make, Mapping[str, Any]]] = {
    "attended": (
        lambda folder: flat(folder, do_query_expansion=True, attend_to_expansion_tokens=True),
        {"attends": True},
    ),
    "attended, but not expanded": (
        lambda folder: flat(folder, attend_to_expansion_tokens=True),
        {"expands": False, "attends": True},
    ),
    "expanded by default": (lambda folder: flat(folder, "do_query_expansion"), {}),
    "without prefixes": (
        lambda folder: flat(
            folder, query_prefix="", query_prefix_id=None, document_prefix="", document_prefix_id=None
        ),
        {"expands": False, "query_prefix": "", "document_prefix": ""},
    ),
    "other lengths": (
        lambda folder: flat(folder, query_length=70, document_length=9),
        {"expands": False, "query_length": 70, "document_length": 9},
    ),
    "nothing skipped": (lambda folder: flat(folder, skiplist_words=[]), {"expands": False, "skiplist": ""}),
    "Stanford, attended": (
        lambda folder: vespa(folder, attend_to_mask_tokens=True, doc_maxlen=40),
        {**STANFORD, "attends": True, "document_length": 40},
    ),
    "Stanford, with punctuation": (
        lambda folder: vespa(folder, mask_punctuation=False),
        {**STANFORD, "skiplist": ""},
    ),
    "ModernBERT": (
        lambda folder: retold(folder, "modernbert-embed", "ć", "Ĉ"),
        {**RETOLD, "query_prefix": "ć", "document_prefix": "Ĉ"},
    ),
    "XLM-RoBERTa": (
        lambda folder: retold(folder, "xlm-roberta-embed", "▁intro", "▁adore"),
        {**RETOLD, "query_prefix": "▁intro", "document_prefix": "▁adore", "mask": "<mask>", "unknown": "<unk>"},
    ),
    "MPNet": (
        lambda folder: retold(folder, "mpnet-embed", "##u", "##c"),
        {**RETOLD, "query_prefix": "##u", "document_prefix": "##c", "mask": "<mask>"},
    ),
    "filled up on the left": (
        lambda folder: padded_left(retold(folder, "modernbert-embed", "ć", "Ĉ")),
        {**RETOLD, "query_prefix": "ć", "document_prefix": "Ĉ", "padding_side": "left"},
    ),
}


async def answers(folder: Path, requests: Sequence[PredictRequest]) -> list[Any]:
    """The results of requests that are made together."""
    async with started(Service(open_model(folder), Limits())) as service:
        found = await asyncio.gather(*map(service.predict, requests))
        return [result for each in found for result in each.results]


def asking(text: str, purpose: str) -> PredictRequest:
    return PredictRequest([text], allow_empty=True, prompt=AskedPrompt(input_type=purpose), raw=True)


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_are_read_as_pylate_reads_them_alone_and_together(form: str, tmp_path: Path) -> None:
    make, settings = FORMS[form]
    folder = make(tmp_path / "model")
    reference = Reference(folder, **settings)
    asked = [(text, purpose) for text in TEXTS for purpose in ("query", "document")]
    together = asyncio.run(answers(folder, [asking(*each) for each in asked]))
    for (text, purpose), among_others in zip(asked, together, strict=True):
        (alone,) = asyncio.run(answers(folder, [asking(text, purpose)]))
        wanted = reference.vectors(text, purpose)
        for found in (alone, among_others):
            np.testing.assert_allclose(unit(found.embeddings), wanted, atol=TOLERANCE, err_msg=f"{purpose} {text}")
            assert len(found.tokens) == len(wanted)
