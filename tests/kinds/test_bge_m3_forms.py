"""BGE-M3 in further forms: other sizes and rows of the graph, heads that are missing or broken, what `check` says."""

import asyncio
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from encoderfile import tensors
from encoderfile.builder import torch_file
from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.kinds import bge_m3
from encoderfile.errors import ConfigError, ModelError
from encoderfile.service import large_answers
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.tasks.numerics import unit
from encoderfile.types import PredictRequest
from support.bge_m3 import copied, in_one_graph
from support.graphs import edit_json
from support.kinds import KINDS
from support.loop import in_loop
from support.models import checked, expected, open_model
from support.serving import started

KINDS_OF_VECTORS = ("dense", "sparse", "multivector")
TRUTH = expected(KINDS["bge-m3-heads"])
WITH_COLBERT = [each for each in TRUTH["inputs"] if each["colbert"]]


async def vectors(folder: Path, texts: Sequence[str], normalize: bool | None = None) -> dict[str, list[Any]]:
    """The vectors of each kind, of one request."""
    async with started(Service(open_model(folder), Limits())) as service:
        found = await service.predict(PredictRequest(texts, raw=True, kinds=KINDS_OF_VECTORS, allow_empty=True))
        return {kind: list(service.task.vectors(kind, found.results, normalize)) for kind in KINDS_OF_VECTORS}


@pytest.mark.parametrize("every_row", [False, True])
@pytest.mark.parametrize("size", [48, 20])
def test_one_graph_gives_raw_vectors_of_any_size_with_the_first_token_or_without(
    size: int, every_row: bool, tmp_path: Path
) -> None:
    folder = in_one_graph(tmp_path / "model", size, every_row=every_row)
    assert open_model(folder).task.dims == {"dense": 48, "sparse": 1002, "multivector": size}
    found = asyncio.run(vectors(folder, [each["text"] for each in WITH_COLBERT]))
    for row, each in enumerate(WITH_COLBERT):
        np.testing.assert_allclose(found["dense"][row], each["dense"], atol=1e-5)
        sparse = {str(index): found["sparse"][row][index] for index in np.flatnonzero(found["sparse"][row])}
        assert sparse == pytest.approx(each["sparse"], abs=1e-5)
        wanted = unit(np.array(each["colbert"], dtype=np.float32)[:, :size])
        np.testing.assert_allclose(found["multivector"][row], wanted, atol=1e-4)


def test_vectors_that_are_not_to_be_normalised_are_as_the_head_gives_them(tmp_path: Path) -> None:
    raw = asyncio.run(vectors(KINDS["bge-m3-heads"], ["Hello world!"], normalize=False))["multivector"][0]
    units = asyncio.run(vectors(KINDS["bge-m3-heads"], ["Hello world!"]))["multivector"][0]
    assert np.abs(np.linalg.norm(raw, axis=1) - 1).min() > 0.1
    np.testing.assert_allclose(unit(raw), units, atol=1e-6)


def test_the_first_token_counts_whatever_pooling_the_folder_names(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    edit_json(folder, "1_Pooling/config.json", pooling_mode_cls_token=False, pooling_mode_mean_tokens=True)
    assert checked(folder).manifest.graph.output == "token_embeddings"
    (found,) = asyncio.run(vectors(folder, ["Hello world!"]))["dense"]
    np.testing.assert_allclose(found, TRUTH["inputs"][0]["dense"], atol=1e-5)


def test_the_onnx_folder_given_alone_takes_the_heads_from_the_folder_above() -> None:
    (found,) = asyncio.run(vectors(KINDS["bge-m3-heads"] / "onnx", ["Hello world!"]))["multivector"]
    np.testing.assert_allclose(found, TRUTH["inputs"][0]["colbert"], atol=1e-5)


def notes(folder: Path) -> str:
    return "\n".join(checked(folder).notes)


def test_check_says_what_the_model_can_do_and_where_its_limit_is_not_the_librarys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = notes(KINDS["bge-m3"])
    assert "dense, sparse and multivector" in said
    assert "FlagEmbedding truncates" not in said
    monkeypatch.setattr(bge_m3, "LIBRARY_DEFAULT", 64)
    (_, note) = check(BuildConfig(path=KINDS["bge-m3"])).notes
    assert note.startswith(
        "FlagEmbedding truncates at 64 tokens unless told otherwise, and this file at 96: --max-le"
    )


def test_one_head_without_the_other_is_left_out_with_a_note(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    (folder / "colbert_linear.pt").unlink()
    assert "sparse_linear.pt is left out, because colbert_linear.pt is missing" in notes(folder)
    assert set(open_model(folder).task.dims) == {"dense"}


def test_heads_beside_a_graph_without_token_vectors_are_left_out_with_a_note(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    path = folder / "onnx" / "model.onnx"
    model = onnx.load(path)
    del model.graph.output[0]
    onnx.save(model, path)
    assert "are left out, because the graph gives no token vectors" in notes(folder)


def test_a_head_with_a_weight_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    found = torch_file.read(folder / "sparse_linear.pt")
    found["weight"][0, 3] = np.nan
    (folder / "sparse_linear.safetensors").write_bytes(tensors.write(found))
    with pytest.raises(ModelError, match=r"sparse_linear.safetensors holds a weight that is not finite"):
        checked(folder)


def test_a_pickle_that_would_crash_python_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path / "model", "bge-m3-heads")
    with zipfile.ZipFile(folder / "sparse_linear.pt", "w") as archive:
        archive.writestr("sparse_linear/data.pkl", b"\x80\x02}()" + b"\x85" * 500_000 + b"K\x01u.")
    with pytest.raises(ModelError, match=r"sparse_linear.pt cannot be read without running code"):
        checked(folder)


def test_no_pickle_is_kept_in_the_built_file() -> None:
    found = checked(KINDS["bge-m3-heads"])
    assert not [name for name in found.folder.files if name.endswith((".pt", ".bin"))]
    assert set(found.tensors) == {
        f"{head}_linear.{key}" for head in ("sparse", "colbert") for key in ("weight", "bias")
    }


def with_output(folder: Path, name: str) -> Checked:
    return check(BuildConfig(path=folder, output=name))


def test_an_output_of_ones_own_is_refused_and_not_ignored() -> None:
    with pytest.raises(
        ConfigError, match=r"--output colbert_vecs: this model gives dense_vecs .* leave the flag out"
    ):
        with_output(KINDS["bge-m3"], "colbert_vecs")
    assert with_output(KINDS["bge-m3"], "dense_vecs").manifest.graph.output == "dense_vecs"


def test_another_model_type_is_built_by_the_usual_rules() -> None:
    assert open_model(KINDS["bge-m3-heads"], "embedding").task.dims == {"dense": 48, "multivector": 48}


@in_loop
async def test_many_texts_are_scored_although_their_vectors_are_more_than_one_answer_may_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large_answers, "LARGE", 1000)
    monkeypatch.setattr(large_answers, "PATIENCE_SECONDS", 5.0)
    texts = ["the quick brown fox jumps " * 20] * 200
    async with started(Service(open_model(KINDS["bge-m3"]), Limits(max_values=300_000))) as service:
        with large_answers.sending():  # as the HTTP server does it
            found = await service.score("seven " * 80, texts)
    assert len(set(np.round(found.results, 4))) == 1
    assert len(found.results) == 200
