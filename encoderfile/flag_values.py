"""Values of options that are more than a type: how each is read, and what is refused of it, in one sentence."""

from __future__ import annotations

import math
import os
from pathlib import Path

import click

from encoderfile.errors import ConfigError

_LONGEST_KEY = 4096


def a_key(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A variable that is set and empty is a secret that went missing, and does not mean to serve without a key."""
    if value is None and "ENCODERFILE_API_KEY" in os.environ:
        raise ConfigError("ENCODERFILE_API_KEY is empty: give a key or unset it")
    return value


def read_key(file: Path) -> str:
    """The key in a file, without the line end after it. Raises `ConfigError` where there is none."""
    try:
        with file.open("rb") as opened:
            found = opened.read(_LONGEST_KEY + 1)
    except OSError as error:
        raise ConfigError(f"--api-key-file {file} cannot be read: {error.strerror}") from error
    if len(found) > _LONGEST_KEY:
        raise ConfigError(
            f"--api-key-file {file} holds more than {_LONGEST_KEY} bytes: give a file with the key alone"
        )
    key = found.decode("utf-8", "replace").rstrip("\r\n")
    if not key.strip():
        raise ConfigError(f"--api-key-file {file} is empty: put the key into it")
    return key


def a_time(_: click.Context, __: click.Parameter, value: float) -> float:
    """A number of seconds. Raises `BadParameter` for nan."""
    if math.isnan(value):
        raise click.BadParameter("nan is not a time")  # it is in every range, for it compares with nothing
    return value


def origins(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """As browsers write them: in lower case, a scheme, a host and no more, without the port that goes by itself."""
    for origin in value:
        scheme, separator, host = origin.partition("://")
        if origin != "*" and not (scheme and separator and host and not set(host) & set("/?#@ *")):
            raise click.BadParameter(f"{origin!r} is no origin: write https://app.example.com, without a path, or *")
    return tuple(_as_sent(origin.lower()) for origin in value)


def _as_sent(origin: str) -> str:
    for scheme, port in (("https://", ":443"), ("http://", ":80")):
        if origin.startswith(scheme):
            return origin.removesuffix(port)
    return origin


_ON, _OFF = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def a_log_format(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The format, `on` for that of the log, or None where there is to be no log."""
    if value is None or value.lower() in _OFF:
        return None
    if value.lower() in _ON:
        return "on"
    if value.lower() not in ("text", "json"):
        raise click.BadParameter(f"{value!r} is not text or json")
    return value.lower()


def a_root_path(_: click.Context, __: click.Parameter, value: str) -> str:
    """A path without the slash at its end. Raises `BadParameter` for what is none."""
    found = value.rstrip("/")
    if found and not (
        found.startswith("/") and found.isascii() and found.isprintable() and not set(found) & set(" %?#")
    ):
        raise click.BadParameter(f"{value!r} is no path: write /models/minilm, with plain ASCII characters")
    return found


def a_number_or_auto(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """None for `auto`."""
    return None if value in (None, "auto") else click.IntRange(min=1)(value, parameter, context)


def check_key(key: str) -> None:
    """Raises `ConfigError` for a key that clients could not send in a header."""
    if not key.strip():
        raise ConfigError("--api-key is empty: give a key or leave it out")
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("--api-key has characters that headers cannot hold: use printable ASCII")
    if key != key.strip():
        raise ConfigError("--api-key begins or ends with a space, which headers lose: leave it out")
