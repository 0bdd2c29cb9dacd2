"""What the bodies of encode, score and extract share: items, instructions, options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from encoderfile.errors import InputError
from encoderfile.service.prompts import DOCUMENT, QUERY
from encoderfile.service.service import Service
from encoderfile.transports.http.names import DEFAULT_PROFILE
from encoderfile.transports.http.sie.errors import ProfileMismatchError
from encoderfile.types import AskedPrompt, ModelInfo

_NO_TEXT = ("images", "audio", "video", "document")


@dataclass(frozen=True, slots=True)
class Item:
    """One text, with the client's name for it."""

    id: str | None
    text: str


def typed(body: Mapping[str, Any], field: str, kind: type, place: str = "") -> Any:
    """A field that may be missing or null. Raises `InputError` when it is something else than `kind`."""
    value = body.get(field)
    if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
        raise InputError(f"{place}{field} should be {_NAMES[kind]}")
    return value


_NAMES = {str: "a text", bool: "true or false", list: "a list", dict: "an object"}


def read_items(body: Mapping[str, Any]) -> list[Item]:
    """The items of a body. Raises `InputError`."""
    items = typed(body, "items", list)
    if items is None:
        raise InputError("the field items is missing: send a list of items")
    if not items:
        raise InputError("items is empty: send at least one item")
    return [read_item(item, f"items[{index}]") for index, item in enumerate(items)]


def read_item(item: object, place: str) -> Item:
    """One item; unknown fields are ignored. Raises `InputError`."""
    if not isinstance(item, dict):
        raise InputError(f"{place} should be an object with a text")
    for field in _NO_TEXT:
        value = item.get(field)
        if field == "images":
            typed(item, field, list, f"{place}.")
        if value:
            raise InputError(f"{place} has {field}, and this model reads text alone")
    typed(item, "metadata", dict, f"{place}.")
    text = typed(item, "text", str, f"{place}.")
    if text is None:
        raise InputError(f"{place} has no text, and this model reads nothing else")
    return Item(typed(item, "id", str, f"{place}."), text)


def read_options(body: Mapping[str, Any], info: ModelInfo) -> dict[str, Any]:
    """`options`, without what this file does not have. Raises `InputError` for that."""
    options: dict[str, Any] = typed(body, "options", dict) or {}
    profile = options.get("profile")
    if profile is not None and profile != DEFAULT_PROFILE:
        raise InputError(f"Profile '{profile}' not found. Available: ['{DEFAULT_PROFILE}']")
    if options.get("lora_id") is not None or options.get("lora") is not None:
        raise InputError(f"Model '{info.model_id}' does not support LoRA")
    return options


def refuse_options(options: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raises `InputError` for options that would change answers and cannot be followed here."""
    for name in names:
        if options.get(name) is not None:
            raise InputError(f"options.{name} cannot be chosen: it was settled when this file was built")


def check_machine(headers: Mapping[str, str], device: str) -> None:
    """A request for a certain machine is refused on every other. Raises `ProfileMismatchError`."""
    wanted = headers.get("x-sie-machine-profile")
    if wanted is not None and wanted.lower() != device:
        raise ProfileMismatchError(
            f"the request is for the machine profile '{wanted}', and this is '{device}': "
            "remove the header X-SIE-MACHINE-PROFILE",
            wanted,
            device,
        )


def asked_prompt(is_query: bool | None, instruction: str | None) -> AskedPrompt:
    """The prompt that a request without a template asks for: its instruction, else that of its purpose."""
    if instruction:
        return AskedPrompt(text=f"{instruction} ")
    return AskedPrompt(input_type=None if is_query is None else QUERY if is_query else DOCUMENT)


@dataclass(frozen=True, slots=True)
class Template:
    """What the model reads around each text."""

    parts: tuple[str, ...]
    """Before, between and behind: a text stands wherever two of them meet."""

    def length(self, texts: Sequence[str]) -> int:
        """Characters of all `texts` once they are filled in, which is not done for it."""
        return len(texts) * sum(map(len, self.parts)) + (len(self.parts) - 1) * sum(map(len, texts))

    def fill_in(self, text: str) -> str:
        """The text as the model reads it."""
        return text.join(self.parts)


def read_template(template: str, instruction: str | None, service: Service) -> Template:
    """The template with `{instruction}` filled in. Raises `InputError` where that makes it too long.

    Texts are filled in once: one that holds `{text}` or `{instruction}` stays as it is.
    """
    instruction = instruction or ""
    # A few bytes of template can stand for gigabytes.
    service.check_characters(len(template) + template.count("{instruction}") * len(instruction))
    return Template(tuple(part.replace("{instruction}", instruction) for part in template.split("{text}")))
