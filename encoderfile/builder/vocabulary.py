"""The tokens of a tokenizer.json: its vocabulary and those added to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


class Vocabulary:
    """Looks tokens up in a parsed tokenizer.json, and adds some to it in place."""

    def __init__(self, tokenizer: Mapping[str, Any]) -> None:
        model = (tokenizer.get("model") or {}).get("vocab") or {}
        # Unigram's is a list of tokens and their weights.
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
        """The content and flags of the added token spelled like that, as `added_token` gives them."""
        found = self._added.get(token)
        return None if found is None else _bare(found)

    def add(self, tokens: Sequence[Json], rows: int | None) -> None:
        """Adds tokens, or changes the flags of those that are there, as `Tokenizer.add_tokens` of tokenizers does.

        A new token gets the next id; a new special one is left out where the model has only `rows` ids, because a
        text that contains it could not be answered. Source: tokenizers/src/tokenizer/added_vocabulary.rs.
        """
        before = dict(self._added)
        known = {tuple(_bare(token).values()) for token in before.values()}
        forms: dict[str, list[Json]] = {}
        for token in (*before.values(), *tokens):
            forms.setdefault(token["content"], []).append(token)
        new = max([self._size, *(int(token["id"]) + 1 for token in before.values())])
        for token in tokens:
            content, flags = token["content"], tuple(token.values())
            if not content or flags in known:
                continue
            index = self.id_of(content)
            if index is None:
                if token["special"] and rows is not None and new >= rows:
                    continue
                index, new = new, new + 1
            known.add(flags)
            self._added[content] = {"id": index, **token}
        self._added = {
            content: token | _searched(forms[content], content in before) for content, token in self._added.items()
        }

    def added_tokens(self) -> list[Json]:
        """All added tokens by id, as tokenizer.json holds them."""
        return sorted(self._added.values(), key=lambda token: int(token["id"]))


def added_token(token: Mapping[str, Any]) -> Json:
    """The content and flags of an added token; by default, one that is not special is normalised."""
    special = bool(token.get("special", False))
    flags = {flag: bool(token.get(flag, False)) for flag in ("single_word", "lstrip", "rstrip")}
    return {
        "content": str(token["content"]),
        **flags,
        "normalized": bool(token.get("normalized", not special)),
        "special": special,
    }


def content_of(token: object) -> str | None:
    """The text of a token, which files hold as a string or as an object with flags; None for anything else."""
    content = token.get("content") if isinstance(token, Mapping) else token
    return content if isinstance(content, str) else None


def _searched(forms: Sequence[Json], was_there: bool) -> Json:
    """Whether a token is searched in the normalised text, and whether it is special, after it was added as `forms`.

    The library keeps searching wherever it did before: the first special form decides, and without one all do.
    """
    special = next((form for form in forms if form["special"]), None)
    if special is None:
        counted = list(forms)
    else:
        counted = [special, forms[0]] if was_there and not forms[0]["special"] else [special]
    return {"normalized": all(form["normalized"] for form in counted), "special": special is not None}


def _bare(token: Mapping[str, Any]) -> Json:
    return {key: value for key, value in token.items() if key != "id"}
