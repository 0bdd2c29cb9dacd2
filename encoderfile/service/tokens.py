"""What this model's tokenizer makes of whole texts, and of token ids: bounded, and away from the event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from encoderfile.errors import EmptyTextError, InputError, RequestTooLargeError
from encoderfile.service.limits import MAX_WHOLE, check_whole, is_unicode
from encoderfile.service.service import Service
from encoderfile.types import AskedPrompt, Spelled

T = TypeVar("T")

_VALUES = 16
"""What a token in JSON counts as, in numbers of an answer."""


async def tokenize(
    service: Service,
    texts: Sequence[str],
    add_special_tokens: bool,
    prompt: AskedPrompt | None,
    form: Callable[[str, Spelled], T],
) -> list[T]:
    """`form` of each text behind its prompt and all its tokens, made in a thread; None: behind none at all.

    Call it while the answer is made and sent: until then it counts as part of all large answers. Raises `InputError`,
    and `QueueFullError` where there are too many.
    """
    service.limits.check_count(len(texts))
    before = "" if prompt is None else service.prompts.find(prompt)[0]
    for index, text in enumerate(texts):
        if not text:
            raise EmptyTextError(index)
        if not is_unicode(text):
            raise InputError("holds a lone surrogate, which is not valid Unicode", index)
    whole = [before + text for text in texts]
    check_whole(whole)

    def work() -> list[T]:
        return [form(text, service.tokenizer.spelled(text, add_special_tokens)) for text in whole]

    with service.accepting():
        async with service.large_answers.admitted(_VALUES * sum(map(len, whole)), 1):
            return await service.encoding.whole(work)


async def decode(service: Service, lists: Sequence[Sequence[int]], skip_special_tokens: bool) -> list[str]:
    """The text of each list of ids, by the tokenizer's own decoder. Raises as `tokenize`."""
    service.limits.check_count(len(lists))
    count = sum(map(len, lists))
    if count > MAX_WHOLE:
        raise RequestTooLargeError(f"at most {MAX_WHOLE} token ids per request, got {count}: split the request")
    for index, ids in enumerate(lists):
        if not ids:
            raise InputError("holds no token ids: send at least one", index)
        service.tokenizer.check_vocabulary(ids, index)

    def work() -> list[str]:
        return [service.tokenizer.decoded(ids, skip_special_tokens) for ids in lists]

    with service.accepting():
        async with service.large_answers.admitted(_VALUES * count, 1):
            return await service.encoding.whole(work)
