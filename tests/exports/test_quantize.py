"""`--quantize int8` and `--optimize`: smaller or fused graphs, the same answers within what the report says."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from encoderfile.builder import quantize
from encoderfile.builder.build import build
from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.config_sources import from_flags
from encoderfile.builder.install_command import extra_command
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.precision import PrecisionOptions
from encoderfile.container import Slice
from encoderfile.errors import ConfigError, ModelError
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.sentence_embedding import SentenceEmbedding
from support import graphs
from support.models import MODELS
from support.truth import COMPANY, close

TEXTS = ["a", "Hello world!", "The film was wonderful. I would happily watch it again tomorrow.", "so it goes " * 20]


def changed(name: str, model_type: str | None = None, **options: Any) -> Checked:
    """An export checked with these options; any number of labels may change, because the weights are random."""
    precision = PrecisionOptions(**{"max_flips": 1.0, **options})
    return check(BuildConfig(path=MODELS / name, model_type=model_type, precision=precision))


def opened(found: Checked) -> Model:
    session = Session(*found.graph.in_place(), device=Device("cpu", "tests"), threads=1)
    return Model(found.manifest, Tokenizer(found.folder.files["tokenizer.json"], found.manifest.tokenizer), session)


def read(piece: Slice) -> bytes:
    """The bytes that a slice stands for."""
    return piece.path.read_bytes()[piece.offset : piece.offset + piece.length]


def vectors(model: Model, together: bool) -> list[Any]:
    texts = model.encode(TEXTS)
    results = model.run(texts) if together else [result for text in texts for result in model.run([text])]
    return [result.embedding for result in results if isinstance(result, SentenceEmbedding)]


@pytest.fixture(scope="module")
def int8() -> Checked:
    return changed("bert-embed", "sentence_embedding", quantize="int8")


def test_an_int8_answer_in_a_batch_is_the_same_as_alone(int8: Checked) -> None:
    model = opened(int8)
    assert model.manifest.graph.batchable
    for alone, together in zip(vectors(model, False), vectors(model, True), strict=True):
        close(together, alone, COMPANY, "vector")


def test_int8_weights_take_less_than_half_of_the_room(int8: Checked) -> None:
    exported = OnnxGraph(MODELS / "bert-embed" / "model.onnx")
    before, after = (sum(tensor.length for tensor in graph.tensors) for graph in (exported, int8.graph))
    assert after < before / 2


def test_large_weights_are_written_beside_the_int8_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "LARGE", 1000)
    found = changed("bert-embed", "sentence_embedding", quantize="int8")
    assert {tensor.source.name for tensor in found.graph.tensors} != {"model.onnx"}
    assert len(vectors(opened(found), True)) == len(TEXTS)


def test_the_manifest_and_the_table_say_how_far_answers_moved(int8: Checked) -> None:
    assert int8.manifest.precision == "int8"
    found = int8.manifest.drift
    assert found is not None
    assert found["texts"] == 24
    assert 0 < found["mean_difference"] < found["largest_difference"] < 0.5
    assert 0.95 < found["least_cosine"] <= found["mean_cosine"] < 1
    assert found["flips"] is None
    # Two digits, and cosines with four places: the others would depend on the processor.
    assert all(float(f"{found[name]:.2g}") == found[name] for name in ("mean_difference", "largest_difference"))
    assert all(round(found[name], 4) == found[name] for name in ("least_cosine", "mean_cosine"))
    notes = [value for label, value in int8.rows() if label == "note"]
    assert notes[0].startswith("int8: weights in ")
    assert notes[1].startswith("answers to 24 texts moved by ")


def test_labels_that_change_too_often_are_refused() -> None:
    with pytest.raises(
        ModelError, match=r"of labels changed, at most 0\.0% are allowed .* allow more with --max-flips"
    ):
        changed("bert-cls", quantize="int8", max_flips=0.0)


def test_the_exported_graph_is_left_as_it_was() -> None:
    before = (MODELS / "bert-embed" / "model.onnx").read_bytes()
    changed("bert-embed", quantize="int8", optimize=True)
    assert (MODELS / "bert-embed" / "model.onnx").read_bytes() == before


def test_an_optimised_graph_answers_the_same(tmp_path: Path) -> None:
    found = changed("bert-embed", "sentence_embedding", optimize=True)
    assert found.manifest.precision == "optimized"
    plain = check(BuildConfig(path=MODELS / "bert-embed", model_type="sentence_embedding"))
    assert len(found.graph.op_types - plain.graph.op_types) > 0
    for after, before in zip(vectors(opened(found), True), vectors(opened(plain), True), strict=True):
        close(after, before, 1e-5, "vector")


def test_the_users_own_texts_measure_the_change(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("one text\n\nand another one\n")
    found = changed("bert-embed", quantize="int8", calibrate=file)
    assert found.manifest.drift is not None
    assert found.manifest.drift["texts"] == 2


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\n \n", "has no text"), (b"\xff\xfe\xfd", "it is not UTF-8 text"), (None, "No such")]
)
def test_a_file_without_texts_is_refused(content: bytes | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=reason):
        changed("bert-embed", quantize="int8", calibrate=file)


def test_a_graph_in_half_precision_has_nothing_to_quantise(tmp_path: Path) -> None:
    def halve(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            if tensor.data_type == TensorProto.FLOAT:
                tensor.CopyFrom(
                    numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name)
                )

    graphs.edit_graph(graphs.copy("bert-cls", tmp_path / "model"), halve)
    with pytest.raises(ModelError, match="no large float32 matrix"):
        quantize.write_quantized(tmp_path / "model" / "model.onnx", tmp_path / "int8.onnx")


def test_without_the_onnx_package_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=re.escape(f"install it with `{extra_command('quantize')}`")):
        quantize.write_quantized(MODELS / "bert-cls" / "model.onnx", Path("int8.onnx"))


@pytest.mark.parametrize("flags", [{"max_flips": 0.5}, {"calibrate": Path("texts.txt")}])
def test_measuring_a_change_without_a_change_is_refused(flags: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="need --quantize or --optimize"):
        from_flags(MODELS / "bert-cls", None, **flags)


def from_yaml(folder: Path, lines: str, **flags: Any) -> PrecisionOptions:
    """What a YAML file with these lines, and flags over it, ask for."""
    file = folder / "config.yml"
    file.write_text(f"encoderfile:\n  path: {MODELS / 'bert-embed'}\n{lines}")
    return from_flags(None, file, **flags).precision


def test_yaml_asks_for_the_same_and_flags_win(tmp_path: Path) -> None:
    lines = "  quantize: int8\n  optimize: true\n  calibrate: texts.txt\n  max_flips: 0.1\n"
    wanted = PrecisionOptions("int8", True, tmp_path / "texts.txt", 0.1)
    assert from_yaml(tmp_path, lines) == wanted
    assert from_yaml(tmp_path, lines, max_flips=0.5) == PrecisionOptions("int8", True, wanted.calibrate, 0.5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("quantize: int4", "`quantize` is int4: choose int8"),
        ("optimize: 3", "`optimize` should be true or false, got 3"),
        ("max_flips: 2", "`max_flips` should be a number from 0 to 1, got 2"),
    ],
)
def test_an_option_that_cannot_be_followed_is_named(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason):
        from_yaml(tmp_path, f"  {line}\n")


def test_int8_for_cuda_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    config = BuildConfig(path=tmp_path / "nothing", device="cuda", precision=PrecisionOptions(quantize="int8"))
    with pytest.raises(ConfigError, match=r"makes a graph for the CPU.*build with --device cpu"):
        build(config, print)


@pytest.mark.parametrize("options", [{"quantize": "int8"}, {"optimize": True}])
def test_the_same_model_gives_the_same_bytes(options: dict[str, Any]) -> None:
    both = [changed("bert-embed", **options) for _ in range(2)]
    one, other = (found.graph.layout() for found in both)
    assert one[0] == other[0]
    assert one[2] == other[2]
    for ours, theirs in zip(one[1], other[1], strict=True):
        assert read(ours) == read(theirs)


@pytest.mark.parametrize("opset", [17, 18])
def test_a_product_is_that_of_the_floats_within_two_parts_in_a_hundred(opset: int, tmp_path: Path) -> None:
    weights = np.random.default_rng(3).standard_normal((64, 96)).astype(np.float32)
    weights[:, 5] = 0  # a column without a scale
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["last_hidden_state"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 64])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["rows", 96])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    onnx.save(model, tmp_path / "model.onnx")
    rows = np.random.default_rng(4).standard_normal((5, 64)).astype(np.float32)
    rows[1] = 0
    rows[2] *= 1e4
    rows[3] += 100
    quantize.write_quantized(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    session = Session(*OnnxGraph(tmp_path / "int8.onnx").in_place(), device=Device("cpu", "tests"), threads=1)
    found = session.run({"x": rows}, "last_hidden_state")
    wanted = rows @ weights
    error = np.linalg.norm(found - wanted, axis=1) / np.maximum(np.linalg.norm(wanted, axis=1), 1e-9)
    assert error.max() < 0.02
    assert np.abs(found[1]).max() < 1e-6
