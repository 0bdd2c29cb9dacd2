"""The one model of this file, under the names that other servers' clients call it."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from encoderfile.types import ModelInfo

DEFAULT_PROFILE = "default"

NOT_SPECIFIED = "default/not-specified"
"""What Infinity's clients send where their caller names no model."""


class ModelNotFoundError(HTTPException):
    """Another model was asked for. The message names the one that is here."""

    def __init__(self, wanted: str, served: str) -> None:
        super().__init__(404, f"Model '{wanted:.200}' not found: this file serves '{served}'")
        self.wanted, self.served = wanted, served


def ids(info: ModelInfo) -> list[str]:
    """What clients may call the model: its id, without and with its only profile, and its other names."""
    return [info.model_id, f"{info.model_id}:{DEFAULT_PROFILE}", *info.served_names]


def check_model(wanted: str, info: ModelInfo) -> None:
    """Raises `ModelNotFoundError` for another model."""
    if wanted not in ids(info):
        raise ModelNotFoundError(wanted, info.model_id)


def check_given(wanted: str | None, info: ModelInfo) -> None:
    """The same where a request may leave the model out. Raises `ModelNotFoundError`."""
    if wanted not in (None, NOT_SPECIFIED):
        check_model(str(wanted), info)
