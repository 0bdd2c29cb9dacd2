"""`/similarity`: the cosine of the vectors of sentences and that of one of them, as TEI has it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from encoderfile.errors import EmptyRequestError
from encoderfile.service import prompts
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.service.similarity import similarities
from encoderfile.tasks.similarity import comparable
from encoderfile.transports.http import schemas
from encoderfile.transports.http.endpoint import Answer, Call
from encoderfile.transports.http.tei.dialect import Operation, Truncating, answered
from encoderfile.types import PredictRequest


class SimilarityInput(Struct):
    source_sentence: str
    sentences: Annotated[list[str], Meta(description="What is compared with `source_sentence`.")]


class SimilarityParameters(Truncating, kw_only=True):
    prompt_name: str | None = None
    prompt: str | None = None
    input_type: str | None = None


class SimilarityRequest(Struct, kw_only=True):
    inputs: SimilarityInput
    parameters: SimilarityParameters | None = None


def similarity(service: Service) -> Operation:
    """One number per sentence, in order."""

    async def handle(call: Call, asked: SimilarityRequest) -> Answer:
        source, sentences = asked.inputs.source_sentence, asked.inputs.sentences
        if not sentences:
            raise EmptyRequestError("inputs.sentences is empty: send at least one")
        parameters = call.body.get("parameters") or {}
        request = PredictRequest(
            [source],
            truncation=schemas.truncation(parameters, service),
            prompt=prompts.read(parameters),
        )
        others = PredictRequest(sentences, truncation=request.truncation, prompt=request.prompt)
        with naming(source_sentence=1, sentences=len(sentences)):
            prediction = await call.answering.by(similarities(service, request, others, "cosine"))
        return answered(call, service, prediction.results[0], [source, *sentences], prediction)

    return Operation(
        request=SimilarityRequest,
        response=list[float],
        handle=handle,
        supported=comparable(service.task) is not None,
    )
