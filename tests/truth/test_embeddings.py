"""Token and sentence vectors against PyTorch's, alone and in one batch with all the others."""

from pathlib import Path

import numpy as np
import pytest

from encoderfile.manifest import PoolingSpec
from encoderfile.tasks.embedding import TokenEmbeddings
from encoderfile.tasks.sentence_embedding import SentenceEmbedding
from support.models import expected
from support.truth import COMPANY, REFERENCE, Truth, close, folders, truth

FOLDERS = folders("embedding")
each_folder = pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)


@pytest.mark.proves("ENC POST /predict, embedding", "`embedding` is the token's vector")
@each_folder
def test_token_vectors_are_those_of_the_reference(folder: Path) -> None:
    served = truth(folder, "embedding")
    for entry, result in zip(served.entries, served.alone, strict=True):
        assert isinstance(result, TokenEmbeddings)
        assert [token.token for token in result.tokens] == entry["tokens"]
        assert [[token.start, token.end] for token in result.tokens] == entry["offsets"]
        close(result.embeddings[:, :8], entry["token_first8"], REFERENCE, entry["id"])
        close(np.linalg.norm(result.embeddings, axis=1), entry["token_norm"], REFERENCE, entry["id"])


@pytest.mark.proves("ENC POST /predict, embedding", "`normalize`: required, whether vectors get unit L2 norm")
@each_folder
def test_normalised_token_vectors_keep_their_direction(folder: Path) -> None:
    served = truth(folder, "embedding")
    for entry, result in zip(served.entries, served.alone, strict=True):
        unit = served.model.task.with_options(result, {"normalize": True})
        wanted = np.asarray(entry["token_first8"]) / np.asarray(entry["token_norm"])[:, None]
        close(unit.embeddings[:, :8], wanted, REFERENCE, entry["id"])


@each_folder
def test_a_token_vector_in_a_batch_is_the_same_as_alone(folder: Path) -> None:
    served = truth(folder, "embedding")
    for entry, alone, together in zip(served.entries, served.alone, served.together, strict=True):
        assert together.tokens == alone.tokens
        close(together.embeddings, alone.embeddings, COMPANY, entry["id"])


@each_folder
def test_a_sentence_vector_is_that_of_the_reference(folder: Path) -> None:
    served = truth(folder, "sentence_embedding")
    for entry, result in zip(served.entries, served.alone, strict=True):
        assert isinstance(result, SentenceEmbedding)
        unit = served.model.task.with_options(result, {"normalize": True})
        close(unit.embedding, entry["sentence"], REFERENCE, entry["id"])


@each_folder
def test_a_sentence_vector_in_a_batch_is_the_same_as_alone(folder: Path) -> None:
    served = truth(folder, "sentence_embedding")
    for entry, alone, together in zip(served.entries, served.alone, served.together, strict=True):
        close(together.embedding, alone.embedding, COMPANY, entry["id"])


@each_folder
def test_unless_asked_a_sentence_vector_is_normalised_as_the_model_says(folder: Path) -> None:
    served = truth(folder, "sentence_embedding")
    normalises = expected(folder).get("normalize", False)
    for entry, result in zip(served.entries, served.alone, strict=True):
        own = served.model.task.with_options(result, {})
        close(np.linalg.norm(own.embedding), 1.0 if normalises else entry["mean_norm"], REFERENCE, entry["id"])


@pytest.mark.parametrize(("mode", "field"), [("mean", "sentence"), ("cls", "sentence_cls")])
@each_folder
def test_pooling_outside_the_graph_gives_the_reference(folder: Path, mode: str, field: str) -> None:
    served = Truth(folder, "sentence_embedding", PoolingSpec(modes=(mode,), normalize=True))
    for entry, result in zip(served.entries, served.together, strict=True):
        close(served.model.task.with_options(result, {}).embedding, entry[field], REFERENCE, entry["id"])
