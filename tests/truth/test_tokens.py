"""The tokenizer against transformers' own, text by text."""

from pathlib import Path

import pytest

from support.models import expected, folders_with_truth
from support.truth import Entry, entries, text_of, tokenizer

FOLDERS = folders_with_truth()
CASES = [
    pytest.param(folder, entry, id=f"{name}-{entry['id']}")
    for name, folder in FOLDERS.items()
    for entry in entries(folder)
]


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_the_limit_is_the_one_the_reference_used(folder: Path) -> None:
    assert tokenizer(folder).spec.max_length == expected(folder)["max_length"]


@pytest.mark.proves(
    "ENC POST /predict",
    "`token` is the token's text, `token_id` its place in the vocabulary",
    "`start` and `end` are character offsets",
)
@pytest.mark.parametrize(("folder", "entry"), CASES)
def test_a_text_becomes_the_tokens_of_the_reference(folder: Path, entry: Entry) -> None:
    (text,) = tokenizer(folder, entry["max_length"])([text_of(entry)], with_tokens=True)
    assert text.input_ids.tolist() == entry["input_ids"]
    assert text.token_type_ids.tolist() == entry["token_type_ids"]
    assert text.special_tokens_mask.tolist() == entry["special_tokens_mask"]
    assert [token.token for token in text.tokens] == entry["tokens"]
    assert [token.token_id for token in text.tokens] == entry["input_ids"]
    assert [[token.start, token.end] for token in text.tokens] == entry["offsets"]
    assert text.truncated == entry["truncated"]
    assert len(text) == min(entry["tokens_full"], entry["max_length"])


@pytest.mark.parametrize(("folder", "entry"), CASES)
def test_the_fast_way_without_offsets_gives_the_same_ids(folder: Path, entry: Entry) -> None:
    (text,) = tokenizer(folder, entry["max_length"])([text_of(entry)], with_tokens=False)
    assert text.input_ids.tolist() == entry["input_ids"]
    assert text.token_type_ids.tolist() == entry["token_type_ids"]
    assert text.special_tokens_mask.tolist() == entry["special_tokens_mask"]
    assert text.truncated == entry["truncated"]
    assert text.tokens == ()


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_texts_tokenised_together_stay_apart(folder: Path) -> None:
    limit = expected(folder)["max_length"]
    chosen = [entry for entry in entries(folder) if entry["max_length"] == limit]
    texts = tokenizer(folder)([text_of(entry) for entry in chosen], with_tokens=True)
    assert [text.input_ids.tolist() for text in texts] == [entry["input_ids"] for entry in chosen]
