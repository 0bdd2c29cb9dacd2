"""Of a long text as much is read as settles its tokens: the answer is what the library gives for the whole."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as LibraryTokenizer

from encoderfile.manifest import TokenizerSpec
from encoderfile.model import reading
from encoderfile.model.tokenizer import Tokenizer
from support.models import EXAMPLES, MODELS

LIMIT = 21
LENGTH = 6000
FAR = 2500
"""Characters that are read at a time, here: every way of reading is gone within `LENGTH`."""


def folders() -> Iterator[tuple[str, Path]]:
    """Every tokenizer there is, each once: ours and those beside ENCODERFILE_TEST_MODELS (a folder)."""
    roots = [MODELS, EXAMPLES]
    more = os.environ.get("ENCODERFILE_TEST_MODELS")
    if more:
        roots += [Path(more), Path(more).parent / "kinds", Path(more).parent / "reports"]
    seen = set()
    for root in roots:
        for path in sorted(root.rglob("tokenizer.json")):
            data = path.read_bytes()
            if data not in seen:
                seen.add(data)
                yield f"{root.name}-{path.parent.relative_to(root)}", path


PATHS = dict(folders())
each_tokenizer = pytest.mark.parametrize("name", PATHS)


def nasty(specials: list[str]) -> dict[str, str]:
    """Texts for which a number of characters says little of the number of tokens."""
    rng = random.Random(11)
    mark = specials[-1] if specials else "..."
    words = "the of a 12 3,456.78 don't (so) e-mail é 東京 naïve ... 👨‍👩‍👧 été ﬁne İI Σς".split()
    alphabet = "ab,. \n\t1é漢\u0301\u200b😀-'\x00\u00a0" + "".join(specials)
    return {
        "words": " ".join(rng.choices(words, k=LENGTH // 4)),
        "random": "".join(rng.choices(alphabet, k=LENGTH)),
        "commas": "," * LENGTH,
        "one-word": "a" * LENGTH,
        "other-word": "".join(rng.choices("abcdefgh", k=LENGTH)),
        "digits": "1" * LENGTH,
        "spaces-before": " " * LENGTH + "one two three, " * 50,
        "spaces-within": "a" + " " * LENGTH + "one two three, " * 50,
        "spaces-then-commas": " " * LENGTH + "," * LENGTH,
        "deleted-then-words": "\u200b\x01" * (LENGTH // 2) + "one two three, " * 300,
        "accents": "a" + "\u0301" * LENGTH + " one two three" * 60,
        "accented": "a\u0301\u0323 " * (LENGTH // 4),
        "emoji": "👨‍👩‍👧" * (LENGTH // 5),
        "no-spaces": "".join(rng.choices("漢字かな東京", k=LENGTH)),
        "lines": "one two\r\n\r\n" * (LENGTH // 11),
        "specials": "".join(f"a {each} b{each} " for each in specials) * (LENGTH // 40),
        "specials-in-spaces": "a" + " " * LENGTH + (specials[-1] if specials else "b") + " b c" * 99,
        "tabs": "\t" * LENGTH,
        # So few tokens that the last one kept stands where the text is cut.
        **{f"sparse-{gap}": f"{' ' * gap}ab {mark}" * 300 for gap in range(20, 36, 3)},
        **{f"sparse-words-{gap}": f"{'a' * gap}{mark} " * 300 for gap in range(20, 36, 3)},
    }


class Both:
    """Our tokenizer and the library's, cut at the same limit."""

    def __init__(self, path: Path, limit: int = LIMIT, **spec: Any) -> None:
        self.ours = Tokenizer(path.read_bytes(), TokenizerSpec(max_length=limit, **spec))
        self.library = LibraryTokenizer.from_file(str(path))
        self.library.no_padding()
        self.specials = [token.content for token in self.library.get_added_tokens_decoder().values()]
        self.library.enable_truncation(
            limit,
            strategy=spec.get("truncation_strategy", "longest_first"),
            direction=spec.get("truncation_side", "right"),
        )

    def differ(self, text: str | tuple[str, str]) -> str:
        """What is not the same, in one word."""
        wanted = self.library.encode_batch([text])[0]
        fast = self.ours([text], with_tokens=False)[0]
        found = self.ours([text], with_tokens=True)[0]
        if found.input_ids.tolist() != wanted.ids or fast.input_ids.tolist() != wanted.ids:
            return "ids"
        if found.token_type_ids.tolist() != wanted.type_ids or fast.token_type_ids.tolist() != wanted.type_ids:
            return "types"
        if found.special_tokens_mask.tolist() != wanted.special_tokens_mask:
            return "mask"
        if [each.token for each in found.tokens] != wanted.tokens:
            return "tokens"
        if [(each.start, each.end) for each in found.tokens] != wanted.offsets:
            return "offsets"
        return "" if found.truncated == fast.truncated == bool(wanted.overflowing) else "truncated"


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_FAR", FAR)


@each_tokenizer
@pytest.mark.usefixtures("small_steps")
def test_a_long_text_has_the_tokens_of_the_whole(name: str) -> None:
    both = Both(PATHS[name])
    wrong = {each: both.differ(text) for each, text in nasty(both.specials).items()}
    assert {each: what for each, what in wrong.items() if what} == {}


@each_tokenizer
@pytest.mark.usefixtures("small_steps")
def test_a_long_text_that_is_cut_on_the_left_has_the_last_tokens_of_the_whole(name: str) -> None:
    both = Both(PATHS[name], truncation_side="left")
    texts = nasty(both.specials)
    wrong = {each: both.differ(text) for each, text in texts.items()}
    wrong |= {f"{each} reversed": both.differ(text[::-1]) for each, text in texts.items()}
    assert {each: what for each, what in wrong.items() if what} == {}
