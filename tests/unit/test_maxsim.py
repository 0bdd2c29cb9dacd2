"""MaxSim of query rows and document rows."""

from __future__ import annotations

import numpy as np
import pytest

from encoderfile.tasks import maxsim
from encoderfile.types import FloatArray


def _rows(count: int, size: int = 8) -> FloatArray:
    return np.random.default_rng(count).standard_normal((count, size)).astype(np.float32)


def test_each_row_of_the_query_counts_its_best_row_of_the_document() -> None:
    query = np.array([[1, 0], [0, 2]], dtype=np.float32)
    document = np.array([[3, 1], [0, 4], [-1, -1]], dtype=np.float32)

    assert maxsim.maxsim(query, document) == 3 + 8


def test_large_products_are_made_in_blocks_with_the_same_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    query, document = _rows(33), _rows(70)
    whole = maxsim.maxsim(query, document)
    monkeypatch.setattr(maxsim, "_BLOCK", 71)

    assert maxsim.maxsim(query, document) == pytest.approx(whole, abs=1e-4)


def test_without_rows_the_score_is_zero() -> None:
    none = _rows(0)

    assert maxsim.maxsim(_rows(3), none) == 0
    assert maxsim.maxsim(none, _rows(3)) == 0
