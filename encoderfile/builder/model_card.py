"""The model card: README.md of the folder, whose front matter has a licence, languages, and examples for a widget.

Only for people, so a card that cannot be read is left out and never keeps a model from being built.
https://huggingface.co/docs/hub/model-cards, https://huggingface.co/docs/hub/models-widgets
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from encoderfile.builder import safe_read, safe_yaml
from encoderfile.errors import ModelError
from encoderfile.manifest import Card
from encoderfile.types import Example

NAME = "README.md"

_LARGEST, _LARGEST_MATTER = 1 << 20, 1 << 18
"""Bytes of a card, characters of its front matter."""
_EXAMPLES, _TEXTS, _LABELS = 8, 16, 50
"""Examples that are kept, texts of each, labels of each."""
_TEXT, _WORDS = 2000, 120
"""Characters of a text; of a title, a label, a licence."""

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$(.*)", re.DOTALL | re.MULTILINE)
_HEADING, _FENCES = ("# ", "#\t"), ("```", "~~~")


def read_card(folder: Path) -> tuple[Card, list[str]]:
    """What the card says, and what a user should know of it."""
    path = folder / NAME
    try:
        if not path.is_file():
            return Card(), []
        data = safe_read.read(safe_read.inside(path, folder))
    except (ModelError, OSError) as error:
        return Card(), [f"{NAME} is not read for examples: {error}"]
    if len(data) > _LARGEST:
        return Card(), [f"{NAME} is not read for examples: it has {len(data) >> 10} KB"]
    text = data.decode("utf-8", errors="replace")
    matter, body = "", text
    if found := _FRONT_MATTER.match(text):
        matter, body = found.groups()
    try:
        facts = safe_yaml.load(matter[:_LARGEST_MATTER])
    except ValueError as error:
        problem = str(error)[:_WORDS]
        return Card(title=_title(body)), [
            f"{NAME} is not read for examples: its front matter is not YAML ({problem})"
        ]
    return _card(facts if isinstance(facts, dict) else {}, body), []


def card_text(card: Card) -> str:
    """A README.md that is read as this card; values are written as JSON, which YAML can read."""
    fields = {"license": card.license, "language": list(card.languages)}
    lines = [f"{name}: {_json(value)}" for name, value in fields.items() if value]
    if card.examples:
        lines += ["widget:", *(f"- {_json(_entry(each))}" for each in card.examples)]
    matter = "\n".join(["---", *lines, "---", ""]) if lines else ""
    return matter + (f"\n# {card.title}\n" if card.title else "")


def _entry(example: Example) -> dict[str, Any]:
    """An example as the widget has it."""
    texts: dict[str, Any] = (
        {"source_sentence": example.query, "sentences": list(example.texts)}
        if example.query
        else {"text": example.texts[0], "text_pair": example.second}
    )
    found = {**texts, "candidate_labels": list(example.labels), "example_title": example.title}
    return {name: value for name, value in found.items() if value}


def _json(value: Any) -> str:
    """JSON but for the escapes of what is not printable, which YAML writes whole and not as pairs."""
    written = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in written)


def _card(facts: Mapping[Any, Any], body: str) -> Card:
    license_id, license_name = _words(facts.get("license")), _words(facts.get("license_name"))
    if license_name and license_id in ("", "other"):
        license_id = license_name
    return Card(
        title=_title(body),
        license=license_id,
        languages=tuple(filter(None, (_language(each) for each in _list(facts.get("language"))[:_LABELS]))),
        examples=tuple(_examples(facts)),
    )


def _language(value: Any) -> str:
    """The code of a language; YAML reads that of Norwegian, `no`, as false."""
    return "no" if value is False else _words(value)


def _title(body: str) -> str:
    """The first heading; a comment in a block of code is none."""
    fence = ""
    for line in body.splitlines():
        if (mark := line.lstrip()[:3]) in _FENCES and fence in ("", mark):
            fence = "" if fence else mark
        elif not fence and line.startswith(_HEADING) and (title := _words(line[2:].rstrip("# \t"))):
            return title
    return ""


def _examples(facts: Mapping[Any, Any]) -> Iterator[Example]:
    inference = facts.get("inference")
    parameters = inference.get("parameters") if isinstance(inference, dict) else None
    of_all = _labels(parameters.get("candidate_labels")) if isinstance(parameters, dict) else ()
    found = 0
    for entry in _list(facts.get("widget")):
        example = _example(entry, of_all) if isinstance(entry, dict) else None
        if example is not None:
            yield example
            found += 1
        if found == _EXAMPLES:
            return


def _example(entry: Mapping[Any, Any], of_all: tuple[str, ...]) -> Example | None:
    """One entry: a text, a pair, or a sentence with others to compare. None for a picture, a sound, a mask."""
    inputs = entry.get("inputs")
    if isinstance(inputs, dict):  # the older form
        entry = {**entry, **inputs}
    labels = _labels(entry.get("candidate_labels")) or of_all
    title = _words(entry.get("example_title"))
    source = _text(entry.get("source_sentence"))
    others = tuple(filter(None, (_text(each) for each in _list(entry.get("sentences"))[:_TEXTS])))
    if source and others:
        return Example(title=title, query=source, texts=others, labels=labels)
    text = _text(entry.get("text"))
    if not text:
        return None
    return Example(title=title, texts=(text,), second=_text(entry.get("text_pair")), labels=labels)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _labels(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else _list(value)
    found = (_words(each) for each in names[:_LABELS])
    return tuple(dict.fromkeys(each for each in found if each))


def _text(value: Any) -> str:
    """A text that can be sent as it is; empty for anything else."""
    if not isinstance(value, str) or len(value) > _TEXT or "\0" in value:
        return ""
    return value.strip().encode("utf-8", errors="replace").decode()


def _words(value: Any) -> str:
    """One line without control characters."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    if isinstance(value, int) and value.bit_length() > _WORDS:  # which Python may refuse to write
        return ""
    line = "".join(each if each.isprintable() else " " for each in str(value))
    return " ".join(line.split())[:_WORDS]
