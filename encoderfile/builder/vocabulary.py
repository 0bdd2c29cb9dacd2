"""The tokens of a tokenizer.json: its vocabulary and those added to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


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
        self._added: dict[str, Json] = {
            token["content"]: {"id": int(token["id"]), **added_token(token)} for token in added
        }

    def id_of(self, token: str) -> int | None:
        """The id of `token`, or None."""
        added = self._added.get(token)
        return self._model.get(token) if added is None else int(added["id"])

    def added(self, token: str) -> Json | None:
        """The added token spelled like that, with its id and flags."""
        return self._added.get(token)

    def add(self, tokens: Sequence[Json], rows: int | None) -> None:
        """Adds tokens, or gives those that are there other flags, as `Tokenizer.add_tokens` of tokenizers does.

        A new token takes the next id; a new special one is left out where the model has only `rows` ids, because a
        text that spells it would have no answer. Source: tokenizers/src/tokenizer/added_vocabulary.rs.
        """
        seen = [_bare(token) for token in self._added.values()]
        # Where a token is looked for is settled by its first special form, and by every form before that one.
        looked_for: dict[str, list[bool]] = {}
        specials = {
            token["content"]: token for token in reversed([*self._added.values(), *tokens]) if token["special"]
        }
        for token in [*self._added.values(), *tokens]:
            content, special = token["content"], specials.get(token["content"])
            if special is None or token is special or (token is self._added.get(content) and not token["special"]):
                looked_for.setdefault(content, []).append(token["normalized"])
        for token in tokens:
            content = token["content"]
            if not content or _bare(token) in seen:
                continue
            index = self._next_id() if (found := self.id_of(content)) is None else found
            if found is None and token["special"] and rows is not None and index >= rows:
                continue
            seen.append(_bare(token))
            self._added[content] = {"id": index, **token}
        for content, token in self._added.items():
            token |= {"normalized": all(looked_for[content]), "special": content in specials}

    def _next_id(self) -> int:
        last = max((int(token["id"]) for token in self._added.values()), default=-1)
        return max(last + 1, self._size)

    def added_tokens(self) -> list[Json]:
        """All added tokens by id, as tokenizer.json holds them."""
        return sorted(self._added.values(), key=lambda token: int(token["id"]))


def added_token(token: Mapping[str, Any]) -> Json:
    """The content and flags of an added token; one that is not special is normalised where nothing is said."""
    special = bool(token.get("special", False))
    flags = {flag: bool(token.get(flag, False)) for flag in ("single_word", "lstrip", "rstrip")}
    return {
        "content": str(token["content"]),
        **flags,
        "normalized": bool(token.get("normalized", not special)),
        "special": special,
    }


def _bare(token: Mapping[str, Any]) -> Json:
    return {key: value for key, value in token.items() if key != "id"}
