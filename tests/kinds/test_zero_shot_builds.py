"""What the builder makes of GLiClass and NLI folders, and which it refuses."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig, TokenizerOptions
from encoderfile.builder.tokenizer_spec import Table, limit
from support.dialects import make_cross_encoder
from support.graphs import edit_json
from support.kinds import KINDS
from support.models import MODELS, checked
from support.refusals import refusal
from support.synthetic import folder as synthetic
from support.zero_shot import columns, gliclass, pooled_by_mean

TYPE = "zero_shot_classification"


def notes(folder: Path, model_type: str | None = None) -> list[str]:
    return [value for name, value in check(BuildConfig(path=folder, model_type=model_type)).rows() if name == "note"]


def nli(folder: Path, name: str = "nli", **config: Any) -> Path:
    shutil.copytree(KINDS[name], folder)
    edit_json(folder, "config.json", **config)
    return folder


def labels(*names: str) -> dict[str, Any]:
    """As config.json names them."""
    return {
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
    }


@pytest.mark.parametrize("name", ["nli", "nli-two", "nli-last"])
def test_an_nli_folder_is_a_classifier_of_its_own_labels_and_a_note_says_what_else_it_could_be(name: str) -> None:
    found = checked(KINDS[name])
    assert found.manifest.model_type == "sequence_classification"
    (note,) = [note for note in found.notes if "NLI" in note]
    assert note.endswith(f"encoderfile build {KINDS[name]} --model-type {TYPE}")


def test_a_classifier_of_other_labels_has_no_such_note(tmp_path: Path) -> None:
    assert notes(nli(tmp_path / "model", **labels("good", "bad", "neither"))) == []


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (("entailment", "neutral", "contradiction"), (0, 2)),
        (("NEUTRAL", "ENTAILMENT", "CONTRADICTION"), (1, 0)),
        (("contradiction", "neutral", "Entailed"), (2, 0)),
    ],
)
def test_the_columns_of_an_nli_model_follow_from_its_labels(
    names: tuple[str, ...], columns: tuple[int, int], tmp_path: Path
) -> None:
    folder = nli(tmp_path / "model", **labels(*names))
    found = check(BuildConfig(path=folder, model_type=TYPE))
    assert found.manifest.task == dict(zip(("entailment", "contradiction"), columns, strict=True))
    assert found.notes == ()


def test_without_a_label_for_entailment_the_last_one_is_taken_and_a_note_says_so(tmp_path: Path) -> None:
    folder = nli(tmp_path / "model", **labels("LABEL_0", "LABEL_1", "LABEL_2"))
    found = check(BuildConfig(path=folder, model_type=TYPE))
    assert found.manifest.task == {"entailment": 2, "contradiction": 0}
    assert "so the last one is taken for entailment" in found.notes[0]


def test_label2id_decides_where_the_two_differ_as_it_does_in_transformers(tmp_path: Path) -> None:
    folder = nli(tmp_path / "model", label2id={"contradiction": 0, "neutral": 1, "entailment": 2})
    assert check(BuildConfig(path=folder, model_type=TYPE)).manifest.task["entailment"] == 2


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"architecture_type": "bi-encoder"}, "architecture bi-encoder are not supported"),
        ({"scorer_type": "hopfield"}, "scorer hopfield are not supported"),
        ({"use_segment_embeddings": True}, "use_segment_embeddings are not supported"),
        ({"class_token_index": 5}, "has the id 1001 in tokenizer.json and 5 in config.json"),
        ({"class_token_index": -1, "vocab_size": 1004}, "and 1004 in config.json"),
    ],
)
def test_a_gliclass_model_that_cannot_be_right_is_refused(config: dict[str, Any], says: str, tmp_path: Path) -> None:
    assert says in refusal(gliclass(tmp_path / "model", **config))


def test_a_gliclass_model_is_of_no_other_type() -> None:
    assert "not of the type embedding" in refusal(KINDS["gliclass"], model_type="embedding")


def test_a_classifier_with_one_label_cannot_be_asked_for_others(tmp_path: Path) -> None:
    folder = make_cross_encoder(tmp_path / "model")
    assert "this one has one: leave --model-type out" in refusal(folder, model_type=TYPE)


def test_a_graph_without_logits_cannot_choose_from_labels() -> None:
    assert "the graph gives last_hidden_state" in refusal(MODELS / "bert-embed", model_type=TYPE)


def test_a_pooling_that_takes_in_padding_is_run_alone(tmp_path: Path) -> None:
    folder = gliclass(tmp_path / "model", pooled_by_mean, pooling_strategy="avg")
    assert notes(folder) == ["the pooling avg takes in padding, so each text is run alone"]
    assert not check(BuildConfig(path=folder)).manifest.graph.batchable


def test_a_graph_with_as_many_columns_as_the_trial_has_labels_is_told_by_config_json(tmp_path: Path) -> None:
    three = gliclass(tmp_path / "three", columns(3), max_num_classes=3)
    assert check(BuildConfig(path=three)).manifest.width == 3
    assert checked(KINDS["gliclass"]).manifest.width == 3


@pytest.mark.parametrize(
    ("model_max_length", "tables", "most"),
    [
        (10**30, (), 1024),
        (96, (), 96),
        (8192, (), 1024),
        (10**30, (Table("position_embeddings.weight", 512),), 512),
    ],
)
def test_a_gliclass_model_reads_as_far_as_its_package_and_the_table_of_positions_allow(
    model_max_length: int, tables: tuple[Table, ...], most: int
) -> None:
    encoder = {"model_type": "bert", "max_position_embeddings": 512} if tables else {"model_type": "deberta-v2"}
    folder = synthetic(
        config={"model_type": "GLiClass", "encoder_config": encoder},
        tokenizer_config={"model_max_length": model_max_length},
    )
    assert limit(folder, None, tables, 1024).tokens == most


def test_max_length_may_go_beyond_the_packages_limit_where_no_table_bounds_it() -> None:
    config = BuildConfig(path=KINDS["gliclass"], tokenizer=TokenizerOptions(max_length=2000))
    assert check(config).manifest.tokenizer.max_length == 2000
