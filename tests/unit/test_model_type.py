"""Which model type a folder is, with the reason; doubt is an error that names the flag."""

from typing import Any

import pytest

from encoderfile.builder.labels import label_facts
from encoderfile.builder.model_type import Choice, choose_output, choose_type, refuse_generators
from encoderfile.builder.modules_json import Module
from encoderfile.builder.pooling_config import vector_pooling
from encoderfile.errors import ModelError
from encoderfile.model.session import ValueInfo
from encoderfile.tasks import TASKS
from encoderfile.tasks.labels import LabelTask
from encoderfile.tasks.sequence_classification import SequenceLabels
from encoderfile.tasks.task import Output
from support.refusals import one_sentence
from support.synthetic import folder, output

HIDDEN = output("last_hidden_state", None, None, 48)
TOKEN_EMBEDDINGS = output("token_embeddings", None, None, 48)
SENTENCE = output("sentence_embedding", None, 48)
POOLER = output("pooler_output", None, 48)
LOGITS = output("logits", None, 3)
PRESENT = output("present.0.value", None, 2, None, 24)
TOKEN_LOGITS = output("logits", None, None, 7)


def choice(*outputs: ValueInfo, architecture: str | None = None, wanted: str | None = None, **parts: Any) -> Choice:
    config = {} if architecture is None else {"architectures": [architecture]}
    return choose_type(folder(config=config, **parts), outputs, wanted)


@pytest.mark.parametrize(
    ("architecture", "outputs", "found"),
    [
        ("BertForSequenceClassification", [LOGITS], "sequence_classification"),
        ("DebertaV2ForTokenClassification", [TOKEN_LOGITS], "token_classification"),
        ("BertModel", [HIDDEN, POOLER], "embedding"),
        ("BertModel", [TOKEN_EMBEDDINGS, SENTENCE], "sentence_embedding"),
        ("MPNetForMaskedLM", [TOKEN_EMBEDDINGS, SENTENCE], "sentence_embedding"),
        ("DistilBertForMaskedLM", [HIDDEN], "embedding"),
        ("NomicBertModel", [TOKEN_EMBEDDINGS], "embedding"),
        (None, [HIDDEN], "embedding"),
    ],
)
def test_the_type_follows_the_architecture_and_the_outputs(
    architecture: str | None, outputs: list[ValueInfo], found: str
) -> None:
    assert choice(*outputs, architecture=architecture).model_type is found


@pytest.mark.parametrize(
    "files", [{"modules": (Module("Transformer"), Module("Pooling"))}, {"pooling": {"pooling_mode": "cls"}}]
)
def test_the_files_of_a_sentence_model_make_it_one(files: dict[str, Any]) -> None:
    assert choice(HIDDEN, architecture="BertModel", **files).model_type == "sentence_embedding"


@pytest.mark.parametrize("wanted", TASKS)
def test_a_wanted_type_is_taken_whatever_the_files_say(wanted: str) -> None:
    found = choice(HIDDEN, architecture="BertForSequenceClassification", wanted=wanted)
    assert found == Choice(wanted, "given by --model-type")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (choice(LOGITS, architecture="XForSequenceClassification"), "config.json names XForSequenceClassification"),
        (choice(SENTENCE), "the graph has an output sentence_embedding"),
        (choice(HIDDEN, pooling={"a": 1}), "1_Pooling/config.json describes a sentence-transformers model"),
        (choice(HIDDEN), "the graph's output is last_hidden_state"),
    ],
    ids=["architecture", "graph", "modules", "output"],
)
def test_a_choice_has_its_reason(found: Choice, words: str) -> None:
    assert found.reason == words


@pytest.mark.parametrize(
    ("architecture", "outputs", "words"),
    [
        (None, [LOGITS], "architecture unknown, outputs logits"),
        ("BertForQuestionAnswering", [output("start", None, None), output("end", None, None)], "outputs end, start"),
        ("ResNet", [POOLER], "architecture ResNet, outputs pooler_output"),
    ],
)
def test_doubt_names_the_flag(architecture: str | None, outputs: list[ValueInfo], words: str) -> None:
    with pytest.raises(ModelError) as refusal:
        choice(*outputs, architecture=architecture)
    text = one_sentence(refusal.value)
    assert text.startswith("the model type is in doubt (")
    assert words in text
    flags = f"give it with --model-type {'|'.join(TASKS)}, and the output to take with --output NAME"
    assert text.endswith(flags)


@pytest.mark.parametrize("architecture", ["BertForMaskedLM", "BertForPreTraining"])
def test_a_model_of_masked_words_is_a_sparse_sentence_embedding(architecture: str) -> None:
    found = choice(TOKEN_LOGITS, architecture=architecture)
    assert found.model_type == "sentence_embedding"
    assert found.reason == f"{architecture} gives a weight to each word of the vocabulary: a sparse embedding"


