"""Refuses tokenizers whose regular expressions backtrack without end on some texts.

A pattern that tries every way to match `aaaa...!` takes twice as long for each further letter: in a server, one text
would block a thread for good, because a call into the library cannot be interrupted. So the patterns are tried here,
in a process of their own with a time limit, on texts that such patterns fail on. Without the vocabulary, which plays
no part in it, and takes seconds to load when it is large.
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
"""The limit for all texts together; good patterns take some hundredths of a second."""
_WALL_SECONDS = 120
"""The same on a machine that is busy."""
_LONG, _SHORT = 2000, 64
"""Characters of a text. Patterns whose time doubles with every character are found by the short ones."""
_FAILED = 3

_REPEATS = re.compile(r"[*+?{]")
_UNITS = ("a", "A", "0", " ", "\n", "\t", "!", "_", "'", "é", "東", "ا", "😀", "aA", "a ", "a0", "a!", " \n", "ab ")
_MODEL = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}


def refuse_backtracking(tokenizer: Mapping[str, Any]) -> None:
    """Raises `ModelError` for a tokenizer.json with a pattern that takes too long, or fails, on some text."""
    parts: dict[str, Any] = {name: tokenizer.get(name) for name in ("normalizer", "pre_tokenizer")}
    found = sorted(set(_patterns(parts)))
    # A single repetition without groups takes at most the square of a text's length, and is not worth a process.
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
        good = tried.returncode in (0, 1)  # 1: not a tokenizer at all, for which there is another error
    except subprocess.TimeoutExpired:
        good = False
    if not good:
        shown = ", ".join(pattern[:100] for pattern in found[:3])
        raise ModelError(
            f"tokenizer.json has a regular expression that takes too long on some texts ({shown}): correct it so "
            "that no repetition is inside another one, or use another tokenizer"
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
    """Repetitions, with and without an end that does not match; also of the words and letters in the patterns."""
    spelled = [re.sub(r"\\\W|\\[A-Za-z]|\{[\d,]*\}|[^\w\s]", " ", pattern).split() for pattern in patterns]
    words = list(dict.fromkeys(itertools.chain.from_iterable(spelled)))[:32]
    letters = list(dict.fromkeys("".join(patterns)))[:32]
    # What does not match, alone and with all that a pattern may look for: a text without that is rejected at once.
    ends = ("\u2603", "\u2603" + "".join(letters))
    for unit in dict.fromkeys([*_UNITS, *letters, *words]):
        repeated = unit * (_LONG // len(unit))
        yield repeated
        yield from (repeated + end for end in ends)
    for first, unit in itertools.product([*letters, *words], [*letters, *words, "a", "0", " "]):
        yield from (first + unit * (_SHORT // len(unit)) + end for end in ends)


def _try() -> int:
    """Runs in its own process: reads the patterns from stdin, and is ended by the system when they take too long."""
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
