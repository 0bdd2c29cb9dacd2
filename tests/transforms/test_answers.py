"""What becomes of an answer when a script has the last word, on every road from the graph's output."""

import asyncio
from typing import Any

import numpy as np
import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig
from encoderfile.errors import InternalError, TransformError
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from encoderfile.transforms.transform import Transform
from encoderfile.types import PredictRequest
from support.models import DEMO, MODELS, open_model
from support.scripts_in_lua import IDENTITY, POOLED, SOFTMAX, SOFTMAX_OF_TOKENS, UNIT_TOKENS, postprocess
from support.serving import started

TEXTS = ["I love it", "The quick brown fox jumps over the lazy dog.", "a", "Zürich"]
FOLDERS = {
    "embedding": MODELS / "bert-embed",
    "sentence_embedding": DEMO["embed"],
    "sequence_classification": DEMO["sentiment"],
    "token_classification": DEMO["ner"],
}


def opened(model_type: str, script: str, later: str | None = None) -> Model:
    """A model with `script`, or one that was built with `script` and has `later` in its place."""
    found = check(BuildConfig(path=FOLDERS[model_type], model_type=model_type, transform=script))
    session = Session(*found.graph.in_place(), device=Device("cpu", "tests"), threads=1)
    tokenizer = Tokenizer(found.folder.files["tokenizer.json"], found.manifest.tokenizer)
    transform = found.transform
    if later is not None and transform is not None:
        transform = Transform(later, transform.libraries, transform.axes)
    return Model(found.manifest, tokenizer, session, tensors=found.tensors, transform=transform)


def answers(model: Model, texts: list[str] = TEXTS) -> list[Any]:
    return model.run(model.encode(texts))


def plain(model_type: str) -> list[Any]:
    return answers(open_model(FOLDERS[model_type], model_type))


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def softmax(array: Any) -> Any:
    powers = np.exp(array - array.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def unit(array: Any) -> Any:
    return array / np.linalg.norm(array, axis=-1, keepdims=True)


def test_vectors_of_tokens_are_what_the_script_gives() -> None:
    for found, before in zip(answers(opened("embedding", UNIT_TOKENS)), plain("embedding"), strict=True):
        close(found.embeddings, unit(before.embeddings))
        assert found.tokens == before.tokens


def test_vectors_of_texts_are_what_the_script_gives() -> None:
    for found, before in zip(answers(opened("sentence_embedding", POOLED)), plain("sentence_embedding"), strict=True):
        close(found.embedding, unit(before.embedding))


def test_logits_and_scores_are_both_what_the_script_gives() -> None:
    found = answers(opened("sequence_classification", SOFTMAX))
    for each, before in zip(found, plain("sequence_classification"), strict=True):
        close(each.logits, softmax(before.logits))
        close(each.scores, softmax(before.logits))
        assert each.predicted_label == before.predicted_label


def test_no_softmax_follows_a_script_that_makes_none() -> None:
    found = answers(opened("sequence_classification", postprocess("return t * -1")))
    for each, before in zip(found, plain("sequence_classification"), strict=True):
        close(each.scores, -before.logits)
        assert each.predicted_index == before.logits.argmin()


def test_labels_of_tokens_are_chosen_by_what_the_script_gives() -> None:
    found = answers(opened("token_classification", SOFTMAX_OF_TOKENS))
    for each, before in zip(found, plain("token_classification"), strict=True):
        close(each.logits, before.scores)
        close(each.scores, before.scores)
        close(each.score, before.score)
        assert each.labels == before.labels


def test_entities_have_the_scores_that_the_script_gives() -> None:
    model, text = opened("token_classification", SOFTMAX_OF_TOKENS), "John lives in Paris"
    other = open_model(FOLDERS["token_classification"])
    (found,), (before,) = answers(model, [text]), answers(other, [text])
    words = model.inputs.words
    (entities,) = (model.task.extract(found, text, "simple", words),)
    expected = other.task.extract(before, text, "simple", words)
    assert [each.entity_group for each in entities.entities] == [each.entity_group for each in expected.entities]
    close([each.score for each in entities.entities], [each.score for each in expected.entities])


def test_a_text_alone_has_the_answer_that_it_has_in_a_batch() -> None:
    for model_type, script in (("embedding", UNIT_TOKENS), ("sentence_embedding", POOLED)):
        model = opened(model_type, script)
        together = answers(model)
        for text, found in zip(TEXTS, together, strict=True):
            (alone,) = answers(model, [text])
            name = "embeddings" if model_type == "embedding" else "embedding"
            close(getattr(alone, name), getattr(found, name))


def of_largest(model_type: str = "sequence_classification") -> tuple[float, list[str], list[str]]:
    """A number that the logits of some texts exceed, the texts whose do not, and those whose do."""
    logits = {text: float(each.logits.max()) for text, each in zip(TEXTS, plain(model_type), strict=True)}
    limit = sorted(logits.values())[-2] + 0.01
    good = [text for text in TEXTS if logits[text] <= limit]
    return limit, good, [text for text in TEXTS if text not in good]


def failing_above(limit: float) -> Model:
    body = f"return t:map_axis(1, function(row) if row:max() > {limit} then error('secret') end return row end)"
    return opened("sequence_classification", IDENTITY, postprocess(body))


def test_a_script_that_fails_says_so_without_its_own_words() -> None:
    limit, _, bad = of_largest()
    with pytest.raises(TransformError) as failed:
        answers(failing_above(limit), bad)
    assert str(failed.value) == "Internal error: the transform failed"
    assert failed.value.reason == "transform:1: secret"


def test_a_script_that_fails_on_one_text_does_not_hurt_the_others() -> None:
    limit, good, bad = of_largest()

    async def ask() -> list[Any]:
        async with started(Service(failing_above(limit), Limits())) as service:
            requests = [service.predict(PredictRequest([text])) for text in [*good, *bad]]
            return await asyncio.gather(*requests, return_exceptions=True)

    found = asyncio.run(ask())
    assert [str(each) for each in found if isinstance(each, Exception)] == ["Internal error: the transform failed"]
    assert isinstance(found[-1], InternalError)


def test_numbers_that_are_none_fail_for_their_text_alone() -> None:
    limit, _, bad = of_largest()
    body = f"return t:map_axis(1, function(row) return row:max() > {limit} and row * 0 / 0 or row end)"
    found = answers(opened("sequence_classification", IDENTITY, postprocess(body)))
    assert [isinstance(each, InternalError) for each in found] == [text in bad for text in TEXTS]
