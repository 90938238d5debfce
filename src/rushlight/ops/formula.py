"""Functions of one number that are one formula for NumPy and for kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, DType, float64
from rushlight.graph.node import Node

from .unary import UnaryFloat


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """A polynomial by Horner's rule, highest power first."""
    total: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def chebyshev(coefficients: Sequence[float], x: Any) -> Any:
    """A sum of Chebyshev polynomials by Clenshaw's rule, lowest first, for ``x`` in [-1, 1]."""
    twice = x + x
    later, latest = 0.0 * x, 0.0 * x + coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        later, latest = latest, twice * latest - later + coefficient
    return x * latest - later + coefficients[0]


class Formula(UnaryFloat):
    """A function whose formula is written once, computed in doubles. Abstract."""

    dtypes: ClassVar[tuple[DType, ...]] = FLOATS
    ulp = 4

    def formula(self, m: Any, x: Any) -> Any:
        """The value at ``x``.

        Args:
            m: where the functions come from: NumPy when ``x`` is an array, ``rushlight.ops`` when
                it is a Node. Names, operators and Python numbers mean the same in both.
        """
        raise NotImplementedError

    def ref(self, x: Any) -> Any:
        return self.formula(np, np.asarray(x, np.float64))

    def expand(self, x: Node) -> Node:
        return ops.cast(self.formula(ops, ops.cast(x, float64)), x.dtype)
