"""What config_sentence_transformers.json says of prompts, read as sentence-transformers reads it."""

from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.sentence_config import poolable, prompt_facts
from encoderfile.errors import ModelError
from support.graphs import copy, edit_json
from support.models import checked
from support.synthetic import folder, output

HIDDEN, POOLED = output("last_hidden_state", None, None, 8), output("sentence_embedding", None, 8)
SENTENCES = "sentence_embedding"


def found(section: dict[str, Any], model_type: str = SENTENCES, **more: Any) -> dict[str, Any]:
    return prompt_facts(folder(sentence_transformers=section, **more), model_type, HIDDEN)


@pytest.mark.parametrize(
    ("named", "prompts"),
    [
        (None, {}),
        ({}, {}),
        ({"query": "Q: ", "passage": "P: "}, {"query": "Q: ", "passage": "P: "}),
        ({"clustering": "C: ", "document": ""}, {"clustering": "C: ", "document": ""}),
        ({"query": None}, {"query": ""}),
    ],
)
def test_every_named_prompt_is_kept(named: Any, prompts: dict[str, str]) -> None:
    assert found({"prompts": named}) == {
        "prompts": prompts,
        "default_prompt_name": None,
        "include_prompt": True,
    }


@pytest.mark.parametrize("named", [["query"], {"query": 7}, {"query": ["Q: "]}, "query: "])
def test_prompts_that_are_not_strings_are_refused(named: Any) -> None:
    with pytest.raises(ModelError, match=r"config_sentence_transformers\.json"):
        found({"prompts": named})


def test_the_default_is_one_of_the_prompts() -> None:
    assert found({"prompts": {"q": "Q: "}, "default_prompt_name": "q"})["default_prompt_name"] == "q"
    # The library knows these two without any file.
    assert found({"default_prompt_name": "document"})["default_prompt_name"] == "document"
    for wrong in ("passage", "", 7):
        with pytest.raises(ModelError, match="default_prompt_name"):
            found({"prompts": {"q": "Q: "}, "default_prompt_name": wrong})


def test_a_classifier_has_prompts_only_where_it_is_a_cross_encoder() -> None:
    section = {"prompts": {"q": "Q: "}, "default_prompt_name": "q"}
    assert found(section, "sequence_classification") == {}
    section["model_type"] = "CrossEncoder"
    assert found(section, "sequence_classification")["default_prompt_name"] == "q"


def test_a_prompt_is_left_out_of_pooling_where_the_pooling_says_so() -> None:
    assert found({}, pooling={"include_prompt": False})["include_prompt"] is False
    assert found({}, pooling={"include_prompt": True})["include_prompt"] is True


def test_a_prompt_cannot_be_left_out_of_vectors_that_the_graph_has_pooled() -> None:
    parts = folder(pooling={"include_prompt": False})
    assert poolable(parts, [POOLED, HIDDEN]) == [HIDDEN]
    assert poolable(parts, [POOLED]) == [POOLED]
    assert poolable(folder(), [POOLED, HIDDEN]) == [POOLED, HIDDEN]
    with pytest.raises(ModelError, match="include_prompt is false"):
        prompt_facts(parts, SENTENCES, POOLED)


def test_prompts_of_a_real_folder_reach_the_manifest(tmp_path: Path) -> None:
    path = copy("mpnet-embed", tmp_path / "model")
    edit_json(path, "config_sentence_transformers.json", prompts={"q": "Q: "}, default_prompt_name="q")
    manifest = checked(path).manifest
    assert (manifest.prompts, manifest.default_prompt_name) == ({"q": "Q: "}, "q")
    assert ("prompts", "q; q unless a request names another") in checked(path).rows()
