"""Arithmetic on the bits of integers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight.base.dtypes import INTEGERS, DType, bool_

from .binary import Arithmetic


class Bitwise(Arithmetic):
    """Bit by bit on integers, logically on bools. Abstract."""

    dtypes: ClassVar[tuple[DType, ...]] = (bool_, *INTEGERS)
    differentiable = False

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4, low=-9, high=9), make.int(4, low=0, high=9)
        yield make.bool(3, 4), make.bool(4)
        yield make.int(0), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), make(2)), RuntimeError, "not implemented for 'Float'"
        yield lambda: make.call(make.int(2), make.int(3)), RuntimeError, "must match"


class BitwiseAnd(Bitwise):
    """``input & other``."""

    name, torch = "bitwise_and", "bitwise_and(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.and_(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.bitwise_and(a, b)


class BitwiseOr(Bitwise):
    """``input | other``."""

    name, torch = "bitwise_or", "bitwise_or(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.or_(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.bitwise_or(a, b)


class BitwiseXor(Bitwise):
    """``input ^ other``."""

    name, torch = "bitwise_xor", "bitwise_xor(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.xor(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.bitwise_xor(a, b)


class Shift(Bitwise):
    """Bits moved to the left or to the right. Abstract."""

    dtypes = INTEGERS

    def samples(self, make: Any) -> Any:
        yield make.int(3, 4, low=0, high=99), make.int(4, low=0, high=5)
        yield make.int(3, low=-9, high=9), 2


class LeftShift(Shift):
    """``input << other``."""

    name, torch = "bitwise_left_shift", "bitwise_left_shift(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.shl(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.left_shift(a, b)


class RightShift(Shift):
    """``input >> other``."""

    name, torch = "bitwise_right_shift", "bitwise_right_shift(Tensor self, Tensor other) -> Tensor"

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.shr(x, y)

    def ref(self, a: Any, b: Any) -> Any:
        return np.right_shift(a, b)


bitwise_and = BitwiseAnd()
bitwise_or = BitwiseOr()
bitwise_xor = BitwiseXor()
bitwise_left_shift = LeftShift()
bitwise_right_shift = RightShift()
