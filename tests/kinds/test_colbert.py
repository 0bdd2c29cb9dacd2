"""ColBERT models answer as pylate does, to queries and documents, and score by MaxSim."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.numerics import unit
from encoderfile.types import Asked, AskedPrompt, Prediction, PredictRequest
from support.colbert import flat, sentence_transformers, stanford
from support.kinds import KINDS
from support.models import expected, open_model
from support.serving import started

TOLERANCE = 1e-5

Case = dict[str, Any]
FORMS = ("colbert", "colbert, expanded", "colbert, saved", "colbert-vespa", "colbert-vespa, beside")
"""The folders with answers, and others of the same answers: expanded queries, and the last layer beside the graph."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = tmp_path_factory.mktemp("made")
    return {
        "colbert": KINDS["colbert"],
        "colbert, expanded": flat(made / "expanded", do_query_expansion=True),
        "colbert, saved": sentence_transformers(made / "saved", do_query_expansion=True),
        "colbert-vespa": KINDS["colbert-vespa"],
        "colbert-vespa, beside": stanford(made / "beside"),
    }


def cases(form: str) -> list[Case]:
    """Those that the settings of the form answer."""
    expands = form != "colbert"
    return [
        case
        for case in expected(KINDS[form.partition(",")[0]])["inputs"]
        if case["kind"] == "document" or case["query_expansion"] == expands
    ]


def asked(case: Case) -> PredictRequest:
    return PredictRequest([case["text"]], allow_empty=True, prompt=AskedPrompt(name=case["kind"]), raw=True)


async def answers(folder: Path, requests: Sequence[PredictRequest], limits: Limits | None = None) -> list[Any]:
    """The results of requests that are made together."""
    async with started(Service(open_model(folder), limits or Limits())) as service:
        found: list[Prediction[Any]] = await asyncio.gather(*map(service.predict, requests))
        return [result for each in found for result in each.results]


@pytest.mark.parametrize("form", FORMS)
def test_tokens_are_those_of_the_library(form: str, folders: dict[str, Path]) -> None:
    model = open_model(folders[form])
    for case in cases(form):
        (encoded,) = model.encode([case["text"]], Asked(purpose=case["kind"]))
        assert encoded.input_ids.tolist() == case["input_ids"]
        assert encoded.attention_mask is not None
        if case["kind"] == "query":
            assert encoded.attention_mask.tolist() == case["attention_mask"]
        else:
            assert encoded.kept.astype(int).tolist() == case["kept"]


@pytest.mark.parametrize("form", FORMS)
def test_vectors_are_those_of_the_library_alone_and_together(form: str, folders: dict[str, Path]) -> None:
    wanted = cases(form)
    together = asyncio.run(answers(folders[form], [asked(case) for case in wanted]))
    for case, among_others in zip(wanted, together, strict=True):
        (alone,) = asyncio.run(answers(folders[form], [asked(case)]))
        for found in (alone, among_others):
            assert found.embeddings.shape[0] == case["rows"] == len(found.tokens)
            np.testing.assert_allclose(unit(found.embeddings), np.array(case["vectors"]), atol=TOLERANCE)


@pytest.mark.parametrize("form", FORMS)
def test_scores_are_those_of_the_library(form: str, folders: dict[str, Path]) -> None:
    truth = expected(KINDS[form.partition(",")[0]])
    texts = {(case["kind"], case["id"]): case["text"] for case in truth["inputs"]}
    scores = truth["maxsim"][f"query_expansion={form != 'colbert'}"]

    async def score() -> None:
        async with started(Service(open_model(folders[form]), Limits())) as service:
            for query, documents in scores.items():
                wanted = [texts["document", each] for each in documents]
                found = await service.score(texts["query", query], wanted)
                np.testing.assert_allclose(found.results, list(documents.values()), atol=1e-4)

    asyncio.run(score())
