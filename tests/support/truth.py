"""The entries of expected.json as cases, and models that cut where an entry was cut."""

import dataclasses
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoderfile.builder.config import TokenizerOptions
from encoderfile.builder.folder import ModelFolder, open_folder
from encoderfile.builder.tokenizer_spec import tokenizer_spec
from encoderfile.manifest import Manifest, PoolingSpec
from encoderfile.model.device import Device
from encoderfile.model.model import Model
from encoderfile.model.session import Session
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.tasks.results import Result
from encoderfile.types import EncodedText, Text
from support.models import checked, expected, folders_with_truth

Entry = dict[str, Any]

REFERENCE = 1e-4
"""Largest difference from PyTorch's numbers, absolute; relative where a number is above 1."""
COMPANY = 1e-4
"""The same between a text alone and in a batch."""

TYPES = {
    "feature-extraction": ("embedding", "sentence_embedding"),
    "text-classification": ("sequence_classification",),
    "token-classification": ("token_classification",),
    "fill-mask": (),
}
"""The model types that each kind of export can be served as."""


def folders(model_type: str) -> dict[str, Path]:
    """The folders that can be served as `model_type`."""
    found = folders_with_truth()
    return {name: folder for name, folder in found.items() if model_type in TYPES[expected(folder)["task"]]}


def entries(folder: Path) -> list[Entry]:
    """The reference answers, one per text."""
    found: list[Entry] = expected(folder)["inputs"]
    return found


def text_of(entry: Entry) -> Text:
    """What was given to the model."""
    return entry["text"] if entry["text_pair"] is None else (entry["text"], entry["text_pair"])


@cache
def opened(folder: Path) -> ModelFolder:
    """The folder as the builder reads it."""
    return open_folder(folder)


@cache
def tokenizer(folder: Path, max_length: int | None = None) -> Tokenizer:
    """The builder's tokenizer for a folder; `max_length` replaces the limit, also by a larger one."""
    found = opened(folder)
    spec = tokenizer_spec(found, TokenizerOptions(), None)
    return Tokenizer(
        found.files["tokenizer.json"], dataclasses.replace(spec, max_length=max_length or spec.max_length)
    )


@cache
def _session(folder: Path) -> Session:
    graph = checked(folder, TYPES[expected(folder)["task"]][0]).graph
    return Session(*graph.in_place(), device=Device("cpu", "tests"), threads=2)


class Truth:
    """One export served as one model type, with answers alone and in company.

    `pooling` replaces the model's own, also where the graph would pool by itself.
    """

    def __init__(self, folder: Path, model_type: str, pooling: PoolingSpec | None = None) -> None:
        self.folder = folder
        self.entries = entries(folder)
        manifest = checked(folder, model_type).manifest
        if pooling is not None:
            token_vectors = checked(folder, "embedding").manifest.graph
            manifest = dataclasses.replace(manifest, graph=token_vectors, pooling=pooling)
        self.manifest: Manifest = manifest
        self.model = Model(manifest, tokenizer(folder), _session(folder))

    def encode(self, entry: Entry) -> EncodedText:
        """The text, cut where the reference was cut."""
        cut = tokenizer(self.folder, entry["max_length"])
        return Model(self.manifest, cut, _session(self.folder)).encode([text_of(entry)])[0]

    @cached_property
    def alone(self) -> list[Result]:
        """One answer per entry, each from a run of its own."""
        return [self._good(result) for entry in self.entries for result in self.model.run([self.encode(entry)])]

    @cached_property
    def together(self) -> list[Result]:
        """One answer per entry, all from one run."""
        return [self._good(result) for result in self.model.run([self.encode(entry) for entry in self.entries])]

    def _good(self, result: object) -> Any:
        assert not isinstance(result, Exception), result
        return result


@cache
def truth(folder: Path, model_type: str) -> Truth:
    """A folder served as a model type."""
    return Truth(folder, model_type)


def close(found: npt.ArrayLike, wanted: npt.ArrayLike, tolerance: float, what: str) -> None:
    """Asserts that two arrays have one shape and differ by no more than `tolerance`."""
    np.testing.assert_allclose(
        np.asarray(found, dtype=np.float64), np.asarray(wanted), rtol=tolerance, atol=tolerance, err_msg=what
    )
