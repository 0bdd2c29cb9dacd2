"""`/tokenize` and `/decode`: what this model's tokenizer makes of texts, and texts of token ids."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from encoderfile.errors import EmptyRequestError
from encoderfile.service import prompts, tokens
from encoderfile.service.known_fields import FieldError
from encoderfile.service.naming import naming
from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Answer, Call
from encoderfile.transports.http.schemas import Count
from encoderfile.transports.http.tei.dialect import InputIds, Operation
from encoderfile.types import Spelled


class TokenizeRequest(Struct, kw_only=True):
    inputs: str | list[str]
    add_special_tokens: bool = True
    prompt_name: str | None = None
    prompt: str | None = None
    input_type: str | None = None


class SimpleToken(Struct):
    """Offsets are code points of the text, behind its prompt; special tokens have none."""

    id: Count
    text: str
    special: bool
    start: Count | None
    stop: Count | None


class DecodeRequest(Struct, kw_only=True):
    ids: list[int | InputIds]
    skip_special_tokens: bool = True


def tokenize(service: Service) -> Operation:
    """All tokens of each text, never truncated."""

    async def handle(call: Call, asked: TokenizeRequest) -> Answer:
        texts = [asked.inputs] if isinstance(asked.inputs, str) else asked.inputs
        if not texts:
            raise EmptyRequestError("inputs is empty: send at least one text")
        prompt = prompts.read(call.body)
        return Answer(await tokens.tokenize(service, texts, asked.add_special_tokens, prompt, _simple))

    return Operation(request=TokenizeRequest, response=list[list[SimpleToken]], handle=handle, supported=True)


def decode(service: Service) -> Operation:
    """One text for each list of ids."""

    async def handle(_: Call, asked: DecodeRequest) -> Answer:
        if not asked.ids:
            raise EmptyRequestError("ids is empty: send at least one")
        if all(isinstance(each, int) for each in asked.ids):
            lists: list[Any] = [asked.ids]
        else:
            lists = asked.ids
            if any(isinstance(each, int) for each in lists):
                raise FieldError("ids should be a list of ids, or a list of such lists", "ids")
        with naming(ids=len(lists)):
            return Answer(await tokens.decode(service, lists, asked.skip_special_tokens))

    return Operation(request=DecodeRequest, response=list[str], handle=handle, supported=True)


def _simple(text: str, read: Spelled) -> list[dict[str, Any]]:
    return [
        {"id": token_id, "text": token, "special": True, "start": None, "stop": None}
        if special
        else {"id": token_id, "text": text[start:end], "special": False, "start": start, "stop": end}
        for (token, token_id, start, end), special in zip(read.tokens, read.special, strict=True)
    ]
