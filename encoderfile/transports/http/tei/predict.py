"""`/predict` as TEI has it: every label of a text or of a pair, the best first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from encoderfile.service import abilities
from encoderfile.service.known_fields import FieldError
from encoderfile.service.service import Service
from encoderfile.tasks.numerics import sigmoid, softmax
from encoderfile.transports.http import schemas
from encoderfile.transports.http.endpoint import Answer, Call, Form
from encoderfile.transports.http.tei.dialect import Operation, Truncating, alike, answered, one_of
from encoderfile.types import FloatArray, PredictRequest, Text

_Sequence = list[str]

_FUNCTIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "softmax": softmax,
    "sigmoid": sigmoid,
    "none": lambda logits: logits,
}


_TEXT = {"type": "string", "minLength": 1}
_INPUTS_SCHEMA = {
    "anyOf": [
        _TEXT,
        {"type": "array", "minItems": 1, "items": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 2}},
    ]
}
"""Where `/predict` is shared, a list of two strings is no pair."""


_INSTEAD = "; Encoderfile's own /predict takes inputs as a list of strings"


class PredictParameters(Struct, kw_only=True):
    """What clients of the Inference API send beside a text."""

    top_k: Annotated[int, Meta(ge=1)] | None = None
    function_to_apply: Literal["softmax", "sigmoid", "none"] | None = None


class TeiPredictRequest(Truncating, kw_only=True):
    inputs: Annotated[
        str | list[str | _Sequence],
        Meta(description="A text, a pair of texts, or a list of lists of one text or two."),
    ]
    raw_scores: bool | None = None
    parameters: PredictParameters | None = None


def predict(service: Service) -> Operation:
    """A flat list for one text or pair, and a list of lists for several, or where a client of the hub asks."""

    async def several(call: Call, every: Sequence[TeiPredictRequest]) -> Answer:
        abilities.check_classifies(service.task, service.info.model_id, _INSTEAD)
        asked, of_hub = alike(every), _is_of_the_inference_api(call)
        read = [_texts(each.inputs, of_hub) for each in every]
        texts = [text for each, _ in read for text in each]
        request = PredictRequest(texts, truncation=schemas.truncation(call.body, service), raw=True)
        prediction = await call.answering.by(service.predict(request))
        chosen = _chosen(asked)
        top = asked.parameters.top_k if asked.parameters else None
        found = (schemas.scored_labels(chosen(each), service.task.labels, top) for each in prediction.results)
        answers = (itertools.islice(found, len(each)) if is_list else next(found) for each, is_list in read)
        return answered(call, service, answers, texts, prediction)

    return Operation(
        request=TeiPredictRequest,
        response=list[schemas.ScoredLabel | list[schemas.ScoredLabel]],
        handle=partial(one_of, several),
        several=several,
        facts={"inputs": _INPUTS_SCHEMA},
        supported=service.task.classifies,
    )


def form(service: Service) -> Form:
    """On Encoderfile's own `/predict`: a text, or a list with lists in it, is none of its requests."""
    return predict(service).form(_is_meant)


def _is_meant(body: Any) -> bool:
    inputs = body.get("inputs") if isinstance(body, Mapping) else None
    return isinstance(inputs, str) or (isinstance(inputs, list) and any(isinstance(each, list) for each in inputs))


def _is_of_the_inference_api(call: Call) -> bool:
    """Whether the client is one of Hugging Face's, which take the first entry of an answer for that of a text."""
    return "parameters" in call.body or "@huggingface/inference" in call.request.headers.get("user-agent", "")


def _texts(inputs: str | Sequence[str | _Sequence], of_hub: bool) -> tuple[list[Text], bool]:
    """The texts and pairs, and whether they are answered with a list of lists. Raises `FieldError`.

    A list of strings is one text or a pair; for clients of the Inference API it is several texts.
    """
    if isinstance(inputs, str):
        return [inputs], of_hub
    if of_hub and all(isinstance(each, str) for each in inputs):
        return list(inputs), True  # type: ignore[arg-type]
    if any(isinstance(each, str) for each in inputs):
        return [_text(inputs, "inputs")], of_hub
    return [_text(each, f"inputs[{index}]") for index, each in enumerate(inputs)], True


def _text(given: Any, place: str) -> Text:
    if not 1 <= len(given) <= 2 or not all(isinstance(each, str) for each in given):
        raise FieldError(f"{place} should be one text or two: send a list of such lists for several", "inputs")
    return given[0] if len(given) == 1 else (given[0], given[1])


def _chosen(asked: TeiPredictRequest) -> Callable[[Any], FloatArray]:
    """What makes scores of a result."""
    named = asked.parameters.function_to_apply if asked.parameters else None
    if asked.raw_scores:
        named = "none"
    if named is None:
        return lambda result: result.scores
    function = _FUNCTIONS[named]
    return lambda result: function(result.logits)
