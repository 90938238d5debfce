"""Python's operators on tensors. The arithmetic ones are the shortest way into recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bool_
from rushlight.base.errors import ArgTypeError, ArgValueError, OperationError
from rushlight.graph.op import Op

from .arguments import operand, unwrapped
from .data import fresh
from .tensor import Tensor, method

_NUMBERS = (float, int, bool, complex, np.generic, np.ndarray)


def _binary(op: Any, symbol: str) -> Callable[[Tensor, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        x = self._node if self._place is None else self.node
        if other.__class__ is Tensor:
            return Tensor(op.pair(x, other._node if other._place is None else other.node))
        if isinstance(other, Tensor):
            return Tensor(op.pair(x, other.node))
        if other.__class__ is float or other.__class__ is int:
            return Tensor(op.pair(x, other))
        if not isinstance(other, _NUMBERS):
            return NotImplemented
        return Tensor(op.pair(x, _number(other, symbol)))

    return operator


def _reflected(op: Op, symbol: str) -> Callable[[Tensor, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        # Python itself asks with a tensor and what is none; written out it may be otherwise.
        if not isinstance(other, (Tensor, *_NUMBERS)):
            return NotImplemented
        first = other.node if isinstance(other, Tensor) else _number(other, symbol)
        return Tensor(op(first, unwrapped(self, f"__r{symbol}__", "self", 1)))

    return operator


def _augmented(op: Op, symbol: str) -> Callable[[Tensor, Any], Tensor]:
    def operator(self: Tensor, other: Any) -> Tensor:
        value = other.node if isinstance(other, Tensor) else _number(other, symbol)
        return self._write(op(self.node, value), symbol)

    return operator


def _number(value: Any, symbol: str) -> Any:
    if isinstance(value, np.ndarray):
        return fresh(value).node
    return operand(value, symbol, "other", 2)


_ARITHMETIC = {
    "add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div,
    "floordiv": ops.floor_divide, "mod": ops.remainder, "pow": ops.pow, "and": ops.bitwise_and,
    "or": ops.bitwise_or, "xor": ops.bitwise_xor, "lshift": ops.bitwise_left_shift,
    "rshift": ops.bitwise_right_shift,
}  # fmt: skip
for _name, _op in _ARITHMETIC.items():
    setattr(Tensor, f"__{_name}__", _binary(_op, _name))
    setattr(Tensor, f"__r{_name}__", _reflected(_op, _name))
    setattr(Tensor, f"__i{_name}__", _augmented(_op, f"{_op.name}_"))

setattr(Tensor, "__rdiv__", Tensor.__rtruediv__)  # noqa: B010 - what Python 2 called it

for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Tensor, f"__{_name}__", _binary(getattr(ops, _name), _name))


@method
def __matmul__(self: Tensor, other: Tensor) -> Tensor:
    if not isinstance(other, Tensor):
        return NotImplemented
    return self.matmul(other)


@method
def __rmatmul__(self: Tensor, other: Any) -> Tensor:
    if isinstance(other, Tensor):
        return other.matmul(self)
    return fresh(other).matmul(self) if isinstance(other, np.ndarray) else NotImplemented


@method
def __reversed__(self: Tensor) -> Tensor:
    return self.flip(0) if self.ndim else self


@method
def __neg__(self: Tensor) -> Tensor:
    return Tensor(ops.neg(self.node))


@method
def positive(self: Tensor) -> Tensor:
    """The tensor itself.

    Raises:
        RuntimeError: it is of bools.
    """
    if self.dtype is bool_:
        raise OperationError(
            "positive",
            "The `+` operator, on a bool tensor is not supported.",
            rule="Use it as it is.",
        )
    return self


Tensor.__pos__ = positive  # type: ignore[attr-defined]


@method
def __invert__(self: Tensor) -> Tensor:
    if self.dtype.kind not in ("bool", "int"):
        raise ArgTypeError(
            "bitwise_not",
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors",
            rule=f"This tensor is {self.dtype}.",
        )
    return Tensor(ops.bitwise_not(self.node))


@method
def __abs__(self: Tensor) -> Tensor:
    return Tensor(ops.abs(self.node))


# As a number or a sequence ----------------------------------------------------------------------


@method
def __bool__(self: Tensor) -> bool:
    if self.numel() != 1:
        from rushlight.base.errors import OperationError

        some = "no values" if self.numel() == 0 else "more than one value"
        raise OperationError(
            "bool",
            f"Boolean value of Tensor with {some} is ambiguous",
            hint="Say what you mean with .any() or .all().",
        )
    return bool(self.item())


@method
def __float__(self: Tensor) -> float:
    return float(_only(self))


@method
def __int__(self: Tensor) -> int:
    return int(_only(self))


@method
def __complex__(self: Tensor) -> complex:
    return complex(_only(self))


def _only(tensor: Tensor) -> Any:
    """The number that a tensor stands for."""
    if tensor._node.spec.numel != 1:
        raise ArgValueError(
            "item",
            "only one element tensors can be converted to Python scalars",
            rule=f"This tensor is {tuple(tensor.shape)}.",
            hint="Reduce it first, as in x.sum(), or take x.tolist().",
        )
    return tensor.item()


@method
def __index__(self: Tensor) -> int:
    if self.numel() != 1 or self.dtype.kind not in ("int", "bool"):
        raise ArgTypeError(
            "index", "only integer tensors of a single element can be converted to an index"
        )
    return int(self.item())


@method
def __len__(self: Tensor) -> int:
    if not self.ndim:
        raise ArgTypeError("len", "len() of a 0-d tensor")
    return self._node.shape[0]


@method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    if not self.ndim:
        raise ArgTypeError("iter", "iteration over a 0-d tensor")
    return iter([self[k] for k in range(len(self))])


@method
def __contains__(self: Tensor, element: Any) -> bool:
    if not isinstance(element, (Tensor, *_NUMBERS)):
        raise OperationError(
            "contains",
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a"
            f" {type(element)}.",
        )
    return bool((self == element).any())


@method
def __format__(self: Tensor, spec: str) -> str:
    if self.ndim == 0 and type(self) is Tensor:  # PyTorch spares Parameter
        return format(self.item(), spec)
    return object.__format__(self, spec)
