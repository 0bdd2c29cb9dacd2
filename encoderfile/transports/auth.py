"""The one key check of every way in."""

from __future__ import annotations

import hmac

from encoderfile.errors import UnauthenticatedError


def check_key(wanted: str | None, authorization: str | None) -> None:
    """Compares `Authorization: Bearer KEY` with the wanted key in constant time.

    Raises `UnauthenticatedError` when a key is wanted and the header is missing or differs.
    """
    if wanted is None:
        return
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), wanted.encode()):
        raise UnauthenticatedError("a valid key is needed: send the header `Authorization: Bearer KEY`")
