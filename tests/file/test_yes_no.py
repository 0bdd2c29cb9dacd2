"""The built file of a reranker that is a language model: pairs of a JSON Lines file, with an instruction."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.yes_no import Reference, make_reranker

PAIRS = [("how tall is Stone Tower?", "Stone Tower rises 312 metres above the ground."), ("q", "no")]


def test_infer_scores_pairs_and_takes_an_instruction(files: Any, tmp_path: Path) -> None:
    folder = make_reranker(tmp_path / "a-reranker")
    reference = Reference(folder)
    file = files.build("a-reranker", folder)
    lines = "".join(json.dumps({"text": query, "text_pair": document}) + "\n" for query, document in PAIRS)
    for flags, instruction in (((), ()), (("--prompt", "Find poems"), ("Find poems",))):
        done = file.run("infer", "-i", "-", "--input-format", "jsonl", *flags, stdin=lines)
        assert done.returncode == 0, done.stderr
        found = [each["scores"][0] for each in json.loads(done.stdout)["results"]]
        assert found == pytest.approx([reference.score(*pair, *instruction) for pair in PAIRS], abs=1e-5)
    alone = file.run("infer", "a single text")
    assert alone.returncode == 1
    assert "send a pair, text and text_pair" in alone.stderr
