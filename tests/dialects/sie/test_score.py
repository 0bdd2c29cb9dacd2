"""Score: a cross-encoder reads query and item together, and the best comes first."""

from typing import Any

import numpy as np
import pytest

from encoderfile.errors import ModelError
from encoderfile.model.model import Model
from support.dialects import Sie, SieServers, code, make_cross_encoder, one_logit, renamed, unpacked
from support.graphs import copy, edit_graph, edit_json
from support.models import MODELS, expected, open_model

TEXTS = ["It rains.", "Machines learn from data.", "Cats sleep a lot, and dogs do not."]


def logits(model: Model, query: str, *texts: str) -> Any:
    """What the model itself gives for the pairs, each alone."""
    return np.array([model.run(model.encode([(query, text)]))[0].logits[0] for text in texts])  # type: ignore[union-attr]


@pytest.mark.proves("SIE POST /v1/score/:model", "scores are sorted, best first, rank 0 the most relevant")
def test_all_items_come_back_best_first_with_ranks_from_0(cross: Sie) -> None:
    body = cross.score("What learns?", *TEXTS).json()
    assert set(body) == {"model", "query_id", "scores"}
    assert (body["model"], body["query_id"]) == (cross.id, None)
    scores = [each["score"] for each in body["scores"]]
    assert scores == sorted(scores, reverse=True)
    assert [each["rank"] for each in body["scores"]] == [0, 1, 2]
    assert {each["item_id"] for each in body["scores"]} == {"item-0", "item-1", "item-2"}


@pytest.mark.proves("SIE POST /v1/score/:model", "score is the relevance by a cross-encoder")
def test_scores_are_the_sigmoid_of_the_logits_of_the_pairs(sie: SieServers, cross: Sie) -> None:
    truth = 1 / (1 + np.exp(-logits(sie.model("cross"), "What learns?", *TEXTS)))
    found = {each["item_id"]: each["score"] for each in cross.score("What learns?", *TEXTS).json()["scores"]}
    np.testing.assert_allclose([found[f"item-{index}"] for index in range(3)], truth, atol=1e-5)


@pytest.mark.proves("SIE POST /v1/score/:model", "score is the relevance by a cross-encoder")
def test_a_pair_is_scored_as_the_reference_does(cross: Sie) -> None:
    (pair,) = (each for each in expected(MODELS / "bert-cls")["inputs"] if each["text_pair"] is not None)
    (found,) = cross.score(pair["text"], pair["text_pair"]).json()["scores"]
    assert abs(found["score"] - 1 / (1 + np.exp(-pair["logits"][0]))) < 1e-4


@pytest.mark.proves("SIE POST /v1/score/:model", "scores are sorted, best first, rank 0 the most relevant")
def test_equal_scores_keep_the_order_of_the_items(cross: Sie) -> None:
    ranked = cross.score("q", "same", "same", "same").json()["scores"]
    assert [each["item_id"] for each in ranked] == ["item-0", "item-1", "item-2"]


@pytest.mark.proves("SIE POST /v1/score/:model", "query_id and item_id are echoed")
def test_ids_of_query_and_items_are_echoed(cross: Sie) -> None:
    body = {"query": {"id": "Q", "text": "q"}, "items": [{"text": "a"}, {"id": "B", "text": "b"}]}
    answer = cross.post(f"/v1/score/{cross.id}", body).json()
    assert answer["query_id"] == "Q"
    assert {each["item_id"] for each in answer["scores"]} == {"item-0", "B"}


def test_msgpack_holds_plain_numbers(cross: Sie) -> None:
    content = unpacked(cross.post(f"/v1/score/{cross.id}", {"query": {"text": "q"}, "items": [{"text": "a"}]}, {}))
    (score,) = content["scores"]
    assert (type(score["score"]), type(score["rank"])) == (float, int)


@pytest.mark.proves("SIE POST /v1/score/:model", "instruction is optional")
def test_an_instruction_stands_before_the_query(cross: Sie) -> None:
    instructed = cross.score("q", *TEXTS, instruction="Judge").json()
    assert instructed["scores"] == cross.score("Judge q", *TEXTS).json()["scores"]


