"""What Ollama's routes have in common: failures as `{"error"}`, and names with a tag."""

from __future__ import annotations

from msgspec import Struct
from starlette.responses import Response

from encoderfile.transports.http import failures
from encoderfile.transports.http.dialect import Dialect
from encoderfile.transports.http.failures import Failure
from encoderfile.transports.http.names import ModelNotFoundError, check_model
from encoderfile.types import ModelInfo

_TAG = ":latest"
"""What a name without a tag means."""


class OllamaError(Struct):
    error: str


def _fail(failure: Failure) -> Response:
    message = failure.message
    if isinstance(failure.error, ModelNotFoundError):
        message = f'model "{failure.error.wanted:.200}" not found: this file serves "{failure.error.served}"'
    elif failure.status == 404:
        message = "there is no such route: this server has embed, embeddings, tags, show, ps and version below /api/"
    return failure.json(OllamaError(message))


DIALECT = Dialect(name="Ollama", prefixes=("/api/",), fail=_fail, error=OllamaError, statuses=failures.BAD_REQUEST)


def tagged(name: str) -> str:
    """A name of the model as lists show it."""
    return name if ":" in name else name + _TAG


def check_name(wanted: str, info: ModelInfo) -> None:
    """Raises `ModelNotFoundError` for another model."""
    if not (wanted.endswith(_TAG) and wanted.removesuffix(_TAG) in (info.model_id, *info.served_names)):
        check_model(wanted, info)
