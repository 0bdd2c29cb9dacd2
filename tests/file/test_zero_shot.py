"""Built files of models that choose from labels: `infer` answers as the model's own library does."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.files import sentence
from support.kinds import KINDS
from support.models import expected

FLAGS = {"gliclass": (), "nli": ("--model-type", "zero_shot_classification")}


@pytest.fixture(scope="module")
def chooses(files: Any) -> Any:
    """`chooses("nli")` is the built file."""
    built: dict[str, Any] = {}

    def make(name: str) -> Any:
        if name not in built:
            built[name] = files.build(name, KINDS[name], *FLAGS[name])
        return built[name]

    return make


def test_infer_gives_the_librarys_scores_for_a_file_of_texts(chooses: Any, tmp_path: Path) -> None:
    truth = expected(KINDS["nli"])
    cases = [
        case
        for case in truth["cases"]
        if (case["labels_id"], case["template_id"], case["multi_label"]) == ("three", "custom", True)
    ]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": truth["texts"][case["text_id"]]}) + "\n" for case in cases))
    flags = ("--labels", ",".join(truth["label_sets"]["three"]), "--multi-label")
    done = chooses("nli").run("infer", "-i", texts, *flags, "--hypothesis-template", truth["templates"]["custom"])
    assert done.returncode == 0
    for case, result in zip(cases, json.loads(done.stdout)["results"], strict=True):
        assert [each["label"] for each in result["classifications"]] == case["labels"]
        assert [each["score"] for each in result["classifications"]] == pytest.approx(case["scores"], abs=1e-5)


def test_infer_asks_as_many_texts_at_a_time_as_labels_allow(chooses: Any, tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("a text\n" * 40)
    labels = ",".join(f"label {number}" for number in range(900))
    done = chooses("nli").run("infer", "-i", texts, "--labels", labels, "--threshold", "0.5")
    assert (done.returncode, json.loads(done.stdout)["results"]) == (0, [{"classifications": []}] * 40)


def test_infer_without_labels_says_that_it_needs_them(chooses: Any) -> None:
    done = chooses("gliclass").run("infer", "a text")
    assert (done.returncode, sentence(done)) == (1, "a zero_shot_classification model needs --labels: see --help")
