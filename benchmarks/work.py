"""What a framework does in one row of the table: a step to be timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Step = Callable[[], None]

# A rate so small that thousands of steps leave the network where training starts. On one batch
# with a usual rate it would learn the batch by heart, and gradients near 1e-40 would be timed.
RATE = 1e-6


@dataclass(frozen=True)
class Work:
    """One row's work in one framework, ready to run.

    Attributes:
        step: does it once; finished when it returns.
        look: a number that is finite when the work went well: the last loss, or a result's sum.
        parameters: how many numbers the model learns; the same in every framework.
        again: the same step on a batch of another size, for training.
    """

    step: Step
    look: Callable[[], float]
    parameters: int = 0
    again: Step | None = None


def normal(*shape: int) -> np.ndarray:
    """Normally distributed float32, the same in every framework."""
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def uniform(*shape: int) -> np.ndarray:
    """Evenly distributed float32 from 0 to 1, the same in every framework."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def another(size: int) -> int:
    """Another batch size, as an epoch's last batch has."""
    return size // 2 + 1 if size > 2 else size + 1


def labels(classes: int, *shape: int) -> np.ndarray:
    """Whole numbers below ``classes``, the same in every framework."""
    return np.random.default_rng(1).integers(0, classes, shape)
