"""Outputs of unusual names: found by rank and width where there is no doubt, or chosen by a flag."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.model_type import choose_output, choose_type, unusual
from encoderfile.builder.modules_json import Module
from encoderfile.builder.pooling_config import vector_pooling
from encoderfile.errors import ConfigError, ModelError
from encoderfile.manifest import LayerSpec, PoolingSpec
from encoderfile.model.session import ValueInfo
from support import graphs
from support.graphs import copy, edit_graph, edit_json
from support.refusals import one_sentence, refusal
from support.synthetic import folder, output

HIDDEN = output("last_hidden_state", None, None, 48)
POOLER = output("pooler_output", None, 48)
MEAN = Module("Pooling", "1_Pooling", {"pooling_mode": "mean"})
DENSE = Module("Dense", "2_Dense", {"in_features": 48, "out_features": 16})
NORMALIZE = Module("Normalize")
BERT = {"architectures": ["BertModel"], "hidden_size": 48}
SENTENCE, TOKENS = "sentence_embedding", "embedding"


def found(
    *outputs: ValueInfo,
    modules: tuple[Module, ...] = (),
    config: dict[str, Any] | None = None,
    named: str | None = None,
) -> tuple[str, str]:
    """The model type and the output that are chosen."""
    pooled = [module.config for module in modules if module.kind == "Pooling"]
    model = folder(config=config or BERT, modules=modules, pooling=pooled[-1] if pooled else {})
    model_type = choose_type(model, outputs, None, named).model_type
    return model_type, choose_output(model, model_type, outputs, named).name


@pytest.mark.parametrize("name", ["output_0", "hidden", "encoder_out", "1234", "last_hidden_state:0"])
@pytest.mark.parametrize("beside", [(), (POOLER,), (output("hidden_states.0", None, None, 48),)])
def test_the_only_vectors_of_the_models_width_are_those_of_tokens(name: str, beside: tuple[ValueInfo, ...]) -> None:
    tokens = output(name, None, None, 48)
    assert found(tokens, *beside) == (TOKENS, name)
    assert found(*beside, tokens, modules=(Module("Transformer"), MEAN)) == (SENTENCE, name)


@pytest.mark.parametrize("name", ["text_embeds", "sentence_embeddings", "embeddings", "embedding"])
def test_one_vector_per_text_is_known_by_its_name(name: str) -> None:
    assert found(output(name, None, 24)) == (SENTENCE, name)


@pytest.mark.parametrize("modules", [(), (Module("Transformer"), MEAN, NORMALIZE)])
def test_one_vector_per_text_is_known_by_its_width(modules: tuple[Module, ...]) -> None:
    assert found(output("output_0", None, 48), modules=modules) == (SENTENCE, "output_0")


def test_a_vector_behind_the_dense_layer_is_taken_before_the_tokens() -> None:
    outputs = (output("hidden", None, None, 48), output("text_embeds", None, 16))
    assert found(*outputs, modules=(Module("Transformer"), MEAN, DENSE, NORMALIZE)) == (SENTENCE, "text_embeds")


def test_a_vector_without_the_dense_layer_gets_it_after_the_graph() -> None:
    model = folder(config=BERT, modules=(Module("Transformer"), MEAN, DENSE), pooling=MEAN.config)
    outputs = [output("hidden", None, None, 48), output("text_embeds", None, 48)]
    taken = choose_output(model, SENTENCE, outputs)
    dense = LayerSpec("dense", DENSE.path, "Tanh")
    assert vector_pooling(model, SENTENCE, taken) == PoolingSpec(("mean",), layers=(dense,))
    pooled = output("sentence_embedding", None, 48)
    assert vector_pooling(model, SENTENCE, pooled) == PoolingSpec((), layers=(dense,))
    with pytest.raises(ModelError, match="a Dense module, which is not part of the graph"):
        vector_pooling(model, SENTENCE, output("sentence_embedding", None, 47))


def test_vectors_of_a_whole_graph_are_normalised_where_the_modules_end_so() -> None:
    vector = output("text_embeds", None, 16)
    ends = folder(modules=(Module("Transformer"), MEAN, DENSE, NORMALIZE, Module("Dropout")))
    assert vector_pooling(ends, SENTENCE, vector) == PoolingSpec((), normalize=True)
    assert vector_pooling(ends, SENTENCE, output("sentence_embedding", None, 16)) == PoolingSpec((), normalize=True)
    between = folder(modules=(Module("Transformer"), MEAN, NORMALIZE, DENSE))
    assert vector_pooling(between, SENTENCE, vector) is None


@pytest.mark.parametrize(
    "outputs",
    [
        [POOLER],
        [output("a", None, None, 48), output("b", None, None, 48)],
        [
            output("dense_vecs", None, 48),
            output("sparse_vecs", None, None, 1),
            output("colbert_vecs", None, None, 48),
        ],
        [output("contextual", None, None, 24)],
        [output("output_0", None, 3)],
        [output("output_0", None, None, None)],
        [output("output_0", None)],
        [output("start_logits", None, None), output("end_logits", None, None)],
    ],
    ids=repr,
)
def test_doubt_names_the_flags(outputs: list[ValueInfo]) -> None:
    with pytest.raises(ModelError) as refused:
        found(*outputs)
    assert one_sentence(refused.value).endswith("and the output to take with --output NAME")


@pytest.mark.parametrize(("named", "model_type"), [("pooler_output", SENTENCE), ("last_hidden_state", TOKENS)])
def test_the_flag_chooses(named: str, model_type: str) -> None:
    assert found(HIDDEN, POOLER, named=named) == (model_type, named)


def test_the_flag_must_name_an_output_of_the_graph() -> None:
    with pytest.raises(ConfigError) as refused:
        found(HIDDEN, POOLER, named="pooled")
    assert one_sentence(refused.value) == (
        "--output pooled: the graph has no such output, it has last_hidden_state [?, ?, 48], pooler_output [?, 48]"
    )


def test_the_flag_must_name_one_of_the_right_rank() -> None:
    with pytest.raises(ModelError, match=r"needs logits \[batch, labels\], the graph gives last_hidden_state"):
        choose_output(folder(), "sequence_classification", [HIDDEN, POOLER], "last_hidden_state")


@pytest.mark.parametrize("name", ["output_0", "logits:0", "Identity", "1234", "my_logits"])
@pytest.mark.parametrize(
    ("kind", "shape"), [("ForSequenceClassification", (None, 3)), ("ForTokenClassification", (None, None, 3))]
)
def test_logits_may_have_a_name_that_says_nothing(name: str, kind: str, shape: tuple[int | None, ...]) -> None:
    assert found(output(name, *shape), config={"architectures": [f"Bert{kind}"]})[1] == name


@pytest.mark.parametrize("name", ["probabilities", "scores", "softmax"])
def test_what_is_called_otherwise_is_not_taken_for_logits(name: str) -> None:
    with pytest.raises(ModelError, match="needs logits"):
        found(output(name, None, 3), config={"architectures": ["BertForSequenceClassification"]})


def test_a_sentence_model_made_from_a_classifier_gives_vectors() -> None:
    config = {"architectures": ["BertForSequenceClassification"], "hidden_size": 48}
    assert found(HIDDEN, modules=(Module("Transformer"), MEAN), config=config) == (SENTENCE, "last_hidden_state")


def test_token_vectors_are_not_taken_for_weights_of_words() -> None:
    splade = (Module("MLMTransformer"), Module("SpladePooling", "1_SpladePooling"))
    with pytest.raises(ModelError, match=r"needs sentence_embedding .* the graph gives last_hidden_state"):
        found(HIDDEN, modules=splade)
    assert found(output("output_0", None, None, 100), modules=splade) == (SENTENCE, "output_0")


def test_weights_of_words_are_known_by_another_name_too() -> None:
    masked = folder(config={"architectures": ["BertForMaskedLM"], "hidden_size": 48})
    assert vector_pooling(masked, SENTENCE, output("output_0", None, None, 100)) == PoolingSpec(("splade",))
    assert vector_pooling(masked, SENTENCE, HIDDEN) == PoolingSpec(("mean",))


def test_whole_numbers_are_not_vectors() -> None:
    ids = ValueInfo("output_0", "int64", (None, None, 48))
    with pytest.raises(ModelError, match=r"the graph gives output_0 \[\?, \?, 48\] of int64"):
        choose_output(folder(config=BERT), TOKENS, [ids])
    with pytest.raises(ModelError, match="of int64"):
        choose_output(folder(config=BERT), TOKENS, [HIDDEN, ids], "output_0")


def pooled_in_the_graph(model: onnx.ModelProto) -> None:
    """A second output beside the vectors of tokens: the first token's, times two."""
    hidden = model.graph.output[0].name
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, dtype=np.int64), "first"))
    model.graph.initializer.append(numpy_helper.from_array(np.array(2, dtype=np.float32), "two"))
    model.graph.node.append(helper.make_node("Gather", [hidden, "first"], ["of_first"], axis=1))
    model.graph.node.append(helper.make_node("Mul", ["of_first", "two"], ["pooler_output"]))
    model.graph.output.append(helper.make_tensor_value_info("pooler_output", TensorProto.FLOAT, ["batch", 48]))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return copy("mpnet-embed", tmp_path / "model")


