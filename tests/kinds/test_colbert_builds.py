"""What the builder makes of ColBERT folders, and which it refuses."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig, TokenizerOptions
from encoderfile.types import Asked
from support.colbert import Reference, flat, sentence_transformers, stanford, vespa, write_layer
from support.graphs import edit_json
from support.kinds import KINDS
from support.models import checked, open_model
from support.refusals import refusal

QUERY = Asked(purpose="query")


def task(folder: Path, **options: Any) -> Any:
    return check(BuildConfig(path=folder, tokenizer=TokenizerOptions(**options))).manifest.task


def test_a_note_says_how_queries_and_documents_are_read() -> None:
    flat_note, of_exporter = checked(KINDS["colbert"]).notes
    assert flat_note == (
        "queries have up to 32 tokens; documents up to 64, without the vectors of 32 tokens for punctuation"
    )
    assert "if this one was trained with query expansion, write true" in of_exporter
    (note,) = checked(KINDS["colbert-vespa"]).notes
    assert note.startswith("queries have up to 32 tokens, filled up with [MASK]; documents up to 96")


def test_a_flat_folder_needs_nothing_but_graph_tokenizer_and_settings() -> None:
    assert sorted(each.name for each in KINDS["colbert"].iterdir() if each.name != "expected.json") == [
        "config_sentence_transformers.json",
        "model.onnx",
        "tokenizer.json",
    ]
    assert checked(KINDS["colbert"]).manifest.model_type == "embedding"


def test_the_limit_of_documents_is_that_of_the_files_whatever_the_tokenizer_says(tmp_path: Path) -> None:
    folder = sentence_transformers(tmp_path / "model")  # its tokenizer was saved with a query's limit, as pylate does
    found = check(BuildConfig(path=folder)).manifest
    assert (found.tokenizer.max_length, found.task["query_length"]) == (64, 32)


@pytest.mark.parametrize(("given", "lengths"), [(100, (32, 100)), (20, (20, 20)), (64, (32, 64))])
def test_the_limit_of_documents_may_be_chosen(given: int, lengths: tuple[int, int]) -> None:
    found = task(KINDS["colbert"], max_length=given)
    assert (found["query_length"], found["document_length"]) == lengths


def test_a_limit_beyond_the_table_of_positions_is_lowered_to_it(tmp_path: Path) -> None:
    assert task(flat(tmp_path / "model", document_length=500))["document_length"] == 160


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: flat(folder, query_prefix_id=7), "has the id 1200 in tokenizer.json and 7 in config_sent"),
        (lambda folder: flat(folder, query_prefix="[X] "), "tokenizer.json has no token '[X] '"),
        (lambda folder: flat(folder, query_length=3), "query_length is 3, which leaves no room"),
        (lambda folder: flat(folder, do_query_expansion=True, pad_token_id=5000), "the tokenizer has none"),
        (
            lambda folder: vespa(folder, dim=48),
            "gives vectors of 24 numbers, and those of this ColBERT model have 48",
        ),
        (lambda folder: flat(folder, query_length=200, do_query_expansion=True), "fails on a text of 200 tokens"),
        (lambda folder: flat(folder, query_length="many"), "holds a value of an unexpected kind"),
    ],
)
def test_a_model_that_cannot_be_right_is_refused(change: Callable[[Path], Path], says: str, tmp_path: Path) -> None:
    assert says in refusal(change(tmp_path / "model"))


def test_a_colbert_model_is_of_no_other_type() -> None:
    assert "not of the type sentence_embedding" in refusal(KINDS["colbert"], model_type="sentence_embedding")


def test_a_graph_without_its_last_layer_names_the_one_that_has_it(tmp_path: Path) -> None:
    folder = stanford(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    assert "model.onnx gives vectors of 48 numbers" in refusal(folder)
    (folder / "vespa_colbert.onnx").write_bytes((KINDS["colbert-vespa"] / "vespa_colbert.onnx").read_bytes())
    assert "choose vespa_colbert.onnx with --onnx" in refusal(folder)
    assert check(BuildConfig(path=folder, onnx=Path("vespa_colbert.onnx"))).manifest.width == 24


@pytest.mark.parametrize("squares", [False, True])
def test_several_layers_and_residuals_are_applied_in_order(squares: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    folder = sentence_transformers(tmp_path / "model")
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "pylate.models.Dense.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    sizes = (48, 48, 24) if squares else (48, 20, 24)
    weights = []
    for number, (takes, gives) in enumerate(itertools.pairwise(sizes), 1):
        path = f"{number}_Dense"
        edit_json(folder, f"{path}/config.json", in_features=takes, out_features=gives, use_residual=True)
        edit_json(folder, f"{path}/config.json", bias=False, activation_function="torch.nn.modules.linear.Identity")
        layer, residual = (random.standard_normal((gives, takes)).astype(np.float32) for _ in range(2))
        alone = takes == gives
        write_layer(folder, layer, **({} if alone else {"residual_weight": residual}), path=path)
        weights.append((layer, np.eye(takes, dtype=np.float32) if alone else residual))
    model = open_model(folder)
    hidden = Reference(folder, expands=False).hidden("how tall is it", "query")
    for layer, residual in weights:
        hidden = hidden @ layer.T + hidden @ residual.T
    (result,) = model.run(model.encode(["how tall is it"], QUERY))
    np.testing.assert_allclose(result.embeddings, hidden, rtol=1e-4, atol=1e-4)  # type: ignore[union-attr]
    assert model.task.dims == {"multivector": 24}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda folder: (folder / "1_Dense/model.safetensors").unlink(), "1_Dense has no model.safetensors"),
        (
            lambda folder: edit_json(folder, "1_Dense/config.json", activation_function="torch.nn.Tanh"),
            "has the activation Tanh",
        ),
        (lambda folder: write_layer(folder, np.zeros((24, 40), dtype=np.float32)), "for vectors of the size 48"),
        (lambda folder: write_layer(folder, np.zeros((24, 48, 1), dtype=np.float32)), "shapes of a linear layer"),
        (lambda folder: edit_json(folder, "1_Dense/config.json", in_features=40), "gives vectors of 48 numbers"),
    ],
)
def test_layers_that_do_not_fit_are_refused(change: Callable[[Path], Any], says: str, tmp_path: Path) -> None:
    folder = sentence_transformers(tmp_path / "model")
    change(folder)
    assert says in refusal(folder)
