"""Common divisors and multiples of integers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight.base.dtypes import INTEGERS, DType

from .binary import Arithmetic


class OfIntegers(Arithmetic):
    """A function of two integers. Abstract."""

    numbers = ()
    dtypes: ClassVar[tuple[DType, ...]] = INTEGERS
    differentiable = False

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4, low=-30, high=30), make.int(4, low=-30, high=30)
        yield make.int(3, low=0, high=9), make.int(2, 1, low=0, high=9)
        yield make.int(0), make.int(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make.int(2), make.int(3)), RuntimeError, "must match"
        yield lambda: make.call(make(2), make(2)), RuntimeError, "not implemented for 'Float'"
        yield lambda: make.call(make.int(2), 2), TypeError, "must be Tensor, not int"


class Gcd(OfIntegers):
    """The greatest common divisor, never negative; 0 of two zeros.

    Example:
        >>> import rushlight as rl
        >>> rl.gcd(rl.tensor([5, 10, 15]), rl.tensor([3, 4, 5]))
        tensor([1, 2, 5])
    """

    name, torch = "gcd", "gcd(Tensor self, Tensor other) -> Tensor"

    def ref(self, a: Any, b: Any) -> Any:
        return np.gcd(a, b)


class Lcm(OfIntegers):
    """The least common multiple, never negative; 0 if one of them is.

    Example:
        >>> import rushlight as rl
        >>> rl.lcm(rl.tensor([5, 10, 15]), rl.tensor([3, 4, 5]))
        tensor([15, 20, 15])
    """

    name, torch = "lcm", "lcm(Tensor self, Tensor other) -> Tensor"

    def ref(self, a: Any, b: Any) -> Any:
        return np.lcm(a, b)


gcd = Gcd()
lcm = Lcm()
