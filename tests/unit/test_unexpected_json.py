"""A JSON file with a value of the wrong kind is a sentence, whichever value it is."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig
from encoderfile.errors import ModelError
from support.models import DEMO
from support.refusals import one_sentence


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("tokenizer_config.json", {"model_input_names": 7}),
        ("tokenizer_config.json", {"pad_token_type_id": "a"}),
        ("tokenizer_config.json", {"tokenizer_class": 7}),
        ("tokenizer_config.json", {"tokenizer_class": ["BertTokenizer"]}),
        ("tokenizer_config.json", {"added_tokens_decoder": [1]}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"x": {"content": "a"}}}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"1": {}}}),
        ("tokenizer_config.json", {"additional_special_tokens": 7}),
        ("tokenizer_config.json", {"extra_special_tokens": 7}),
        ("tokenizer_config.json", {"tokenizer_class": "T5Tokenizer", "extra_ids": "many"}),
        ("sentence_bert_config.json", {"tokenizer_args": 7}),
        ("tokenizer.json", {"added_tokens": [{}]}),
        ("tokenizer.json", {"normalizer": 7}),
        ("tokenizer.json", {"truncation": 7}),
        ("1_Pooling/config.json", {"pooling_mode": 3}),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_sentence(name: str, changes: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DEMO["embed"], folder)
    body = json.loads((folder / name).read_text()) if (folder / name).exists() else {}
    (folder / name).write_text(json.dumps({**body, **changes}))
    with pytest.raises(ModelError) as refusal:
        check(BuildConfig(path=folder))
    one_sentence(str(refusal.value))
