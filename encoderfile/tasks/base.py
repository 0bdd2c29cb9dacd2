"""What a model type is: what it asks of a graph, and how the graph's output becomes results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from encoderfile.errors import InputError, InternalError, ModelError
from encoderfile.manifest import Manifest
from encoderfile.types import EncodedText, FloatArray, ModelType, Result

R = TypeVar("R", bound=Result)

JsonSchema = dict[str, Any]


class Task(ABC, Generic[R]):
    """One model type. Stateless after creation, shared by all threads."""

    model_type: ClassVar[ModelType]
    needs_tokens: ClassVar[bool]
    """Whether results carry tokens and offsets (they cost time in the tokenizer)."""
    normalize_is_required: ClassVar[bool] = False
    """Whether a request must say `normalize`."""
    takes_normalize: ClassVar[bool] = False
    """Whether a request may say `normalize`."""
    takes_prompt: ClassVar[bool] = False
    """Whether a request may say what prompt is put before its texts."""
    takes_pairs: ClassVar[bool] = False
    """Whether an input may be a pair of texts."""
    summary: ClassVar[str]
    """What the MCP tool says of itself, in the words of the API page."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @classmethod
    @abstractmethod
    def expected_output(cls) -> str:
        """The output this task needs, in words: name and shape."""

    @abstractmethod
    def postprocess(self, output: FloatArray, batch: Sequence[EncodedText], mask: FloatArray) -> list[R]:
        """Results of one batch, in order.

        `output` is float32 as the graph gave it, [batch, tokens, width] or [batch, width]; `mask` is
        float32 [batch, tokens], 1 where a token is real. Rows are copied: the batch's memory is not kept.
        """

    def values(self, text: EncodedText) -> int:
        """How many numbers the result of `text` holds; 0 in files of builders that did not write the width."""
        return self.manifest.width

    def check_purpose(self, purpose: str) -> None:
        """Raises `InputError` for texts of a purpose (`query`, `document`) that this file cannot answer."""
        if purpose in self.manifest.other_routes:
            raise InputError(
                f"this file has no vectors for texts of the purpose {purpose}: they take another part of the model, "
                "which is not in its graph"
            )

    def normalized(self, result: R, normalize: bool | None) -> R:
        """The result with vectors of unit L2 norm where asked (None: the model's own way)."""
        return result

    @property
    def dims(self) -> Mapping[str, int]:
        """What kinds of vectors the results give, with their size: `dense`, `multivector`, `sparse`."""
        return {}

    def vectors(self, kind: str, results: Sequence[R], normalize: bool | None) -> Iterator[FloatArray]:
        """One array per result, made on the way: `dense` and `sparse` [size], `multivector` [tokens, size].

        `results` are as `postprocess` made them; `normalize` None means the model's own way. `kind` is one of `dims`.
        """
        raise InternalError(f"a {self.model_type.value} model gives no vectors")

    @abstractmethod
    def to_json(self, result: R) -> dict[str, Any]:
        """The HTTP form of one result; arrays stay arrays, for a serialiser that prints float32 shortest."""

    @classmethod
    @abstractmethod
    def result_schema(cls) -> JsonSchema:
        """JSON Schema of `to_json`."""

    def request_schema(self) -> JsonSchema:
        """JSON Schema of the body of `POST /predict`."""
        text = {"type": "string", "minLength": 1}
        properties: JsonSchema = {
            "inputs": {
                "type": "array",
                "items": {"anyOf": [text, _pair_schema(text)]} if self.takes_pairs else text,
                "minItems": 1,
                "description": "Texts, one result each."
                + (" A pair of texts that is read as one is an object." if self.takes_pairs else ""),
            },
            "metadata": {
                "type": ["object", "null"],
                "additionalProperties": {"type": "string"},
                "description": "Returned as it is with the answer.",
            },
        }
        required = ["inputs"]
        if self.takes_normalize:
            properties["normalize"] = {
                "type": "boolean" if self.normalize_is_required else ["boolean", "null"],
                "description": "Whether each vector is divided by its L2 norm."
                + ("" if self.normalize_is_required else " Left out: as the model's own files say."),
            }
            if self.normalize_is_required:
                required.append("normalize")
        if self.takes_prompt:
            properties |= prompt_schemas(self.manifest)
        return {"type": "object", "properties": properties, "required": required}

    @classmethod
    def response_schema(cls) -> JsonSchema:
        """JSON Schema of the answer to `POST /predict`."""
        return {
            "type": "object",
            "properties": {
                "results": {
                    "type": "array",
                    "items": cls.result_schema(),
                    "description": "One per input, in order.",
                },
                "model_id": {"type": "string"},
                "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["results", "model_id"],
        }


def prompt_schemas(manifest: Manifest) -> JsonSchema:
    """JSON Schemas of the fields that choose what is put before the texts of a request."""
    default = manifest.default_prompt_name
    schemas: JsonSchema = {
        "prompt": {
            "type": ["string", "null"],
            "description": "A text that is put before each input; empty for none.",
        }
    }
    if manifest.prompts:
        schemas["prompt_name"] = {
            "type": ["string", "null"],
            "enum": [*manifest.prompts, None],
            "description": "Or one of the model's own prompts. Left out: "
            + (f"{default}." if default else "none.")
            + " "
            + "; ".join(f"{name} is {prompt!r}" for name, prompt in manifest.prompts.items()),
        }
    return schemas


def _pair_schema(text: JsonSchema) -> JsonSchema:
    return {
        "type": "object",
        "properties": {"text": text, "text_pair": {**text, "type": ["string", "null"]}},
        "required": ["text"],
        "additionalProperties": False,
    }


FLOATS: JsonSchema = {"type": "array", "items": {"type": "number"}}

TOKEN_INFO: JsonSchema = {
    "type": "object",
    "properties": {
        "token": {"type": "string", "description": "The token's text."},
        "token_id": {"type": "integer", "minimum": 0, "description": "Its id in the vocabulary."},
        "start": {"type": "integer", "minimum": 0, "description": "First code point in the input."},
        "end": {"type": "integer", "minimum": 0, "description": "One past the last code point."},
    },
    "required": ["token", "token_id", "start", "end"],
}


def softmax(logits: FloatArray) -> FloatArray:
    """exp(x - max) / sum over the last axis; float32 in and out, computed in float64."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    scores: FloatArray = (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
    return scores


def sigmoid(logits: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), each label on its own; written with tanh, which cannot overflow."""
    scores: FloatArray = (0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))).astype(np.float32)
    return scores


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors along the last axis divided by their L2 norm, the norm never below 1e-12 (torch's `normalize`)."""
    norm = np.sqrt(np.einsum("...i,...i->...", vectors, vectors, dtype=np.float64))[..., None]
    units: FloatArray = (vectors / np.maximum(norm, 1e-12)).astype(np.float32)
    return units


class LabelTask(Task[R]):
    """What the two classification tasks share: labels and the rule from logits to scores."""

    takes_pairs = True

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(manifest)
        if manifest.id2label is None:
            raise ModelError(f"a {self.model_type.value} model needs labels (id2label in config.json)")
        self.labels = tuple(manifest.id2label[index] for index in range(len(manifest.id2label)))
        self._regression = manifest.regression
        self._independent = manifest.multi_label or len(self.labels) == 1

    def scores(self, logits: FloatArray) -> FloatArray:
        """Softmax over labels; sigmoid for one logit or `problem_type: multi_label_classification`.

        A regression has no function: its logits are the values (transformers/pipelines/text_classification.py).
        """
        if self._regression:
            return logits.copy()
        return sigmoid(logits) if self._independent else softmax(logits)
