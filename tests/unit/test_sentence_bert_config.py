"""What sentence_bert_config.json says of calls is done, or refused: never left out in silence."""

from pathlib import Path
from typing import Any

import pytest

from encoderfile.errors import ModelError
from support.graphs import copy, edit_json
from support.models import checked
from support.refusals import one_sentence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy("mpnet-embed", tmp_path / "model")


TEXTS = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}


@pytest.mark.parametrize("modality", ["text", "common"])
def test_the_length_of_each_call_counts_before_all_others(modality: str, folder: Path) -> None:
    edit_json(folder, "sentence_bert_config.json", processing_kwargs={modality: {"max_length": 21}})
    assert checked(folder).manifest.tokenizer.max_length == 21


def test_what_changes_no_number_is_taken(folder: Path) -> None:
    usual = {"padding": "max_length", "truncation": True, "add_special_tokens": True, "pad_to_multiple_of": 8}
    more = {"processing_kwargs": {"text": usual, "chat_template": {"x": 1}}, "modality_config": TEXTS}
    edit_json(folder, "sentence_bert_config.json", module_output_name="token_embeddings", unpad_inputs=None, **more)
    assert checked(folder).manifest.tokenizer.max_length == 64


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"processing_kwargs": {"text": {"add_special_tokens": False}}}, "with add_special_tokens=False"),
        ({"processing_kwargs": {"common": {"truncation": False}}}, "with truncation=False"),
        ({"processing_kwargs": {"text": {"split_special_tokens": True}}}, "with split_special_tokens=True"),
        ({"modality_config": {**TEXTS, "message": TEXTS["text"]}}, "reads texts as chat messages"),
        ({"module_output_name": "sentence_embedding", "modality_config": TEXTS}, "takes one vector per text"),
    ],
    ids=["special tokens", "truncation", "unknown", "chat", "pooled"],
)
def test_settings_that_are_not_supported_are_refused(section: dict[str, Any], words: str, folder: Path) -> None:
    edit_json(folder, "sentence_bert_config.json", **section)
    with pytest.raises(ModelError) as refused:
        checked(folder)
    assert words in one_sentence(refused.value)
