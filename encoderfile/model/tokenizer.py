"""Texts to token ids. The only importer of `tokenizers`.

The library's tokenizer is configured once: changing truncation or padding while another thread encodes
raises "Already borrowed", so nothing here depends on a request. Padding is done in numpy (`padding.py`).
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer as LibraryTokenizer

from encoderfile.errors import (
    ConfigError,
    EncoderfileError,
    InternalError,
    ModelError,
    NoRoomError,
    TokenIdsError,
)
from encoderfile.manifest import TokenizerSpec
from encoderfile.model import special_tokens
from encoderfile.model.pairs import Known, shares
from encoderfile.model.reading import FAR, Reader, UnsettledError
from encoderfile.model.special_tokens import Part, encoded, kept_of, token_infos
from encoderfile.model.window_places import check_stride, window_places
from encoderfile.types import EncodedText, Followed, IntArray, Spelled, Text, TokenIds, TokenInfo, Words


class Tokenizer:
    """`tokenizer.json`, truncated at the manifest's limit. Safe to share between threads."""

    def __init__(self, data: bytes, spec: TokenizerSpec) -> None:
        """Raises `ModelError` when `data` is no tokenizer or its special tokens leave no room for text."""
        # Truncation stays off: the library would still tokenise all of a text, and for a pair it makes every
        # combination of the chunks that are left over. It is done here instead.
        self._data = data
        self._library = _loaded(data, spec)
        self._templates = [special_tokens.learn(self._library.encode, n) for n in (1, 2)]
        self._limited: dict[tuple[int, str], Tokenizer] = {}
        self._set_limit(spec)

    def _set_limit(self, spec: TokenizerSpec) -> None:
        self.spec = spec
        self._room = [
            spec.max_length - self._library.num_special_tokens_to_add(is_pair=pair) for pair in (False, True)
        ]
        self._cutting = () if all(self._templates) else _cutting(self._data, spec)
        added = (len(token.content) for token in self._library.get_added_tokens_decoder().values())
        self._reader = Reader(
            self._whole, self._room[0], from_end=spec.truncation_side == "left", longest_added=max(added, default=0)
        )

    def __call__(
        self, texts: Sequence[Text], *, with_tokens: bool, known: Known | None = None, patient: bool = True
    ) -> list[EncodedText]:
        """Encodes texts, or pairs, with special tokens; `with_tokens` adds token strings and offsets.

        `known` is what was read of other pairs of the request. Raises `InternalError` when the library fails,
        `NoRoomError` for a pair that cannot be truncated, and unless `patient` `UnsettledError`.
        """
        known = Known() if known is None else known
        with _failures_named():
            singles = [text for text in texts if isinstance(text, str)]
            read = iter(self._read(singles, with_tokens, patient))
            if len(singles) < len(texts):
                pairs = (text for text in texts if not isinstance(text, str))
                missing = [text for text in dict.fromkeys(itertools.chain(*pairs)) if text not in known.parts]
                known.parts.update(zip(missing, self._read(missing, with_tokens, patient), strict=True))
            return [
                self._wrapped([next(read)], with_tokens)
                if isinstance(text, str)
                else self._wrapped(self._cut(text, index, known), with_tokens)
                for index, text in enumerate(texts)
            ]

    def limited(self, max_length: int) -> Tokenizer:
        """The same tokenizer with another limit, in tokens; made once for each. Raises `ModelError` for no room."""
        return self._with(max_length, self.spec.truncation_side)

    def truncating(self, side: str | None) -> Tokenizer:
        """The same tokenizer, which truncates on this side; None: on its own."""
        return self if side is None else self._with(self.spec.max_length, side)

    def _with(self, max_length: int, side: str) -> Tokenizer:
        found = self._limited.get((max_length, side))
        if found is None:
            found = copy.copy(self)
            found._set_limit(dataclasses.replace(self.spec, max_length=max_length, truncation_side=side))
            self._limited[max_length, side] = found
        return found

    def given(self, text: TokenIds, index: int, *, with_tokens: bool) -> EncodedText:
        """A text that is tokenised already, truncated at the limit; special tokens stay, as the library truncates.

        Raises `TokenIdsError`, for the text at `index`, where an id is not in the vocabulary, or the special tokens
        are missing: then they are another tokenizer's, or would not give what the text gives.
        """
        self.check_vocabulary(text.ids, index)
        ids = np.array(text.ids, dtype=np.int64)
        if self._templates[0] is not None:
            self._templates[0].check_ids(ids, index)
        special = self._special[ids]
        kept = kept_of(special, self.spec.max_length, self.spec.truncation_side)
        zeros = np.zeros(len(kept), dtype=np.int64)
        tokens = [TokenInfo(self.spell(each), each, 0, 0) for each in ids[kept].tolist()] if with_tokens else ()
        return EncodedText(ids[kept], zeros, special[kept], tuple(tokens), truncated=len(kept) < len(ids))

    def check_vocabulary(self, ids: Sequence[int], index: int) -> None:
        """Raises `TokenIdsError`, for the text at `index`, where an id is not in the vocabulary."""
        known = self.vocabulary_size
        wrong = next((each for each in ids if not 0 <= each < known), None)
        if wrong is not None:
            raise TokenIdsError(f"holds the token id {wrong}, and those of this model are 0 to {known - 1}", index)

    @functools.cached_property
    def _special(self) -> IntArray:
        """int64 [vocabulary]: 1 for the special tokens."""
        found = np.zeros(self.vocabulary_size, dtype=np.int64)
        added = self._library.get_added_tokens_decoder()
        found[[token_id for token_id, token in added.items() if token.special]] = 1
        return found

    def words(self, texts: Sequence[Words]) -> list[EncodedText]:
        """Encodes texts that are split into words, with special tokens and `word_ids`, truncated at the limit.

        Raises `InternalError` when the library fails.
        """
        with _failures_named():
            # The fast form has no word_ids.
            encodings = self._library.encode_batch([list(each.words) for each in texts], is_pretokenized=True)
        return list(map(self._of_words, encodings))

    def _of_words(self, encoding: Any) -> EncodedText:
        ids = np.asarray(encoding.ids, dtype=np.int64)
        word_ids = np.array([-1 if each is None else each for each in encoding.word_ids], dtype=np.int64)
        special = np.asarray(encoding.special_tokens_mask, dtype=np.int64)
        types = np.asarray(encoding.type_ids, dtype=np.int64)
        word_ids[special == 1] = -1
        kept = kept_of(special, self.spec.max_length, self.spec.truncation_side)
        return EncodedText(
            ids[kept], types[kept], special[kept], (), truncated=len(kept) < len(ids), word_ids=word_ids[kept]
        )

    def followed(self, text: Followed, patient: bool = True) -> EncodedText:
        """Encodes a text and what follows it, without tokens' strings, of which the text alone is truncated.

        Raises `NoRoomError` where what follows leaves no room for the text, and what a call raises.
        """
        with _failures_named():
            first, second = self._read([text.text, text.by], with_tokens=False, patient=patient)
            room = self._room[0] - len(second.ids)
            if second.more or room < (len(first.ids) > 0):
                raise NoRoomError("is followed by too much text, which leaves no room for it: shorten that")
            first = self._truncated(first, room)
            ids = np.concatenate([first.ids, second.ids])
            return self._wrapped([Part(ids, (), first.more, text.text)], with_tokens=False)

    def count(self, text: str) -> int:
        """Tokens of all of a text, without special ones; those of a very long one are estimated from its beginning.

        Raises `InternalError` when the library fails.
        """
        begin = text[: 4 * FAR]
        with _failures_named():
            found = sum(self._length(begin[start : start + FAR]) for start in range(0, len(begin), FAR))
        return found if len(begin) == len(text) else found * len(text) // len(begin)

    def specials(self, *, pair: bool) -> int:
        """Special tokens around a text, or around two."""
        return self.spec.max_length - self._room[pair]

    def prompt_tokens(self, prompt: str, patient: bool = True) -> int:
        """How many tokens at the beginning of a text are those of its prompt, the first special ones included.

        As sentence-transformers' `Transformer._get_prompt_length`: the tokens of the prompt alone, without a special
        one at their end.
        """
        (alone,) = self([prompt], with_tokens=False, patient=patient)
        if not len(alone):
            return 0
        last = int(alone.input_ids[-1])
        named = self._library.get_added_tokens_decoder().get(last)
        special = bool(alone.special_tokens_mask[-1]) or (named is not None and named.special)
        return len(alone) - (special or last == self.spec.unknown_token_id)

    @property
    def has_windows(self) -> bool:
        """Whether `windows` can be made: the special tokens stand around a text."""
        return self._templates[0] is not None

    def windows(self, text: str, stride: int, most: int | None = None) -> list[EncodedText]:
        """All of one text, with tokens, in windows of the limit that overlap by `stride` tokens.

        Raises `ConfigError` for a stride as large as a window, `RequestTooLargeError` where they would be more than
        `most`, `InternalError` when the library fails.
        """
        if not self.has_windows:
            raise ConfigError("the special tokens of this model do not stand around a text: leave the stride out")
        check_stride(stride, self._room[0])
        with _failures_named():
            whole = self._whole(text)
        ids, tokens = np.asarray(whole.ids, dtype=np.int64), token_infos(whole)
        return [
            self._wrapped([Part(ids[place], tokens[place], False, text)], with_tokens=True)
            for place in window_places(len(ids), self._room[0], stride, self.spec.truncation_side, most)
        ]

    def _whole(self, text: str) -> Any:
        """All of one text, without special tokens."""
        return self._library.encode_batch([text], add_special_tokens=False)[0]

    def _read(self, texts: Sequence[str], with_tokens: bool, patient: bool) -> list[Part]:
        """What is kept of each text; the short ones go to the library together, which has threads of its own."""
        short = [text for text in texts if len(text) <= self._reader.short]
        encode = self._library.encode_batch if with_tokens else self._library.encode_batch_fast
        encodings = iter(encode(short, add_special_tokens=False) if short else ())
        return [
            self._reader.part(text, next(encodings), with_tokens)
            if len(text) <= self._reader.short
            else self._reader.read(text, with_tokens, patient)
            for text in texts
        ]

    def _cut(self, pair: tuple[str, str], index: int, known: Known) -> list[Part]:
        """What is kept of the pair at `index`. Raises `NoRoomError` if the text that may be truncated has no room."""
        first, second = (known.parts[text] for text in pair)
        room, strategy = self._room[1], self.spec.truncation_strategy
        if first.more and second.more and room % 2:
            kept = shares(strategy, room, *known.lengths(pair, self._length))  # the longer one gets the odd token
        else:
            kept = shares(strategy, room, len(first.ids) + first.more, len(second.ids) + second.more)
        if kept is None:
            which = "second" if strategy == "only_first" else "first"
            raise NoRoomError(
                f"has a {which} text of {room} tokens or more, which is never truncated here and leaves no room "
                "for the other: shorten it",
                index,
            )
        return [self._truncated(first, kept[0]), self._truncated(second, kept[1])]

    def _truncated(self, part: Part, count: int) -> Part:
        return part.last(count) if self.spec.truncation_side == "left" else part.first(count)

    def _length(self, text: str) -> int:
        """Tokens of all of a text, without special ones."""
        return len(self._library.encode_batch_fast([text], add_special_tokens=False)[0])

    def _wrapped(self, parts: Sequence[Part], with_tokens: bool) -> EncodedText:
        template = self._templates[len(parts) - 1]
        if template is not None:
            return template.wrap(parts, with_tokens)
        library = self._cutting[len(parts) - 1]
        encode = library.encode_batch if with_tokens else library.encode_batch_fast
        encoding = encode([tuple(part.text for part in parts) if len(parts) == 2 else parts[0].text])[0]
        found = encoded(encoding, with_tokens=with_tokens)
        return dataclasses.replace(found, truncated=any(part.more for part in parts))

    def spelled(self, text: str, add_special_tokens: bool) -> Spelled:
        """All of one text, never truncated. Raises `InternalError` when the library fails."""
        with _failures_named():
            encoding = self._library.encode_batch([text], add_special_tokens=add_special_tokens)[0]
        return Spelled(token_infos(encoding), encoding.special_tokens_mask)

    def decoded(self, ids: Sequence[int], skip_special_tokens: bool) -> str:
        """The text of token ids. Raises `InternalError` when the library fails."""
        with _failures_named():
            return str(self._library.decode(list(ids), skip_special_tokens=skip_special_tokens))

    def spell(self, token_id: int) -> str:
        """The vocabulary's spelling of a token; empty for an unknown id."""
        return self._library.id_to_token(token_id) or ""

    def join(self, tokens: Sequence[str]) -> str:
        """Tokens as text, by the tokenizer's own decoder; without one, with spaces between."""
        decoder = self._library.decoder
        return " ".join(tokens) if decoder is None else str(decoder.decode(list(tokens)))

    @property
    def continuing_prefix(self) -> str | None:
        """What marks a token that continues a word (`##`), or None where nothing does."""
        return getattr(self._library.model, "continuing_subword_prefix", None) or None

    @functools.cached_property
    def vocabulary_size(self) -> int:
        """The largest token id, plus one."""
        return max(self._library.get_vocab(with_added_tokens=True).values(), default=-1) + 1

    def token_to_id(self, token: str) -> int | None:
        """The id of `token`, or None when it is not in the vocabulary."""
        found: int | None = self._library.token_to_id(token)
        return found


