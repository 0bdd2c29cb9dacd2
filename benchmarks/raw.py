"""onnxruntime alone, which the server is compared with. Includes tokenising, nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer


class Raw:
    """A session with onnxruntime's own defaults, and the model's tokenizer."""

    def __init__(self, folder: Path, threads: int, max_length: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        self._names = [node.name for node in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)

    def run(self, texts: Sequence[str], batches: Sequence[Sequence[int]] | None = None, budget: int = 1024) -> float:
        """Seconds for all texts: in `batches` of indices, or sorted by length under a budget of padded tokens."""
        started = time.perf_counter()
        encoded = [each.ids for each in self._tokenizer.encode_batch_fast(list(texts))]
        for batch in batches or _sorted(encoded, budget):
            self._run([encoded[index] for index in batch])
        return time.perf_counter() - started

    def _run(self, rows: Sequence[Sequence[int]]) -> None:
        width = max(len(row) for row in rows)
        input_ids = np.zeros((len(rows), width), dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for index, row in enumerate(rows):
            input_ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        columns = {"input_ids": input_ids, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
        (output, *_) = self._session.run(None, {name: columns[name] for name in self._names})
        if output.ndim == 3:
            np.matmul(mask[:, None, :].astype(np.float32), output)


def _sorted(encoded: Sequence[Sequence[int]], budget: int) -> list[list[int]]:
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    batches: list[list[int]] = [[]]
    for index in order:
        if batches[-1] and (len(batches[-1]) + 1) * len(encoded[index]) > budget:
            batches.append([])
        batches[-1].append(index)
    return batches
