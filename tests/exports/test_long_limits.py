"""Limits too long to be tried whole at build."""

from pathlib import Path

import pytest

from encoderfile.builder.trial_runs import LONGEST_TRIAL
from encoderfile.errors import ModelError
from support import graphs
from support.models import MODELS, checked


def test_a_limit_too_long_to_be_tried_is_named_with_its_memory() -> None:
    found = checked(MODELS / "deberta-v2-cls", None, 8000)
    assert dict(found.rows())["note"] == (
        f"tried with up to {LONGEST_TRIAL} of 8000 tokens; attention over a text of that length takes up to 1.3 GB, "
        "--max-length lowers it"
    )


def test_a_limit_that_can_be_tried_needs_no_word() -> None:
    assert "note" not in dict(checked(MODELS / "deberta-v2-cls").rows())


def test_a_table_of_positions_shorter_than_a_very_long_limit_is_found(tmp_path: Path) -> None:
    folder = graphs.copy("bert-cls", tmp_path / "model")
    graphs.edit_json(folder, "config.json", max_position_embeddings=9000)
    graphs.edit_json(folder, "tokenizer_config.json", model_max_length=9000)
    assert checked(folder).manifest.tokenizer.max_length == 64


def test_one_that_hides_is_found_by_a_text(tmp_path: Path) -> None:
    folder = graphs.copy("bert-cls", tmp_path / "model")
    graphs.edit_json(folder, "config.json", max_position_embeddings=9000)
    graphs.edit_json(folder, "tokenizer_config.json", model_max_length=9000)
    graphs.replace_bytes(folder, b"position_embeddings", b"an_unknown_table___")
    with pytest.raises(ModelError, match=f"fails on a text of {LONGEST_TRIAL} tokens"):
        checked(folder)
