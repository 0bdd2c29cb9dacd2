"""Fields that other servers of encoders have: supported here, or refused by name. Unknown fields are ignored."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from encoderfile.errors import InputError
from encoderfile.types import Truncation

_WITHOUT_DEFAULT = """
    prompt prompt_name input_type instruction task task_type task_id
    truncate truncation truncation_direction truncate_prompt_tokens max_length max_seq_length max_tokens
    max_tokens_per_doc
    dimensions dimensionality output_dimension truncate_dim normalize normalized normalize_embeddings pooling muvera
    is_query query_template doc_template output_types
    ignore_labels labels candidate_labels hypothesis_template classification_type output_schema parameters top_k
    function_to_apply
    text_pair top_n
"""

KNOWN: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(_WITHOUT_DEFAULT.split(), ()),
    "max_chunks_per_doc": (1,),
    "long_text_mode": ("truncate",),
    "late_chunking": (False,),
    "stride": (0,),
    "overflow_policy": ("default",),
    "output_dtype": ("float32", "float"),
    "precision": ("float32",),
    "encoding_format": ("float",),
    "embedding_type": ("float",),
    "embedding_types": (["float"],),
    "aggregation_strategy": ("none",),
    "threshold": (0,),
    "multi_label": (False,),
    "flat_ner": (True,),
    "return_all_scores": (True,),
    "raw_scores": (False,),
    "rank_fields": (["text"],),
    "return_documents": (False,),
    "return_len": (False,),
    "return_text": (False,),
}
"""Each field, and the values of it that ask for what is done anyway."""

_HINTS = {
    "parameters": "send its fields at the top level, where this route has them",
    "instruction": "send it as prompt, with a space at its end",
    "text_pair": 'send {"text": ..., "text_pair": ...} as one of the inputs',
}
"""What to do instead of leaving the field out."""

TRUNCATION = frozenset({"truncate", "truncation", "truncation_direction"})
"""The fields that `truncation` reads."""

_SIDES = {"left": "left", "right": "right", "start": "left", "end": "right"}


class FieldError(InputError):
    """One field is at fault; dialects whose errors have a place for its name put it there."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def check(body: Mapping[str, Any], supported: Collection[str], place: str = "") -> None:
    """Raises `FieldError` for the first known field of `body` that is not `supported` and asks for something.

    Null, empty values and those in `KNOWN` ask for nothing. A mapping `supported` has the supported fields of fields
    that are objects. `place` is what the field's name begins with (`options.`).
    """
    for name, value in body.items():
        if name in supported:
            if isinstance(supported, Mapping) and supported[name] and isinstance(value, Mapping):
                check(value, supported[name], f"{place}{name}.")
            continue
        if name not in KNOWN or value is None or value in ("", [], {}):
            continue
        if value not in KNOWN[name]:
            raise FieldError(f"{place}{name} is not supported here: {_HINTS.get(name, 'leave it out')}", name)


def truncation(body: Mapping[str, Any], own_side: str, *, fixed: bool) -> Truncation:
    """What becomes of a text over the limit, by the fields of `TRUNCATION`.

    `truncate` is a boolean, or one of Cohere's NONE, START and END, which name the side that is left out. `own_side`
    is that of this model's tokenizer; where it is `fixed`, another one is refused. Raises `FieldError`.
    """
    refuse: bool | None = None
    sides: dict[str, str] = {}
    for name in ("truncate", "truncation"):
        value = body.get(name)
        word = value.upper() if isinstance(value, str) else value
        if word is None:
            continue
        if word in ("START", "END"):
            sides[name] = _SIDES[word.lower()]
        elif not isinstance(word, bool) and word != "NONE":
            raise FieldError(f"{name} should be true, false, NONE, START or END", name)
        refuse = word is False or word == "NONE"
    direction = body.get("truncation_direction")
    if direction is not None:
        side = direction.lower() if isinstance(direction, str) else ""
        if side not in ("left", "right"):
            raise FieldError("truncation_direction should be left or right", "truncation_direction")
        sides["truncation_direction"] = side
    if len(set(sides.values())) > 1:
        raise FieldError(f"{' and '.join(sides)} name different sides: send one of them", next(iter(sides)))
    for name, side in sides.items():
        if side != own_side and fixed:
            raise FieldError(
                f"{name} {reprlib.repr(body[name])} cannot be chosen: this model truncates on the {own_side}", name
            )
        if side != own_side:
            return Truncation(refuse, side)
    return Truncation(refuse)


def check_max_tokens(wanted: int | None, name: str, texts: Iterable[str], limit: int, specials: int) -> None:
    """Raises `FieldError` where the field `name` asks for texts to be truncated before the model's own `limit`.

    A text of so few bytes that it cannot have more than `wanted` tokens, with the `specials` around it, is no such
    text.
    """
    if wanted is None or wanted >= limit:
        return
    most = wanted - specials
    if wanted < 1 or any(len(text) > most or len(text.encode(errors="replace")) > most for text in texts):
        raise FieldError(
            f"{name} is not supported below the model's own limit, where texts are truncated: leave it out, or send "
            f"{limit} or more",
            name.partition(".")[0],
        )
