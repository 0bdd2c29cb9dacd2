"""What this model's tokenizer makes of whole texts, and of token ids: bounded, and away from the event loop."""

from __future__ import annotations

from collections.abc import Sequence

from encoderfile.errors import EmptyTextError, InputError, RequestTooLargeError, TokenIdsError
from encoderfile.model.tokenizer import Tokenizer
from encoderfile.service.limits import is_unicode
from encoderfile.service.service import Service
from encoderfile.types import AskedPrompt, Spelled

MAX_CHARACTERS = 1 << 17
"""Of the texts of one request, which are read whole; and ids of one request: each becomes an object of the answer."""


async def tokenize(
    service: Service, texts: Sequence[str], add_special_tokens: bool, prompt: AskedPrompt
) -> list[tuple[str, Spelled]]:
    """Each text behind its prompt, with all its tokens. Raises `InputError`."""
    service.limits.check_count(len(texts))
    before = service.prompt_text(prompt)
    for index, text in enumerate(texts):
        if not text:
            raise EmptyTextError(index)
        if not is_unicode(text):
            raise InputError("holds a lone surrogate, which is not valid Unicode", index)
    _check(sum(map(len, texts)) + len(texts) * len(before), "characters")
    whole = [before + text for text in texts]
    with service.accepting():
        return await service.alone(_spelled, service.tokenizer, whole, add_special_tokens)


async def decode(service: Service, lists: Sequence[Sequence[int]], skip_special_tokens: bool) -> list[str]:
    """The text of each list of ids, by the tokenizer's own decoder. Raises `InputError`."""
    service.limits.check_count(len(lists))
    _check(sum(map(len, lists)), "token ids")
    known = service.tokenizer.vocabulary_size
    for index, ids in enumerate(lists):
        if not ids:
            raise InputError("holds no token ids: send at least one", index)
        wrong = next((each for each in ids if not 0 <= each < known), None)
        if wrong is not None:
            raise TokenIdsError(f"holds the token id {wrong}, and those of this model are 0 to {known - 1}", index)
    with service.accepting():
        return await service.alone(_decoded, service.tokenizer, lists, skip_special_tokens)


def _check(count: int, what: str) -> None:
    if count > MAX_CHARACTERS:
        raise RequestTooLargeError(
            f"at most {MAX_CHARACTERS} {what} per request here, got {count}: split the request"
        )


def _spelled(tokenizer: Tokenizer, texts: Sequence[str], add_special_tokens: bool) -> list[tuple[str, Spelled]]:
    return [(text, tokenizer.spelled(text, add_special_tokens)) for text in texts]


def _decoded(tokenizer: Tokenizer, lists: Sequence[Sequence[int]], skip_special_tokens: bool) -> list[str]:
    return [tokenizer.decoded(ids, skip_special_tokens) for ids in lists]
