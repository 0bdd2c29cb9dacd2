"""What one result of each model type looks like."""

import math

import pytest

from support.model_types import FOLDERS
from support.servers import Connect


@pytest.mark.proves(
    "ENC POST /predict, embedding",
    "`embeddings`: one per token of the text, special tokens such as `[CLS]` included",
    "The curl example and the form of its answer",
)
@pytest.mark.proves(
    "ENC POST /predict", "`token_info`: `token`, `token_id`, `start`, `end` (`embedding`, `token_classification`)"
)
def test_a_token_embedding_has_one_vector_per_token_special_tokens_included(connect: Connect) -> None:
    (result,) = connect("embed-tokens").predict(["hello world"], normalize=False).results
    assert set(result) == {"embeddings"}
    tokens = [each["token_info"] for each in result["embeddings"]]
    assert [(each["token"], each["start"], each["end"]) for each in tokens] == [
        ("[CLS]", 0, 0),
        ("hello", 0, 5),
        ("world", 6, 11),
        ("[SEP]", 0, 0),
    ]
    assert len({len(each["embedding"]) for each in result["embeddings"]}) == 1


@pytest.mark.proves(
    "ENC POST /predict, embedding", "`embeddings`: one per token of the text, special tokens such as `[CLS]` included"
)
@pytest.mark.proves("ENC POST /predict, token_classification", "`tokens`: one per token")
def test_padding_is_never_part_of_a_result(connect: Connect) -> None:
    short, long = connect("embed-tokens").predict(["hello", "hello " * 30], normalize=False).results
    assert [len(short["embeddings"]), len(long["embeddings"])] == [3, 32]
    short, long = connect("ner").predict(["Paris", "Paris " * 30]).results
    assert [len(short["tokens"]), len(long["tokens"])] == [1, 30]


def test_a_sentence_embedding_is_one_vector(connect: Connect) -> None:
    one, other = connect("embed").predict(["hello", "hello world, how are you?"]).results
    assert set(one) == set(other) == {"embedding"}
    assert len(one["embedding"]) == len(other["embedding"])


@pytest.mark.proves(
    "ENC POST /predict, sequence_classification",
    "`scores` are their softmax and sum to 1",
    here="A model of one logit, or of several labels at once, has sigmoids instead.",
)
@pytest.mark.proves(
    "ENC POST /predict, sequence_classification",
    "`predicted_index` is the class with the highest score",
    "`predicted_label` is its label",
    "The curl example and the form of its answer",
)
def test_a_classified_text_names_its_label_and_scores_that_sum_to_one(connect: Connect) -> None:
    praise, blame = connect("sentiment").predict(["What a wonderful film!", "What a terrible film!"]).results
    assert (praise["predicted_label"], blame["predicted_label"]) == ("POSITIVE", "NEGATIVE")
    for result in (praise, blame):
        assert set(result) == {"logits", "scores", "predicted_index", "predicted_label"}
        assert sum(result["scores"]) == pytest.approx(1, abs=1e-6)
        assert result["predicted_index"] == result["scores"].index(max(result["scores"]))
        assert result["scores"] == pytest.approx(softmax(result["logits"]), abs=1e-6)


@pytest.mark.proves(
    "ENC POST /predict, token_classification",
    "`tokens`: one per token",
    "`scores` are their softmax and sum to 1",
    "`label` is the predicted label",
    "`score` is the predicted label's",
    "The curl example and the form of its answer",
)
def test_a_classified_token_has_the_score_of_its_label_and_special_tokens_are_left_out(connect: Connect) -> None:
    (result,) = connect("ner").predict(["Anna lives in Paris"]).results
    assert [each["token_info"]["token"] for each in result["tokens"]] == ["Anna", "lives", "in", "Paris"]
    assert [each["label"] for each in result["tokens"]] == ["B-PER", "O", "O", "B-LOC"]
    for token in result["tokens"]:
        assert set(token) == {"token_info", "logits", "scores", "label", "score"}
        assert token["score"] == max(token["scores"])
        assert token["scores"] == pytest.approx(softmax(token["logits"]), abs=1e-6)


@pytest.mark.proves("ENC POST /predict, embedding", "`normalize`: required, whether vectors get unit L2 norm")
def test_normalize_true_gives_each_token_unit_length_and_false_leaves_it(connect: Connect) -> None:
    client = connect("embed-tokens")
    raw, unit = (client.predict(["hello world"], normalize=flag).results[0]["embeddings"] for flag in (False, True))
    for before, after in zip(raw, unit, strict=True):
        length = math.hypot(*before["embedding"])
        assert abs(length - 1) > 0.01
        assert after["embedding"] == pytest.approx([each / length for each in before["embedding"]], abs=1e-6)


@pytest.mark.parametrize(("name", "own_way"), [("embed", True), ("bert-embed-sentences", False)])
def test_normalize_of_sentences_is_the_models_own_way_unless_said(name: str, own_way: bool, connect: Connect) -> None:
    client = connect(name)

    def vector(normalize: bool | None) -> list[float]:
        embedding: list[float] = client.predict(["hello world"], normalize=normalize).results[0]["embedding"]
        return embedding

    raw, unit = vector(False), vector(True)
    assert math.hypot(*unit) == pytest.approx(1, abs=1e-6)
    assert abs(math.hypot(*raw) - 1) > 0.01
    assert vector(None) == (unit if own_way else raw)


@pytest.mark.proves("ENC POST /predict", "`model_id` is in the answer")
@pytest.mark.parametrize("name", ["sentiment", "embed"])
def test_the_model_id_is_the_models_name(name: str, connect: Connect) -> None:
    assert connect(name).predict(["hello"]).body["model_id"] == FOLDERS[name][0].name


def softmax(logits: list[float]) -> list[float]:
    powers = [math.exp(each - max(logits)) for each in logits]
    return [each / sum(powers) for each in powers]
