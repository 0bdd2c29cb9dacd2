"""A folder that cannot be served exactly is refused in one sentence: what is wrong, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from encoderfile.builder.config import TokenizerOptions
from support import graphs
from support.graphs import copy, edit_graph, edit_json
from support.models import MODELS
from support.refusals import refusal

Break = Callable[[Path], object]


def leave(_: Path) -> None:
    """The folder is bad as it is."""


def cut_graph(folder: Path) -> None:
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes()[:-1000])


def lose_the_data(folder: Path) -> None:
    graphs.save_external(folder)
    (folder / "model.onnx_data").unlink()


def take_tokenizer_of(other: str, *also: str) -> Break:
    def take(folder: Path) -> None:
        for name in ("tokenizer.json", *also):
            (folder / name).write_bytes((MODELS / other / name).read_bytes())

    return take


def drop(name: str) -> Break:
    return lambda folder: (folder / name).unlink()


def write(name: str, content: str) -> Break:
    return lambda folder: (folder / name).write_text(content)


def graph(change: graphs.Change) -> Break:
    return lambda folder: edit_graph(folder, change)


def config(*without: str, **fields: Any) -> Break:
    return lambda folder: edit_json(folder, "config.json", *without, **fields)


def forget_a_node(model: onnx.ModelProto) -> None:
    del model.graph.node[len(model.graph.node) // 2]


CASES: list[tuple[str, str, Break, str, str]] = [
    ("a cut graph", "bert-cls", cut_graph, "model.onnx is not a complete ONNX model (", "copy it or export it again"),
    (
        "a pointer of git lfs",
        "bert-cls",
        write("model.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:46\nsize 4\n"),
        "model.onnx is a Git LFS pointer",
        "run `git lfs pull` in the folder it came from",
    ),
    (
        "weights left behind",
        "bert-cls",
        lose_the_data,
        "model.onnx keeps its weights in model.onnx_data, which is missing",
        "copy model.onnx_data into the folder beside model.onnx",
    ),
    (
        "a graph that is no graph",
        "bert-cls",
        graph(forget_a_node),
        " cannot load the graph on cpu (Invalid model. Node input '",
        "): export the model again",
    ),
    (
        "config.json is no JSON",
        "bert-cls",
        write("config.json", '{"architectures": ["BertModel"],}'),
        "config.json is not valid JSON (",
        "correct it or export the model again",
    ),
    (
        "tokenizer.json is no JSON",
        "bert-cls",
        write("tokenizer.json", '{"version": "1.0",'),
        "tokenizer.json is not valid JSON (",
        "correct it or export the model again",
    ),
    (
        "tokenizer.json is no tokenizer",
        "bert-cls",
        write("tokenizer.json", '{"added_tokens": [{"id": 0, "content": "[PAD]"}]}'),
        "tokenizer.json cannot be read (",
        "export the tokenizer again",
    ),
    ("no config.json", "bert-cls", drop("config.json"), "has no config.json", "copy it from the original model"),
    ("no tokenizer.json", "bert-cls", drop("tokenizer.json"), "has no tokenizer.json", "AutoTokenizer"),
    ("no model.onnx", "bert-cls", drop("model.onnx"), "has no model.onnx", "`optimum-cli export onnx"),
    (
        "fewer labels than logits",
        "bert-cls",
        config(id2label={"0": "no", "1": "yes"}),
        "config.json has 2 labels in id2label, the graph gives 3 logits",
        "correct id2label in config.json",
    ),
    (
        "more labels than logits",
        "bert-tok",
        config(id2label={str(index): f"L{index}" for index in range(9)}),
        "config.json has 9 labels in id2label, the graph gives 7 logits",
        "correct id2label in config.json",
    ),
    (
        "no labels",
        "bert-cls",
        config("id2label", "label2id"),
        "config.json has no id2label (which means 2 labels), the graph gives 3 logits",
        "correct id2label in config.json",
    ),
    (
        "an input of another name",
        "bert-cls",
        graph(graphs.renamed_input("input_ids", "tokens")),
        "the graph has no input called input_ids (its inputs: tokens, attention_mask, token_type_ids)",
        "name it with --input input_ids=NAME",
    ),
    (
        "an input that no text has",
        "bert-cls",
        graph(graphs.renamed_input("token_type_ids", "pixel_values")),
        "the graph needs pixel_values, for which a text encoder has no value",
        "export the encoder alone, or, if one value is right for all texts, give it with --input pixel_values=VALUE",
    ),
    (
        "an output of another name",
        "bert-cls",
        graph(graphs.renamed_output("probabilities")),
        "the model type sequence_classification needs logits [batch, labels], the graph gives probabilities [?, 3]",
        "name the output with --output or export with the matching --task",
    ),
    (
        "an output of another rank",
        "bert-tok",
        config(architectures=["BertForSequenceClassification"]),
        "the model type sequence_classification needs logits [batch, labels], the graph gives logits [?, ?, 7]",
        "choose another --model-type",
    ),
    (
        "a weight that is not a number",
        "bert-cls",
        graph(graphs.damaged_weight),
        "the model's output is not finite (NaN or infinity)",
        "its weights are damaged, export it again",
    ),
    (
        "padding that is attended to",
        "bert-cls",
        graph(graphs.blind_to_padding),
        "the graph ignores attention_mask",
        "export it again",
    ),
    (
        "padding that is counted a little",
        "bert-cls",
        graph(graphs.counts_columns(2e-4)),
        "answers change by 0.0",
        "(at most 0.001 is allowed)",
    ),
    (
        "padding that is attended to, token by token",
        "bert-embed",
        graph(graphs.blind_to_padding),
        "answers change by ",
        "the graph ignores attention_mask, export it again",
    ),
    (
        "a batch that the graph does not hold",
        "bert-embed",
        graph(graphs.one_text_at_a_time),
        "the graph runs one text and fails on 5 together",
        "export it with a dynamic batch size",
    ),
    (
        "a generator",
        "bert-cls",
        config(architectures=["GPT2LMHeadModel"]),
        "GPT2LMHeadModel generates text and is not an encoder",
        "export an encoder (feature-extraction, text-classification or token-classification)",
    ),
    (
        "a generator's cache",
        "bert-mlm",
        graph(graphs.with_cache_output),
        "BertForMaskedLM generates text and is not an encoder",
        "export an encoder",
    ),
    (
        "the tokenizer of another family",
        "bert-cls",
        take_tokenizer_of("roberta-cls"),
        "tokenizer.json has no padding token [PAD], which tokenizer_config.json names",
        "the two belong to different models, export the tokenizer again",
    ),
    (
        "the tokenizer of a model with more words",
        "roberta-cls",
        take_tokenizer_of("xlmr-tok", "tokenizer_config.json"),
        "tokenizer.json has 1202 tokens and the model 1200 (vocab_size in config.json)",
        "the tokenizer belongs to another model, export it again",
    ),
    (
        "a doubtful type",
        "bert-cls",
        config("architectures"),
        "the model type is in doubt (architecture unknown, outputs logits)",
        "give it with --model-type",
    ),
    (
        "a limit that the graph does not hold",
        "bert-cls",
        lambda folder: [
            edit_json(folder, "config.json", max_position_embeddings=512),
            edit_json(folder, "tokenizer_config.json", model_max_length=512),
            graphs.replace_bytes(folder, b"position_embeddings", b"an_unknown_table___"),
        ],
        "the graph fails on a text of 512 tokens",
        "give the length it was made for with --max-length",
    ),
    (
        "a problem that nobody knows",
        "bert-cls",
        config(problem_type="ranking"),
        "config.json has the problem_type ranking",
        "correct it to one of regression, single_label_classification, multi_label_classification",
    ),
    (
        "a module outside the graph",
        "mpnet-embed",
        lambda folder: (folder / "modules.json").write_text(
            (folder / "modules.json").read_text().replace(".Normalize", ".CNN")
        ),
        "modules.json has a CNN module, which is not part of the graph",
        "export with `--library-name sentence_transformers`",
    ),
]


@pytest.mark.parametrize(
    ("name", "spoil", "what", "advice"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_bad_folder_is_refused_with_the_thing_and_the_way_out(
    tmp_path: Path, name: str, spoil: Break, what: str, advice: str
) -> None:
    folder = copy(name, tmp_path / "model")
    spoil(folder)
    text = refusal(folder)
    assert what in text
    assert advice in text


def test_several_graphs_are_refused_with_their_names(tmp_path: Path) -> None:
    folder = copy("bert-cls", tmp_path / "model")
    for name in ("model_quantized.onnx", "model_optimized.onnx"):
        (folder / name).write_bytes((folder / "model.onnx").read_bytes())
    (folder / "model.onnx").unlink()
    text = refusal(folder)
    assert "(model_optimized.onnx, model_quantized.onnx): choose one with --onnx FILE" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (TokenizerOptions(max_length=65), "--max-length 65 is more than the model takes: at most 64 tokens"),
        (TokenizerOptions(fixed_length=65), "pad_strategy fixed 65 is more than the model takes"),
        (TokenizerOptions(max_length=3), "the limit of 3 tokens leaves no room beside 3 special tokens"),
        (TokenizerOptions(stride=61), "a stride of 61 tokens leaves nothing of the limit of 64 tokens"),
    ],
    ids=["limit", "fixed length", "no room", "stride"],
)
def test_an_option_that_the_model_cannot_follow_is_refused(options: TokenizerOptions, words: str) -> None:
    assert words in refusal(MODELS / "bert-cls", tokenizer=options)


def test_a_limit_above_a_fixed_shape_is_refused(tmp_path: Path) -> None:
    folder = copy("bert-cls", tmp_path / "model")
    edit_graph(folder, graphs.fixed_shape(1, 16))
    assert "at most 16 tokens (the fixed shape of the graph)" in refusal(
        folder, tokenizer=TokenizerOptions(max_length=17)
    )


@pytest.mark.parametrize("model_type", ["embedding", "token_classification"])
def test_a_type_that_the_graph_cannot_serve_is_refused(model_type: str) -> None:
    text = refusal(MODELS / "bert-cls", model_type=model_type)
    assert text.startswith(f"the model type {model_type} needs ")
