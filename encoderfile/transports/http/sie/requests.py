"""What requests for encode, score and extract share: items, options, templates, the model and machine meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct

from encoderfile.errors import InputError
from encoderfile.service.prompts import DOCUMENT, QUERY
from encoderfile.service.service import Service
from encoderfile.transports.http.endpoint import Call
from encoderfile.transports.http.names import DEFAULT_PROFILE, check_model
from encoderfile.transports.http.sie.dialect import ProfileMismatchError
from encoderfile.types import AskedPrompt, ModelInfo

_Refused = Annotated[Any, Meta(description="Refused: this model reads text alone.")]


class Item(Struct):
    """One text, with the client's name for it."""

    text: str
    id: str | None = None
    metadata: dict[Any, Any] | None = None
    images: Annotated[list[Any] | None, Meta(description="Refused unless empty: this model reads text alone.")] = None
    audio: _Refused = None
    video: _Refused = None
    document: _Refused = None


Items = Annotated[list[Item], Meta(min_length=1)]


class Options(Struct, kw_only=True):
    """Options of every route."""

    profile: str | None = None
    lora_id: Any = None
    lora: Any = None


def model_of(call: Call, service: Service) -> str:
    """The model's name as the path has it. Raises `ModelNotFoundError`, and `ProfileMismatchError` for a request
    that is meant for another machine."""
    wanted = call.request.headers.get("x-sie-machine-profile")
    if wanted is not None and wanted.lower() != service.device:
        raise ProfileMismatchError(wanted, service.device)
    name = str(call.request.path_params["model"])
    check_model(name, service.info)
    return name


def texts(items: Sequence[Item]) -> list[str]:
    """The texts of the items. Raises `InputError` for an item that has more than text."""
    for index, item in enumerate(items):
        for field in ("images", "audio", "video", "document"):
            if getattr(item, field):
                raise InputError(f"items[{index}] has {field}, and this model reads text alone")
    return [item.text for item in items]


def check_options(options: Options | None, info: ModelInfo) -> None:
    """Raises `InputError` for what this file does not have."""
    if options is None:
        return
    if options.profile not in (None, DEFAULT_PROFILE):
        raise InputError(f"Profile '{options.profile:.200}' not found. Available: ['{DEFAULT_PROFILE}']")
    for name in ("lora_id", "lora", "muvera"):
        if getattr(options, name, None) is not None:
            raise InputError(f"Model '{info.model_id}' does not support options.{name}: leave it out")


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