@pytest.mark.proves("SIE POST /v1/score/:model", "score is the relevance by a cross-encoder")
@pytest.mark.parametrize(
    ("config", "way"),
    [
        ({}, "sigmoid"),
        ({"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"}}, "sigmoid"),
        ({"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}, "identity"),
        ({"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}, "identity"),
        ({"sbert_ce_default_activation_function": "torch.nn.modules.activation.Tanh"}, "tanh"),
        ({"problem_type": "regression"}, "sigmoid"),
        ({"sentence_transformers": {"activation_fn": None}}, "sigmoid"),
        (
            {
                "sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"},
                "sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity",
            },
            "sigmoid",
        ),
    ],
)
def test_the_activation_is_the_one_that_the_models_files_name(
    config: dict[str, Any], way: str, own: SieServers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = open_model(make_cross_encoder(tmp_path_factory.mktemp("cross") / "model", **config))
    assert model.manifest.relevance == way
    served = own.serve(model)
    truth = logits(model, "q", "a")
    (found,) = served.score("q", "a").json()["scores"]
    formulas = {"identity": truth[0], "tanh": np.tanh(truth[0]), "sigmoid": 1 / (1 + np.exp(-truth[0]))}
    np.testing.assert_allclose(found["score"], formulas[way], atol=1e-5)


def test_the_file_of_sentence_transformers_goes_before_config_json(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    named = {"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Tanh"}}
    folder = make_cross_encoder(tmp_path_factory.mktemp("cross") / "model", **named)
    edit_json(folder, "config_sentence_transformers.json", activation_fn="torch.nn.modules.linear.Identity")
    assert open_model(folder).manifest.relevance == "identity"


def test_several_labels_are_refused_with_their_number(
    own: SieServers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    served = own.serve(open_model(copy("distilbert-cls", tmp_path_factory.mktemp("labels") / "model")))
    message = served.post("/rerank", {"query": "q", "texts": ["a"]}).json()["error"]
    assert message.endswith("a sequence classification model with one label, and this one has 2")


@pytest.mark.parametrize("package", ["torch.nn.modules.activation", "modeling_own"])
def test_an_activation_that_is_not_built_here_is_refused_at_build(
    package: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    config = {"sentence_transformers": {"activation_fn": f"{package}.Mish"}}
    folder = make_cross_encoder(tmp_path_factory.mktemp("cross") / "model", **config)
    with pytest.raises(ModelError, match=rf"the activation {package}\.Mish, which is not supported"):
        open_model(folder)


@pytest.mark.proves("SIE POST /v1/score/:model", "score is the relevance by a cross-encoder")
@pytest.mark.parametrize("kind", ["dense", "tokens", "sparse", "labels", "ner"])
def test_only_a_cross_encoder_scores(kind: str, sie: SieServers) -> None:
    assert code(sie[kind].score("q", "a")) == (400, "INVALID_INPUT")


@pytest.mark.proves("SIE POST /v1/score/:model", "query and items are required")
@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"text": "a"}]},
        {"query": None, "items": [{"text": "a"}]},
        {"query": "q", "items": [{"text": "a"}]},
        {"query": {}, "items": [{"text": "a"}]},
        {"query": {"text": 1}, "items": [{"text": "a"}]},
        {"query": {"text": "q"}, "items": []},
        {"query": {"text": "q"}},
        {"query": {"text": "q"}, "items": ["a"]},
        {"query": {"text": "q"}, "items": [{"text": "a"}], "options": {"profile": "zz"}},
        {"query": {"text": "q"}, "items": [{"text": "a"}], "instruction": 1},
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(body: dict[str, Any], cross: Sie) -> None:
    assert code(cross.post(f"/v1/score/{cross.id}", body)) == (400, "INVALID_INPUT")


def test_empty_texts_are_scored(cross: Sie) -> None:
    assert cross.score("", "a", "").status_code == 200


def test_a_file_without_the_rule_scores_with_sigmoid(own: SieServers, cross: Sie) -> None:
    older = own.serve(renamed(own.model("cross"), relevance=None))
    assert older.score("q", "a").json()["scores"] == cross.score("q", "a").json()["scores"]


def test_two_labels_make_no_cross_encoder(own: SieServers, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = copy("distilbert-cls", tmp_path_factory.mktemp("two") / "model")
    assert open_model(folder).manifest.relevance is None
    assert code(own.serve(open_model(folder)).score("q", "a")) == (400, "INVALID_INPUT")


def test_one_logit_is_what_makes_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = copy("bert-cls", tmp_path_factory.mktemp("one") / "model")
    edit_graph(folder, one_logit)
    edit_json(folder, "config.json", id2label={"0": "relevance"})
    assert open_model(folder).manifest.relevance == "sigmoid"
