"""The folders of each further kind of model, and what the kind's own library answers, as requests and results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from support.models import ROOT, expected

KINDS: dict[str, Path] = {path.name: path for path in sorted((ROOT / "tests" / "kinds" / "models").iterdir())}
"""By the names of the folders; `expected.json` in each says by which call the answers were made."""

TYPES = {
    "bge-m3": "sentence_embedding",
    "bge-m3-heads": "sentence_embedding",
    "colbert": "embedding",
    "colbert-vespa": "embedding",
    "gliclass": "zero_shot_classification",
    "gliner-span": "zero_shot_token_classification",
    "gliner-token": "zero_shot_token_classification",
    "gliner-token-old": "zero_shot_token_classification",
    "last-token": "sentence_embedding",
    "st-dense": "sentence_embedding",
    "st-dense-graph": "sentence_embedding",
    "nli": "zero_shot_classification",
    "nli-last": "zero_shot_classification",
    "nli-two": "zero_shot_classification",
}
"""The model type that each is tested as; those of the `nli` folders have to be asked for."""


@dataclass(frozen=True)
class Case:
    """One text, the other fields of a request for `/predict`, and the result; scores within `tolerance`."""

    text: str
    fields: Mapping[str, Any]
    result: dict[str, Any]
    only_first: bool = False
    """Whether the library tells the best label alone."""

    def check(self, found: Mapping[str, Any], tolerance: float = 2e-5) -> None:
        """Fails where `found` is another answer."""
        (name, wanted), (found_name, rows) = *self.result.items(), *found.items()
        assert found_name == name
        if name == "embedding":
            np.testing.assert_allclose(rows, wanted, atol=tolerance)
            return
        if name == "embeddings":
            assert len(rows) == wanted["rows"]
            np.testing.assert_allclose(
                [row["embedding"] for row in rows][: len(wanted["vectors"])], wanted["vectors"], atol=tolerance
            )
            return
        rows = rows[:1] if self.only_first else rows
        assert [_named(row) for row in rows] == [_named(row) for row in wanted], self
        np.testing.assert_allclose(
            [row["score"] for row in rows], [row["score"] for row in wanted], atol=tolerance, err_msg=str(self)
        )


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "score"}


def cases(name: str) -> list[Case]:
    """Every case of a folder whose text is not empty, which `/predict` refuses."""
    truth = expected(KINDS[name])
    found = _MADE[truth["kind"]](truth)
    return [case for case in found if case.text]


def _gliner(truth: dict[str, Any]) -> Iterator[Case]:
    for case in truth["cases"]:
        fields = {key: case[key] for key in ("threshold", "flat_ner", "multi_label")}
        fields["labels"] = truth["label_sets"][case["labels_id"]]
        yield Case(truth["texts"][case["text_id"]], fields, {"entities": case["entities"]})


def _gliclass(truth: dict[str, Any]) -> Iterator[Case]:
    for case in truth["cases"]:
        many = case["classification_type"] == "multi-label"
        fields: dict[str, Any] = {"labels": truth["label_sets"][case["labels_id"]], "multi_label": many}
        if many:
            fields["threshold"] = case["threshold"]
        best = sorted(case["result"], key=lambda each: -each["score"])
        yield Case(truth["texts"][case["text_id"]], fields, {"classifications": best}, only_first=not many)


def _nli(truth: dict[str, Any]) -> Iterator[Case]:
    for case in truth["cases"]:
        labels = truth["label_sets"][case["labels_id"]]
        if isinstance(labels, str):
            labels = [each.strip() for each in labels.split(",")]
        fields = {
            "labels": labels,
            "hypothesis_template": truth["templates"][case["template_id"]],
            "multi_label": case["multi_label"],
        }
        scored = zip(case["labels"], case["scores"], strict=True)
        result = [{"label": label, "score": score} for label, score in scored]
        yield Case(truth["texts"][case["text_id"]], fields, {"classifications": result})


def _prompted(truth: dict[str, Any]) -> Iterator[Case]:
    for case in truth["inputs"]:
        mode = case["mode"]
        fields: dict[str, Any] = {"prompt_name": mode}
        if mode in ("none", "given"):
            fields = {"prompt": case["prompt"]}
        elif mode == "default":
            fields = {}
        yield Case(case["text"], fields, {"embedding": case["embedding"]})


def _bge_m3(truth: dict[str, Any]) -> Iterator[Case]:
    for case in truth["inputs"]:
        yield Case(case["text"], {}, {"embedding": case["dense"]})


def _colbert(truth: dict[str, Any]) -> Iterator[Case]:
    """As the files say: queries are expanded where there is one mode alone, and else they are not."""
    expands = bool(truth.get("one_mode"))
    for case in truth["inputs"]:
        if case["kind"] == "document" or case["query_expansion"] == expands:
            fields = {"prompt_name": case["kind"], "normalize": False}
            yield Case(case["text"], fields, {"embeddings": {"rows": case["rows"], "vectors": case["vectors"]}})


_MADE: dict[str, Callable[[dict[str, Any]], Iterator[Case]]] = {
    "gliner-span": _gliner,
    "gliner-token": _gliner,
    "gliclass": _gliclass,
    "nli-zero-shot": _nli,
    "sentence-transformers with Dense": _prompted,
    "last-token": _prompted,
    "bge-m3": _bge_m3,
    "colbert": _colbert,
}
