"""The texts of the benchmarks: short, long and mixed, the same in every run."""

from __future__ import annotations

import random

_WORDS = """
    the quick brown fox jumps over a lazy dog while seven wizards brew strange potions in quiet cellars and nobody
    asks why letters to the editor about encoders grow longer every year or how many tokens a sentence really needs
""".split()


def make(kind: str, count: int, seed: int = 0) -> list[str]:
    """`count` texts: `short` (4-12 words), `long` (100-180), or `mixed` (4-180, most of them short)."""
    rng = random.Random(f"{kind}-{seed}")
    return [" ".join(rng.choices(_WORDS, k=_length(kind, rng))) for _ in range(count)]


def _length(kind: str, rng: random.Random) -> int:
    if kind == "short":
        return rng.randint(4, 12)
    if kind == "long":
        return rng.randint(100, 180)
    return min(180, 4 + int(rng.expovariate(1 / 40)))
