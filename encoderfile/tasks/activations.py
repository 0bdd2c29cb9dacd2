"""Functions from a logit to a score, by the name of the torch.nn class, in small letters.

Each takes and gives a float; formulas as torch.nn has them, with the defaults of its classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))  # cannot overflow


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "sigmoid": _sigmoid,
    "identity": lambda x: x,
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "logsigmoid": lambda x: -_softplus(-x),
    "softplus": _softplus,
    "hardsigmoid": lambda x: min(max(x / 6.0 + 0.5, 0.0), 1.0),
    "hardtanh": lambda x: min(max(x, -1.0), 1.0),
    "softsign": lambda x: x / (1.0 + abs(x)),
}
