"""Parts of requests and answers that several dialects share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from encoderfile import types
from encoderfile.service import known_fields
from encoderfile.service.prompts import INPUT_TYPES
from encoderfile.service.service import Service
from encoderfile.types import FloatArray

Count = Annotated[int, Meta(ge=0)]

_CUT = "Whether a longer text is truncated; or START, END or NONE."
_SIDES = Meta(description="The side on which texts are truncated, which has to be the model's own.")


class Truncation(Struct, kw_only=True):
    """What becomes of a text over the model's limit."""

    truncate: Annotated[bool | str | None, Meta(description=_CUT)] = None
    truncation: Annotated[bool | str | None, Meta(description=_CUT)] = None
    truncation_direction: Annotated[str | None, _SIDES] = None


def truncation(body: Mapping[str, Any], service: Service) -> types.Truncation:
    """What a body says of texts over the limit. Raises `FieldError`."""
    return known_fields.truncation(body, service.info.truncation_side, fixed=service.task.fixed_truncation)


class Prompt(Truncation, kw_only=True):
    """And what is put before the texts: at most one of these is sent."""

    prompt: Annotated[str | None, Meta(description="A text that is put before each input; empty for none.")] = None
    prompt_name: Annotated[str | None, Meta(description="One of the model's own prompts.")] = None
    input_type: Annotated[str | None, Meta(description="What the texts are for.")] = None


def prompt_facts(names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    """The values that the fields of `Prompt` may have."""
    named = {"prompt_name": {"enum": list(names)}} if names else {}
    return {**named, "input_type": {"enum": list(INPUT_TYPES)}}


class Usage(Struct):
    prompt_tokens: Count
    total_tokens: Count


def usage(tokens: int) -> dict[str, int]:
    """The JSON of `Usage`."""
    return {"prompt_tokens": tokens, "total_tokens": tokens}


def best_first(scores: Sequence[float]) -> list[int]:
    """Positions by falling score; equal ones keep their order."""
    return sorted(range(len(scores)), key=lambda index: -scores[index])


class ScoredLabel(Struct):
    score: float
    label: str


def scored_labels(scores: FloatArray, labels: Sequence[str], top: int | None = None) -> list[dict[str, Any]]:
    """The JSON of a `ScoredLabel` for each label, the best first; of the best `top` alone where it is given.

    `scores` is float32 [labels].
    """
    return [{"score": scores[each], "label": labels[each]} for each in best_first(scores.tolist())[:top]]


class Given(NamedTuple):
    """A JSON Schema under a name of its own, in the place of a type; made when the document is."""

    name: str
    schema: Callable[[], dict[str, Any]]