def test_a_renamed_output_is_found_in_a_real_folder(path: Path) -> None:
    edit_graph(path, graphs.renamed_output("output_0"))
    seen: Checked = check(BuildConfig(path=path))
    assert (seen.manifest.graph.output, seen.manifest.pooling) == ("output_0", PoolingSpec(("mean",), normalize=True))


def test_an_output_that_is_chosen_is_not_pooled_again(path: Path) -> None:
    edit_graph(path, pooled_in_the_graph)
    assert check(BuildConfig(path=path)).manifest.graph.output == "last_hidden_state"
    rows = dict(check(BuildConfig(path=path, output="pooler_output")).rows())
    assert (rows["output"], rows["pooling"]) == ("pooler_output", "in the graph, normalised")


def test_a_pooling_file_that_is_missing_is_not_guessed(path: Path) -> None:
    (path / "1_Pooling" / "config.json").unlink()
    assert "modules.json names 1_Pooling, whose config.json is missing" in refusal(path)


def test_a_wanted_type_switches_no_dense_layer_off(path: Path) -> None:
    (path / "modules.json").write_text((path / "modules.json").read_text().replace(".Normalize", ".Dense"))
    edit_json(path, "2_Normalize/config.json", in_features=48, out_features=8)
    for model_type in (SENTENCE, TOKENS):
        assert "modules.json names 2_Normalize, whose weights are missing" in refusal(path, model_type=model_type)


