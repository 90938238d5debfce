"""Golden inputs and outputs, and how far something is from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rushlight.base.errors import OperationError

Golden = tuple[list[np.ndarray], list[np.ndarray]]
"""Inputs, and the outputs that they must give."""

Run = Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]


def compared(
    goldens: Sequence[Golden], names: Sequence[str], call: Run, tolerance: float = 1e-5
) -> float:
    """Compares what ``call`` gives for golden inputs with the golden outputs.

    Args:
        names: of the outputs.
        tolerance: the difference allowed, of numbers up to 1; beyond, of a part of them.
    Returns:
        The largest difference.
    Raises:
        RuntimeError: there are none, or a difference is larger than the tolerance.
    """
    largest = 0.0
    if not goldens:
        raise OperationError("selftest", "the program has no golden outputs to compare with")
    for inputs, wanted in goldens:
        found = call(inputs)
        for name, a, b in zip(names, found, wanted, strict=True):
            difference = _difference(np.asarray(a), b)
            largest = max(largest, difference)
            if not difference <= tolerance:
                raise OperationError(
                    "selftest",
                    f"{name} differs from its golden values by {difference:.3g}, more than"
                    f" {tolerance:g}",
                )
    return largest


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference, of large numbers as a part of them; infinite for another shape."""
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    kind = np.complex128 if np.iscomplexobj(b) else np.float64
    x, y = a.astype(kind), b.astype(kind)
    with np.errstate(all="ignore"):
        apart = np.abs(x - y) / np.maximum(np.abs(y), 1)
    same = (x == y) | (np.isnan(x) & np.isnan(y))
    apart = np.where(same, 0, np.where(np.isnan(apart), np.inf, apart))
    return float(apart.max())
