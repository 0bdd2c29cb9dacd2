"""Writes variants.json: ids and offsets of transformers' own tokenizers. Needs transformers, which no test does.

Run: python tests/exports/remake_variants.py
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoTokenizer
from variants import CUT, PAIR, TEXTS, VARIANTS


def entry(tokenizer: Any, text: str, pair: str | None, limit: int | None) -> dict[str, Any]:
    """One text, or a pair, cut at `limit` tokens."""
    found = tokenizer(text, pair, truncation=limit is not None, max_length=limit, return_offsets_mapping=True)
    return {"input_ids": found["input_ids"], "offsets": [list(each) for each in found["offset_mapping"]]}


def main() -> None:
    cases = {}
    for name, variant in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            tokenizer = AutoTokenizer.from_pretrained(variant.write(Path(folder) / "model"))
        cases[name] = [
            entry(tokenizer, text, pair, limit)
            for limit in (None, CUT)
            for text, pair in [*((text, None) for text in TEXTS), PAIR]
        ]
    body = json.dumps(
        {"made_with": f"transformers {transformers.__version__}", "cases": cases}, separators=(",", ":")
    )
    Path(__file__).with_name("variants.json").write_text(body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
