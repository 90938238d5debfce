"""Complex numbers, which ONNX's operators do not take, as two tensors: real and imaginary parts.

What moves or adds numbers does the same to both parts, by its own mapping. Transforms are ONNX's
DFT. Inputs and outputs of a model stay real.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight.base.dtypes import DType
from rushlight.base.shapes import prod

from .elementwise import PARTS
from .sizes import Integer, Type
from .values import Value
from .writer import Declined, Writer


@dataclass(frozen=True, slots=True)
class Pair:
    """A complex value: its parts, which have one type."""

    re: Value
    im: Value
    dtype: DType
    number: Any = None
    tables: tuple[np.ndarray, ...] = ()

    @property
    def shape(self) -> tuple[Integer, ...]:
        return self.re.shape

    @property
    def ndim(self) -> int:
        return self.re.ndim


PART_BY_PART = {
    "reshape", "permute", "transpose", "t", "squeeze", "unsqueeze", "expand", "slice", "select",
    "cat", "stack", "flip", "roll", "index_select", "edge_select", "gather", "index", "sum", "mean",
    "neg", "add", "sub", "pad_constant", "where", "full", "sum_to", "unfold", "diagonal", "tril",
    "triu",
}  # fmt: skip
"""Operations that are the same for both parts."""


class Complex:
    """Writes one operation on complex values.

    Args:
        to: the writer.
        parts: writes the operation for one part, of values that are real.
        dtype: the result's.
        shape: the result's.
    """

    def __init__(
        self, to: Writer, parts: Callable[[Sequence[Any]], Value], dtype: DType, shape: Any
    ) -> None:
        self.to, self.parts, self.dtype, self.shape = to, parts, dtype, shape

    def written(self, name: str, given: Sequence[Any], attrs: dict[str, Any]) -> Any:
        """The result: a Pair, or the name of a real value."""
        if name in PART_BY_PART:
            re, im = ([_part(x, k) for x in given] for k in (0, 1))
            return Pair(self.parts(re), self.parts(im), self.dtype)
        rule: Any = getattr(self, f"_{name}", None)
        if rule is None:
            raise Declined("ONNX's operators do not take complex numbers")
        return rule(*given, **attrs)

    def _pair(self, re: str, im: str, shape: Any = None) -> Pair:
        kind = Type(tuple(self.shape if shape is None else shape), self.dtype.to_real())
        return Pair(Value(re, kind), Value(im, kind), self.dtype)

    # Arithmetic --------------------------------------------------------------------------------

    def _mul(self, a: Pair, b: Pair) -> Pair:
        to = self.to
        re = to("Sub", to("Mul", a.re, b.re), to("Mul", a.im, b.im))
        return self._pair(re, to("Add", to("Mul", a.re, b.im), to("Mul", a.im, b.re)))

    def _square(self, a: Pair) -> Pair:
        return self._mul(a, a)

    def _div(self, a: Pair, b: Pair) -> Pair:
        to, size = self.to, self._norm(b)
        re = to("Add", to("Mul", a.re, b.re), to("Mul", a.im, b.im))
        im = to("Sub", to("Mul", a.im, b.re), to("Mul", a.re, b.im))
        return self._pair(to("Div", re, size), to("Div", im, size))

    def _norm(self, x: Pair) -> str:
        made: str = self.to("Add", self.to("Mul", x.re, x.re), self.to("Mul", x.im, x.im))
        return made

    def _exp(self, x: Pair) -> Pair:
        to, size = self.to, self.to("Exp", x.re)
        return self._pair(to("Mul", size, to("Cos", x.im)), to("Mul", size, to("Sin", x.im)))

    # Between real and complex --------------------------------------------------------------------

    def _abs(self, x: Pair) -> str:
        return self.to("Sqrt", self._norm(x))

    def _angle(self, x: Pair) -> str | None:
        return PARTS["atan2"](self.to, x.re.dtype, x.im.name, x.re.name)

    def _real(self, x: Pair) -> Value:
        return x.re

    def _imag(self, x: Pair) -> Value:
        return x.im

    def _conj(self, x: Pair) -> Pair:
        return self._pair(x.re.name, self.to("Neg", x.im))

    def _complex(self, re: Value, im: Value) -> Pair:
        return Pair(re, im, self.dtype)

    def _cast(self, x: Any, dtype: DType) -> Pair:
        if not dtype.is_complex or (isinstance(x, Pair) and x.dtype is not dtype):
            raise Declined("complex numbers are not converted")
        if isinstance(x, Pair):
            return x
        re = self.to.cast(x, dtype.to_real())
        zero = np.zeros((), dtype.to_real().numpy)
        return self._pair(re, self.to("Expand", zero, x.shape))

    def _view_as_real(self, x: Pair) -> str:
        return self.joined(x)

    def _view_as_complex(self, x: Value) -> Pair:
        return self.apart(x)

    def joined(self, x: Any) -> str:
        """Both parts side by side in a last dimension."""
        made: str = self.to("Concat", *(self.to("Unsqueeze", p, [-1]) for p in _both(x)), axis=-1)
        return made

    def apart(self, x: Any, shape: Any = None) -> Pair:
        """The parts of what has them in its last dimension."""
        re, im = (self.to("Gather", x, np.int64(k), axis=-1) for k in (0, 1))
        return self._pair(re, im, shape)

    # Transforms ----------------------------------------------------------------------------------

    def _fourier_from_real(self, x: Value, dims: Any, scale: str, onesided: bool) -> Pair:
        y = self.transform(self.to("Unsqueeze", x, [-1]), dims[-1], False, onesided)
        for dim in dims[:-1]:
            y = self.transform(y, dim, False)
        return self.apart(self.scaled(y, [x.shape[d] for d in dims], scale, True, x))

    def _fourier_complex(self, x: Pair, dims: Any, scale: str, forward: bool) -> Pair:
        y = self.joined(x)
        for dim in dims:
            y = self.transform(y, dim, not forward)
        return self.apart(self.scaled(y, [x.shape[d] for d in dims], scale, forward, x.re))

    def _fourier_to_real(self, x: Pair, dims: Any, scale: str, size: int) -> str:
        to, last = self.to, dims[-1]
        kept = size // 2 + 1
        half = [to("Slice", part, [0], [kept], [last]) for part in _both(x)]
        missing = np.arange(size - kept, 0, -1)
        others = [to("Gather", part, missing, axis=last) for part in half]
        for dim in dims[:-1]:  # the conjugate of an element stands at minus its place
            others = [self._negated(part, dim, x.shape[dim]) for part in others]
        others[1] = to("Neg", others[1])
        re, im = (to("Concat", a, b, axis=last) for a, b in zip(half, others, strict=True))
        y = self.joined((re, im))
        for dim in dims:
            y = self.transform(y, dim, True)
        sizes = [*(x.shape[d] for d in dims[:-1]), size]
        made: str = to("Gather", self.scaled(y, sizes, scale, False, x.re), np.int64(0), axis=-1)
        return made

    def _negated(self, x: str, dim: int, size: Integer) -> str:
        if not isinstance(size, int):
            raise Declined("a transform of a dynamic size")
        made: str = self.to("Gather", x, -np.arange(size) % size, axis=dim)
        return made

    def transform(self, x: str, dim: int, inverse: bool, onesided: bool = False) -> str:
        """ONNX's DFT along a dimension of what has its parts in the last one."""
        form: dict[str, Any] = {"inverse": inverse, "onesided": onesided}
        if self.to.opset < 20:
            return self.to("DFT", x, axis=dim, **form)
        return self.to("DFT", x, None, np.int64(dim), **form)

    def scaled(self, y: str, sizes: Sequence[Integer], scale: str, forward: bool, x: Value) -> str:
        """By a number that depends on how many elements are transformed."""
        if not all(isinstance(n, int) for n in sizes):
            raise Declined("a transform of a dynamic size")
        count = float(prod(tuple(sizes)))
        divided = {"none": 1.0, "root": count**0.5, "count": count}[scale]
        factor = 1 / divided if forward else count / divided  # the inverse is divided already
        return y if factor == 1 else self.to("Mul", y, self.to.like(factor, x))


def _both(x: Any) -> tuple[Any, Any]:
    return (x.re, x.im) if isinstance(x, Pair) else x


def _part(x: Any, k: int) -> Any:
    return (x.re, x.im)[k] if isinstance(x, Pair) else x
