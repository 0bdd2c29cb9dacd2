"""The tokenizers library with some of its methods replaced, as our `Tokenizer` loads it."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from tokenizers import Tokenizer as LibraryTokenizer

from encoderfile.model import tokenizer


def replace_methods(monkeypatch: pytest.MonkeyPatch, **methods: Callable[..., Any]) -> None:
    """Every tokenizer loaded from now on has these `methods`; each is given the library's own one first."""

    def from_buffer(data: bytes) -> LibraryTokenizer:
        library = LibraryTokenizer.from_buffer(data)
        for name, method in methods.items():
            setattr(library, name, partial(method, getattr(library, name)))
        return library

    monkeypatch.setattr(tokenizer, "LibraryTokenizer", SimpleNamespace(from_buffer=from_buffer))
