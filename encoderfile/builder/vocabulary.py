"""The tokens of a tokenizer.json: its vocabulary and those added to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


class Vocabulary:
    """Looks tokens up in a parsed tokenizer.json, and adds some to it in place."""

    def __init__(self, tokenizer: Mapping[str, Any]) -> None:
        model = (tokenizer.get("model") or {}).get("vocab") or {}
        # Unigram's is a list of pieces and their weights.
        self._model: Mapping[str, int] = (
            model
            if isinstance(model, Mapping)
            else {entry[0]: index for index, entry in reversed([*enumerate(model)])}
        )
        self._size = len(model)
        added = tokenizer.get("added_tokens") or ()
        self._added: dict[str, Json] = {token["content"]: token for token in added}

    def id_of(self, token: str) -> int | None:
        """The id of `token`, or None."""
        added = self._added.get(token)
        return self._model.get(token) if added is None else int(added["id"])

    def added(self, token: str) -> Json | None:
        """The added token spelled like that, with its id and flags."""
        return self._added.get(token)

    def add(self, content: str, flags: Mapping[str, Any], rows: int | None = None) -> None:
        """Adds a token, or gives one that is there other flags, as `Tokenizer.add_tokens` of tokenizers does.

        A new token takes the next id; it is left out where the model has only `rows` ids.
        """
        index = self.id_of(content)
        if index is None:
            last = max((int(token["id"]) for token in self._added.values()), default=-1)
            index = max(last + 1, self._size)
            if rows is not None and index >= rows:
                return
        token = {"id": index, "content": content, **{flag: bool(flags[flag]) for flag in _FLAGS}}
        found = self._added.get(content)
        if found is not None:
            # The library goes on to look for the token where it was looked for before, too.
            before, special = bool(found.get("normalized")), bool(found.get("special"))
            token["normalized"] = before if special else before and token["normalized"]
            token["special"] = special or token["special"]
        if content:
            self._added[content] = token

    def added_tokens(self) -> list[Json]:
        """All added tokens by id, as tokenizer.json holds them."""
        return sorted(self._added.values(), key=lambda token: int(token["id"]))


def flags_of(token: Mapping[str, Any]) -> Json:
    """The flags of an added token; one that is not special is normalised where nothing is said."""
    special = bool(token.get("special", False))
    return {flag: bool(token.get(flag, flag == "normalized" and not special)) for flag in _FLAGS[:-1]} | {
        "special": special
    }