@pytest.mark.parametrize(
    "architecture",
    ["GPT2LMHeadModel", "LlamaForCausalLM", "T5ForConditionalGeneration", "BartForConditionalGeneration"],
)
def test_a_model_that_generates_text_is_not_an_encoder(architecture: str) -> None:
    with pytest.raises(ModelError) as refusal:
        refuse_generators(folder(config={"architectures": [architecture]}), ["input_ids"], [TOKEN_LOGITS])
    assert one_sentence(refusal.value) == (
        f"{architecture} generates text and is not an encoder: "
        "export an encoder (feature-extraction, text-classification or token-classification)"
        + (
            ", or, if it is a reranker that answers yes or no, as Qwen3-Reranker, give --model-type "
            "sequence_classification"
        )
        * architecture.endswith("ForCausalLM")
    )


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [(["input_ids", "past_key_values.0.key"], [TOKEN_LOGITS]), (["input_ids"], [TOKEN_LOGITS, PRESENT])],
)
def test_logits_beside_a_cache_generate_text_whatever_the_name(inputs: list[str], outputs: list[ValueInfo]) -> None:
    with pytest.raises(ModelError, match=r"^this graph generates text"):
        refuse_generators(folder(), inputs, outputs)


@pytest.mark.parametrize(
    ("architecture", "outputs"),
    [
        ("Qwen3Model", [HIDDEN, PRESENT]),
        ("Qwen2ForCausalLM", [HIDDEN, PRESENT]),
        ("LlamaForCausalLM", [TOKEN_LOGITS, SENTENCE]),
        ("Qwen3Model", [output("embeddings", None, 24), PRESENT]),
        ("GPT2ForSequenceClassification", [LOGITS, PRESENT]),
    ],
)
def test_vectors_and_labels_beside_a_cache_make_no_generator(architecture: str, outputs: list[ValueInfo]) -> None:
    refuse_generators(folder(config={"architectures": [architecture]}), ["past_key_values.0.key"], outputs)


@pytest.mark.parametrize(
    "architecture", ["BertModel", "BertForSequenceClassification", "GPT2ForSequenceClassification"]
)
def test_an_encoder_is_let_through(architecture: str) -> None:
    refuse_generators(folder(config={"architectures": [architecture]}), ["input_ids"], [LOGITS])


@pytest.mark.parametrize(
    ("model_type", "outputs", "found"),
    [
        ("embedding", [POOLER, HIDDEN], "last_hidden_state"),
        ("embedding", [SENTENCE, TOKEN_EMBEDDINGS], "token_embeddings"),
        ("sentence_embedding", [TOKEN_EMBEDDINGS, SENTENCE], "sentence_embedding"),
        ("sentence_embedding", [HIDDEN], "last_hidden_state"),
        ("sequence_classification", [HIDDEN, LOGITS], "logits"),
        ("token_classification", [TOKEN_LOGITS], "logits"),
    ],
)
def test_the_best_output_that_fits_is_taken(model_type: str, outputs: list[ValueInfo], found: str) -> None:
    assert choose_output(folder(), model_type, outputs).name == found


@pytest.mark.parametrize(
    ("model_type", "outputs", "found"),
    [
        ("embedding", [LOGITS], "logits [?, 3]"),
        ("embedding", [SENTENCE], "sentence_embedding [?, 48]"),
        ("embedding", [output("last_hidden_state", None, 48)], "last_hidden_state [?, 48]"),
        ("sentence_embedding", [POOLER], "pooler_output [?, 48]"),
        ("sequence_classification", [TOKEN_LOGITS], "logits [?, ?, 7]"),
        ("token_classification", [LOGITS], "logits [?, 3]"),
        ("token_classification", [HIDDEN, POOLER], "last_hidden_state [?, ?, 48], pooler_output [?, 48]"),
    ],
)
def test_an_output_of_the_wrong_name_or_rank_is_refused(
    model_type: str, outputs: list[ValueInfo], found: str
) -> None:
    with pytest.raises(ModelError) as refusal:
        choose_output(folder(), model_type, outputs)
    text = one_sentence(refusal.value)
    assert text.startswith(f"the model type {model_type} needs ")
    assert f"the graph gives {found}: " in text
    assert text.endswith("name the output with --output or export with the matching --task")


class Polarity(LabelTask[SequenceLabels]):
    """A type that the builder has never heard of."""

    name = "polarity"
    result = SequenceLabels
    outputs = (Output("polarity_logits", ("batch", "labels")),)
    architectures = ("ForPolarity",)


@pytest.mark.parametrize(
    ("architecture", "graph_output", "reason"),
    [
        ("BertForPolarity", "output_0", "config.json names BertForPolarity"),
        ("BertForSomething", "polarity_logits", "the graph has an output polarity_logits"),
    ],
)
def test_a_new_type_is_chosen_by_what_it_declares(
    monkeypatch: pytest.MonkeyPatch, architecture: str, graph_output: str, reason: str
) -> None:
    monkeypatch.setitem(TASKS, "polarity", Polarity)
    model, outputs = folder(config={"architectures": [architecture]}), [output(graph_output, None, 2)]
    assert choose_type(model, outputs, None) == Choice("polarity", reason)
    assert choose_output(model, "polarity", outputs) == outputs[0]
    assert label_facts(model, "polarity")["id2label"] == {0: "LABEL_0", 1: "LABEL_1"}
    assert vector_pooling(model, "polarity", outputs[0]) is None
