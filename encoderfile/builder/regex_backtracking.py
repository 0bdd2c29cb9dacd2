"""Tokenizers split and replace by regular expressions, and some of those come to no end on some texts.

A pattern that tries every way to read `aaaa...!` takes twice as long for each letter more: in a server, one text
would hold a thread for good, because a call into the library cannot be interrupted. So the patterns are tried here,
in a process of their own with a limit on its time, on texts that such patterns do not like. Only the patterns: the
vocabulary has no part in it, and large ones take seconds to load.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from encoderfile.errors import InternalError, ModelError
from encoderfile.manifest import TokenizerSpec

CPU_SECONDS = 5
"""What all texts together may take; good patterns take some hundredths."""
_WALL_SECONDS = 120
"""The same on a machine that is busy with other things."""
_LONG, _SHORT = 2000, 64
"""Characters of a text. What doubles with every character is found by the short ones."""
_FAILED = 3

_REPEATS = re.compile(r"[*+?{]")
_UNITS = ("a", "A", "0", " ", "\n", "\t", "!", "_", "'", "é", "東", "ا", "😀", "aA", "a ", "a0", "a!", " \n", "ab ")
_MODEL = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}


def refuse_backtracking(tokenizer: Mapping[str, Any]) -> None:
    """Raises `ModelError` for a tokenizer.json with a pattern that comes to no end, or fails, on some text."""
    parts: dict[str, Any] = {name: tokenizer.get(name) for name in ("normalizer", "pre_tokenizer")}
    found = sorted(set(_patterns(parts)))
    # One repetition of one thing takes at most the square of a text's length, and is not worth a process.
    if all("(" not in pattern and len(_REPEATS.findall(pattern)) <= 1 for pattern in found):
        return
    body = {"version": "1.0", "added_tokens": [], "model": _MODEL, **parts}
    try:
        tried = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps({"tokenizer": body, "patterns": found}),
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "RUST_BACKTRACE": "0"},
            capture_output=True,
            text=True,
            timeout=_WALL_SECONDS,
            check=False,
        )
        good = tried.returncode in (0, 1)  # 1: no tokenizer at all, which has its own sentence
    except subprocess.TimeoutExpired:
        good = False
    if not good:
        shown = ", ".join(pattern[:100] for pattern in found[:3])
        raise ModelError(
            f"tokenizer.json splits or replaces by a pattern that comes to no end on some texts ({shown}): "
            "correct it, without one repetition inside another, or take another tokenizer"
        )


def _patterns(value: object) -> Iterator[str]:
    """Every `{"Regex": PATTERN}` in a part of tokenizer.json."""
    if isinstance(value, Mapping):
        if isinstance(value.get("Regex"), str):
            yield value["Regex"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _patterns(each)


def texts(patterns: list[str]) -> Iterator[str]:
    """Texts of much the same, with and without an end that does not fit, also of what the patterns spell out."""
    spelled = [re.sub(r"\\\W|\\[A-Za-z]|\{[\d,]*\}|[^\w\s]", " ", pattern).split() for pattern in patterns]
    words = list(dict.fromkeys(itertools.chain.from_iterable(spelled)))[:32]
    letters = list(dict.fromkeys("".join(patterns)))[:32]
    # What does not fit, alone and with all that a pattern may ask for: a text without it is passed over at once.
    ends = ("\u2603", "\u2603" + "".join(letters))
    for unit in dict.fromkeys([*_UNITS, *letters, *words]):
        repeated = unit * (_LONG // len(unit))
        yield repeated
        yield from (repeated + end for end in ends)
    for first, unit in itertools.product([*letters, *words], [*letters, *words, "a", "0", " "]):
        yield from (first + unit * (_SHORT // len(unit)) + end for end in ends)


def _try() -> int:
    """The process of its own: reads the patterns from stdin, and is ended by the system when they take too long."""
    import resource

    from encoderfile.model.tokenizer import Tokenizer

    asked = json.load(sys.stdin)
    tokenizer = Tokenizer(json.dumps(asked["tokenizer"]).encode(), TokenizerSpec(max_length=8))
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    try:
        for text in texts(asked["patterns"]):
            tokenizer([text], with_tokens=False)
    except InternalError:
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(_try())
