"""`include_prompt: false`: the tokens of a prompt are read and not pooled, on every way in."""

import json
from typing import Any

import numpy as np
import pytest

from encoderfile.errors import Kind
from encoderfile.manifest import PoolingSpec
from encoderfile.model.model import Model
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.pooling import POOLING
from support.dialects import Sie, renamed, sie_servers
from support.models import MODELS, open_model
from support.servers import Connect

PROMPT = "Represent this sentence: "
TEXTS = ["What a wonderful day in Paris!", "no"]


def model(name: str = "bert-embed", model_type: str = "sentence_embedding", **manifest: Any) -> Any:
    return renamed(open_model(MODELS / name, model_type), include_prompt=False, **manifest)


def by_hand(prompt: str, mode: str = "mean", name: str = "bert-embed") -> list[Any]:
    """The rule of sentence-transformers: as many tokens as the prompt has alone, but for its last special one."""
    plain = open_model(MODELS / name)
    left_out = len(plain.encode([prompt])[0]) - 1
    results: Any = plain.run(plain.encode([prompt + text for text in TEXTS]))
    rows = [each.embeddings[left_out:] for each in results]
    if mode == "weightedmean":
        weights = [np.arange(left_out + 1, left_out + 1 + len(each))[:, None] for each in rows]
        return [(each * w).sum(axis=0) / w.sum() for each, w in zip(rows, weights, strict=True)]
    return [POOLING[mode](each[None], np.ones((1, len(each)), dtype=np.float32))[0] for each in rows]


@pytest.mark.parametrize("mode", POOLING)
def test_every_mode_pools_what_follows_the_prompt(mode: str, connect: Connect) -> None:
    client = connect(model(pooling=PoolingSpec((mode,))))
    found = [each["embedding"] for each in client.predict(TEXTS, prompt=PROMPT).results]
    np.testing.assert_allclose(found, by_hand(PROMPT, mode), atol=1e-5)


def test_a_prompt_by_name_or_by_default_is_left_out_too(connect: Connect) -> None:
    client = connect(model(prompts={"q": PROMPT}, default_prompt_name="q"))
    for asked in ({}, {"prompt_name": "q"}):
        found = [each["embedding"] for each in client.predict(TEXTS, **asked).results]
        np.testing.assert_allclose(found, by_hand(PROMPT), atol=1e-5)


def test_without_a_prompt_every_token_is_pooled(connect: Connect) -> None:
    found = [each["embedding"] for each in connect(model()).predict(TEXTS).results]
    np.testing.assert_allclose(found, [row["embedding"] for row in plain(connect)], atol=1e-6)


def plain(connect: Connect) -> list[dict[str, Any]]:
    return connect("bert-embed-sentences").predict(TEXTS).results


def test_a_truncated_text_pools_what_is_left_behind_its_prompt(connect: Connect) -> None:
    client = connect(model())
    limit = open_model(MODELS / "bert-embed").manifest.tokenizer.max_length
    answer = client.predict(TEXTS, prompt="word " * limit)
    assert answer.truncated == len(TEXTS)
    # The prompt fills the limit: what is left is the special token at the end.
    assert len({tuple(each["embedding"]) for each in answer.results}) == 1


@pytest.fixture
def sie(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with sie_servers(tmp_path_factory.mktemp("sie")) as found:
        yield found


@pytest.mark.parametrize("model_type", ["embedding", "sentence_embedding"])
def test_the_other_dialects_leave_it_out_too(model_type: str, sie: Any) -> None:
    client: Sie = sie.serve(model(model_type=model_type, prompts={"query": PROMPT}))
    wanted = by_hand(PROMPT)
    for params in ({"is_query": True}, {"instruction": PROMPT.rstrip()}):
        np.testing.assert_allclose(
            client.vectors("dense", *TEXTS, options={"normalize": False}, **params), wanted, atol=1e-5
        )
    body = {"model": client.id, "input": TEXTS, "prompt_name": "query"}
    data = client.post("/v1/embeddings", body, {}).json()["data"]
    np.testing.assert_allclose([each["embedding"] for each in data], wanted, atol=1e-5)


def test_token_vectors_of_a_prompt_are_in_the_answer(connect: Connect) -> None:
    client = connect(model(model_type="embedding"))
    (behind,) = client.predict(["hello"], normalize=False, prompt="hello ").results
    (alone,) = client.predict(["hello hello"], normalize=False).results
    assert [each["embedding"] for each in behind["embeddings"]] == [each["embedding"] for each in alone["embeddings"]]


def test_a_text_with_nothing_behind_its_prompt_is_refused(connect: Connect) -> None:
    spoken = json.loads((MODELS / "bert-embed" / "tokenizer.json").read_text(encoding="utf-8"))
    spoken["post_processor"] = None  # so that no special token stands at the end
    known = model()
    words = Tokenizer(json.dumps(spoken).encode(), known.manifest.tokenizer)
    client = connect(Model(known.manifest, words, known.session))
    assert client.refusal(["fine", " "], prompt="hello") == client.says(
        Kind.INVALID_ARGUMENT,
        "Invalid input: inputs[1] has no tokens behind its prompt, which this model does not pool",
    )
