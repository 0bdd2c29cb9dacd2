"""What a refused model folder is answered with."""

import re
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.check import check
from encoderfile.builder.config import BuildConfig
from encoderfile.errors import ConfigError, EncoderfileError, ModelError


def one_sentence(error: EncoderfileError) -> str:
    """The error's text, which must be one sentence: what is wrong, then what to do."""
    text = str(error)
    assert "\n" not in text
    ours = re.sub(r"\(.*?\): ", "(): ", text)  # what a library said stands in brackets, in its own words
    assert not re.search(r"[a-z)][.!] [A-Z]", ours), f"more than one sentence: {text}"
    assert not ours.endswith("."), text
    assert ": " in ours or " should " in ours, f"says what is wrong and not what to do: {text}"
    assert len(text) < 600, text
    return text


def refusal(folder: Path, **config: Any) -> str:
    """The sentence with which the check refuses `folder`."""
    with pytest.raises((ModelError, ConfigError)) as refused:
        check(BuildConfig(path=folder, **config))
    return one_sentence(refused.value)
