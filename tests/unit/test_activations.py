"""The functions that make a cross-encoder's logit a score, against the formulas in torch.nn's documentation."""

import math
from collections.abc import Callable

import pytest

from encoderfile.tasks.numerics import ACTIVATIONS

LOGITS = (-1000.0, -20.0, -1.5, -0.25, 0.0, 0.25, 1.5, 20.0, 1000.0)


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0))


FORMULAS: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda x: 1 / (1 + _exp(-x)),
    "identity": lambda x: x,
    "tanh": math.tanh,
    "relu": lambda x: x if x > 0 else 0.0,
    "logsigmoid": lambda x: x if x < -500 else math.log(1 / (1 + _exp(-x))),
    "softplus": lambda x: x if x > 500 else math.log(1 + _exp(x)),
    "hardsigmoid": lambda x: 0.0 if x <= -3 else 1.0 if x >= 3 else x / 6 + 1 / 2,
    "hardtanh": lambda x: 1.0 if x > 1 else -1.0 if x < -1 else x,
    "softsign": lambda x: x / (1 + abs(x)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_what_its_formula_says(name: str) -> None:
    for logit in LOGITS:
        assert ACTIVATIONS[name](logit) == pytest.approx(FORMULAS[name](logit), rel=1e-6, abs=1e-8)