def _loaded(data: bytes, spec: TokenizerSpec) -> LibraryTokenizer:
    try:
        tokenizer = LibraryTokenizer.from_buffer(data)
    except Exception as error:  # the library's errors have no base of their own
        raise ModelError(
            f"tokenizer.json cannot be read ({_first_line(error)}): export the tokenizer again"
        ) from error
    specials = tokenizer.num_special_tokens_to_add(is_pair=True)
    if spec.max_length <= specials:
        raise ModelError(
            f"the limit of {spec.max_length} tokens leaves no room beside {specials} special tokens: "
            "choose a larger --max-length"
        )
    if spec.stride >= spec.max_length - specials:
        raise ModelError(
            f"a stride of {spec.stride} tokens leaves nothing of the limit of {spec.max_length} tokens, "
            f"{specials} of them special: choose a smaller stride"
        )
    tokenizer.encode_special_tokens = spec.split_special_tokens
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _cutting(data: bytes, spec: TokenizerSpec) -> tuple[LibraryTokenizer, LibraryTokenizer]:
    """Tokenizers of a text and of a pair that truncate by themselves, for special tokens that follow no template."""
    pair = (_loaded(data, spec), _loaded(data, spec))
    # The library fails on a single text when only the second of a pair may be truncated.
    for tokenizer, strategy in zip(pair, ("longest_first", spec.truncation_strategy), strict=True):
        tokenizer.enable_truncation(spec.max_length, strategy=strategy, direction=spec.truncation_side)
    return pair


@contextlib.contextmanager
def _failures_named() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit, EncoderfileError, UnsettledError):
        raise
    except BaseException as error:  # a panic of the library's Rust part is no `Exception`
        raise InternalError("the tokenizer failed on this text") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
