"""Fewer dimensions than a model gives: which may be asked for, and how a vector is made shorter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from encoderfile.service.known_fields import FieldError
from encoderfile.service.service import Service
from encoderfile.tasks.numerics import unit
from encoderfile.types import FloatArray


class UnsupportedFieldError(FieldError):
    """A field asks for what this model cannot do."""


def read(wanted: int | None, service: Service, field: str = "dimensions") -> int | None:
    """How many dimensions are kept, None for all; `field` is what the dialect calls it.

    As sentence-transformers' `truncate_dim`: for models that are made for it, and with `--allow-dimensions` for any.
    Raises `FieldError`.
    """
    size = service.task.dims["dense"]
    if wanted is None or wanted == size:
        return None
    if not (service.info.matryoshka or service.allow_dimensions):
        raise UnsupportedFieldError(
            f"the model gives {size} dimensions and is not made for fewer: leave {field} out, or send {size}", field
        )
    if not 0 < wanted < size:
        raise FieldError(f"{field} should be from 1 to {size}", field)
    sizes = service.info.matryoshka_dimensions
    if sizes and wanted not in sizes and not service.allow_dimensions:
        known = ", ".join(str(each) for each in sorted({*sizes, size}) if each <= size)
        raise FieldError(f"the model is made for {known} dimensions, not for {wanted}", field)
    return wanted


def beginnings(vectors: Iterable[FloatArray], kept: int | None, normalize: bool) -> Iterator[FloatArray]:
    """The first `kept` numbers of each vector, of unit length again where vectors are normalised."""
    for vector in vectors:
        yield vector if kept is None else unit(vector[:kept]) if normalize else vector[:kept]
