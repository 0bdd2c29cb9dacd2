"""Which prompt is put before the texts of a request: the one place where names, texts and purposes become a text.

The rules are those of sentence-transformers' `SentenceTransformer.encode`, `encode_query` and `encode_document`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from encoderfile.errors import ConfigError
from encoderfile.service.known_fields import FieldError
from encoderfile.service.limits import is_unicode
from encoderfile.tasks import Task
from encoderfile.types import AskedPrompt, ModelInfo

FIELDS = ("prompt", "prompt_name", "input_type")
"""The fields of a request that `read` reads."""

QUERY, DOCUMENT = "query", "document"

_NAMES = {QUERY: ("query",), DOCUMENT: ("document", "passage", "corpus")}
"""The names of a purpose's prompt, in the library's order."""

INPUT_TYPES = {
    "query": QUERY,
    "search_query": QUERY,
    "document": DOCUMENT,
    "search_document": DOCUMENT,
    "passage": DOCUMENT,
}
"""What embedding clients say that their texts are, and the purpose that they mean by it."""

NONE = "none"
"""The word of `--default-prompt` for no prompt at all."""


def read(body: Mapping[str, Any]) -> AskedPrompt:
    """What a request in JSON says of its prompt. Raises `FieldError` for what is not a string."""
    for field in FIELDS:
        value = body.get(field)
        if value is not None and not isinstance(value, str):
            raise FieldError(f"{field} should be a string", field)
    return AskedPrompt(body.get("prompt_name"), body.get("prompt"), body.get("input_type"))


def names_of(task: Task[Any], info: ModelInfo) -> list[str]:
    """What `prompt_name` may be: the model's own prompts, and purposes that it tells apart without one."""
    return list(dict.fromkeys((*info.prompts, *task.purposes)))


class Prompts:
    """The prompts of one model, and the default of one server."""

    def __init__(self, task: Task[Any], info: ModelInfo, default: str | None = None) -> None:
        """`default` is a name or the word none; None leaves it to the model's files. Raises `ConfigError`."""
        self._task = task
        self._named = info.prompts
        self._names = names_of(task, info)
        self._default: tuple[str, str | None] = ("", None)
        if default is None:
            self._default = self._named.get(info.default_prompt_name or "", ""), None
        elif default in self._names:
            self._default = self._by_name(default)
        elif default != NONE:
            names = ", ".join(self._names)
            advice = f"choose {names} or {NONE}" if names else "it has none, leave the flag out"
            raise ConfigError(f"--default-prompt {default} is not a prompt of this model: {advice}")

    def find(self, asked: AskedPrompt) -> tuple[str, str | None]:
        """What is put before each text, or "", and the purpose of the texts, where it is said.

        Raises `FieldError` for a prompt that the model does not have.
        """
        fields = {"prompt": asked.text, "prompt_name": asked.name, "input_type": asked.input_type}
        said = [field for field, value in fields.items() if value is not None]
        if not said:
            return self._default
        first = said[0]
        if not self._task.takes_prompt:
            raise FieldError(f"a {self._task.name} model takes no {first}: leave it out", first)
        if len(said) > 1:
            raise FieldError(f"{' and '.join(said)} are given together: send one of them", first)
        if asked.text and not self._task.takes_prompt_text:
            raise FieldError(
                f"this model takes no prompt of your own: leave it out, or send prompt_name "
                f"{' or '.join(self._names)}",
                "prompt",
            )
        if asked.text is not None:
            if not is_unicode(asked.text):
                raise FieldError("prompt holds a lone surrogate, which is not valid Unicode", "prompt")
            return asked.text, None
        return self._by_purpose(asked.input_type) if asked.name is None else self._by_name(asked.name)

    def _by_name(self, name: str) -> tuple[str, str | None]:
        try:
            purpose = name if name in self._task.purposes else None
            return self._named.get(name, "") if purpose else self._named[name], purpose
        except KeyError:
            names = ", ".join(self._names)
            advice = f"choose {names}" if names else "it has none, send the text itself as prompt"
            words = f"the prompt_name {reprlib.repr(name)} is not a prompt of this model: {advice}"
            raise FieldError(words, "prompt_name") from None

    def _by_purpose(self, input_type: str | None) -> tuple[str, str]:
        purpose = INPUT_TYPES.get(input_type or "")
        if purpose is None:
            raise FieldError(
                f"input_type may be {', '.join(INPUT_TYPES)}, got {reprlib.repr(input_type)}", "input_type"
            )
        self._task.check_purpose(purpose)
        return next((self._named[name] for name in _NAMES[purpose] if name in self._named), ""), purpose