@pytest.mark.parametrize(
    ("model_type", "taken", "named", "words"),
    [
        (TOKENS, output("last_hidden_state", None, None, 48), None, None),
        (SENTENCE, output("sentence_embedding", None, 48), None, None),
        (TOKENS, output("output_0", None, None, 48), None, "output_0 is taken: it alone gives vectors of tokens"),
        (SENTENCE, output("text_embeds", None, 16), None, "text_embeds is taken: its name is that of one vector"),
        (SENTENCE, output("output_0", None, 48), None, "output_0 is taken: it alone gives one vector per text, of"),
        (SENTENCE, output("output_0", None, None, 100), None, "output_0 is taken: no other output can be the logits"),
        ("token_classification", output("1234", None, None, 48), None, "1234 is taken: no other output can be the"),
        ("sequence_classification", output("out", None, 48), None, "out is taken: no other output can be the logits"),
        ("sequence_classification", output("logits", None, 2), "logits", "logits is taken: it is given by --output"),
    ],
)
def test_why_an_output_of_an_unusual_name_is_taken_is_said(
    model_type: str, taken: ValueInfo, named: str | None, words: str | None
) -> None:
    reason = unusual(folder(config=BERT), model_type, taken, named)
    assert reason is None if words is None else words in str(reason)


@pytest.mark.parametrize("name", ["bert-cls", "bert-tok", "bert-mlm"])
def test_check_says_why_logits_of_an_unusual_name_are_taken(name: str, tmp_path: Path) -> None:
    edit_graph(copy(name, tmp_path / "model"), graphs.renamed_output("output_0"))
    rows = check(BuildConfig(path=tmp_path / "model")).rows()
    assert ("note", "the output output_0 is taken: no other output can be the logits") in rows
