"""The functions of ``fft``: six transforms, each along one, two or any number of dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import float16
from rushlight.base.errors import ArgTypeError, DTypeError, OperationError, RangeError, ShapeError
from rushlight.base.promotion import default_dtype
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite

from .elementwise import TORCH_NAMES

Sizes = int | Sequence[int] | None

FORWARD = {"backward": "none", "ortho": "root", "forward": "count"}
BACKWARD = {"backward": "count", "ortho": "root", "forward": "none"}
"""What a direction divides by for PyTorch's ``norm``."""


class Transform(Composite):
    """One of the six kinds of transform. Abstract.

    Attributes:
        takes: the kind of numbers it takes: ``"complex"`` (real ones too) or ``"real"``.
        some: whether it must transform at least one dimension.
    """

    module: ClassVar[str] = "fft"
    takes: ClassVar[str] = "complex"
    some: ClassVar[bool] = False
    ulp = 256

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        """``x`` transformed along ``dims``, of which the last has ``sizes[-1]`` elements."""
        raise NotImplementedError

    def stored(self, size: int) -> int:
        """How many elements of the last dimension are given when it has ``size``."""
        return size

    def full(self, there: int) -> int:
        """The size of the last dimension of which ``there`` elements are given."""
        return there

    def _run(self, x: Node, sizes: Sequence[int], dims: Shape, norm: str | None) -> Node:
        """``sizes`` of -1 keep what is there."""
        norm = self._norm(norm)
        x = self._numbers(x)
        if self.some and not dims:
            raise OperationError(
                f"fft.{self.public}", f"{self.public} must transform at least one axis"
            )
        kept = [x.shape[d] if n == -1 else int(n) for n, d in zip(sizes, dims, strict=True)]
        if dims and sizes[-1] == -1:
            kept[-1] = self.full(x.shape[dims[-1]])
        for n in kept:
            if n < 1:
                raise ShapeError(
                    f"fft.{self.public}", f"Invalid number of data points ({n}) specified"
                )
        given = [*kept[:-1], *(self.stored(n) for n in kept[-1:])]
        return self.transformed(resized(x, given, dims), tuple(kept), dims, norm)

    @property
    def public(self) -> str:
        """The name that a user calls."""
        return self.name.removeprefix("fft_")

    def _norm(self, norm: Any) -> str:
        if norm is None:
            return "backward"
        if not isinstance(norm, str):
            raise ArgTypeError(
                f"fft.{self.public}",
                f"{self.name}(): argument 'norm' must be str, not {type(norm).__name__}",
            )
        if norm not in FORWARD:
            raise OperationError(f"fft.{self.public}", f'Invalid normalization mode: "{norm}"')
        return norm

    def _numbers(self, x: Node) -> Node:
        if x.dtype.kind in ("bool", "int"):
            x = ops.cast(x, default_dtype())
        kind = TORCH_NAMES[x.dtype.name][1:-1]
        if x.dtype.is_half:
            raise DTypeError(f"fft.{self.public}", f"Unsupported dtype {kind}")
        if self.takes == "real" and x.dtype.is_complex:
            raise DTypeError(
                f"fft.{self.public}",
                f"{self.public} expects a real input tensor, but got {kind}",
            )
        return x

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), norm="other"), RuntimeError, "normalization mode"
        yield lambda: make.call(make(3, 4), norm=1), TypeError, "must be str, not int"
        yield lambda: make.call(make(3, 4, dtype=float16)), RuntimeError, "Unsupported dtype Half"
        if self.takes == "real":
            yield lambda: make.call(make.complex(3, 4)), RuntimeError, "expects a real input"


def resized(x: Node, sizes: Sequence[int], dims: Shape) -> Node:
    """``x`` cut, or filled up with zeros, to ``sizes`` along ``dims``."""
    for n, d in zip(sizes, dims, strict=True):
        if n < x.shape[d]:
            x = ops.slice_(x, d, 0, n)
        elif n > x.shape[d]:
            pairs = tuple((0, n - x.shape[d] if k == d else 0) for k in range(x.ndim))
            x = ops.pad_constant.record((x, number(0, x.dtype)), pairs)
    return x


# How many dimensions -----------------------------------------------------------------------------


class Along(Transform):
    """A transform along one dimension. Abstract."""

    def __call__(
        self, x: Node, n: int | None = None, dim: int = -1, norm: str | None = None
    ) -> Node:
        if not x.ndim:
            raise RangeError(
                f"fft.{self.public}", f"Dimension specified as {dim} but tensor has no dimensions"
            )
        place = shapes.axis(f"fft.{self.public}", dim, x.ndim)
        if n is not None and (isinstance(n, bool) or not hasattr(n, "__index__")):
            raise ArgTypeError(
                f"fft.{self.public}",
                f"{self.name}(): argument 'n' must be int, not {type(n).__name__}",
            )
        if n == -1:
            raise ShapeError(f"fft.{self.public}", "Invalid number of data points (-1) specified")
        return self._run(x, (-1 if n is None else n,), (place,), norm)

    def samples(self, make: Any) -> Any:
        made = make if self.takes == "real" else make.complex
        yield made(6)
        yield make(3, 5), 4, 0
        yield made(2, 3, 4), {"n": 7, "norm": "ortho"}
        yield made(4, 5).mT, {"norm": "forward"}
        yield make.int(4, 3), None, 0, "backward"
        yield made(1, 2)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), 0), RuntimeError, r"number of data points \(0\)"
        yield lambda: make.call(make(3), 2.5), TypeError, "must be int, not float"
        yield lambda: make.call(make(3), dim=1), IndexError, "Dimension out of range"
        yield lambda: make.call(make()), IndexError, "tensor has no dimensions"


class Over(Transform):
    """A transform over several dimensions. Abstract."""

    def __call__(
        self, x: Node, s: Sizes = None, dim: Sizes = None, norm: str | None = None
    ) -> Node:
        sizes = None if s is None else (s,) if isinstance(s, int) else tuple(s)
        dims = self._dims(x, sizes, dim)
        return self._run(x, (-1,) * len(dims) if sizes is None else sizes, dims, norm)

    def _dims(self, x: Node, sizes: Sequence[int] | None, dim: Sizes) -> Shape:
        where = f"fft.{self.public}"
        if dim is not None:
            given = (dim,) if isinstance(dim, int) else tuple(dim)
            dims = tuple(shapes.axis(where, d, x.ndim) for d in given)
            if len(set(dims)) != len(dims):
                raise OperationError(where, "FFT dims must be unique")
            if sizes is not None and len(sizes) != len(dims):
                raise OperationError(
                    where, "When given, dim and shape arguments must have the same length"
                )
            return dims
        if sizes is None:
            return tuple(range(x.ndim))
        if len(sizes) > x.ndim:
            raise ShapeError(
                where,
                f"Got shape with {len(sizes)} values but input tensor only has {x.ndim}"
                " dimensions.",
            )
        return tuple(range(x.ndim - len(sizes), x.ndim))

    def samples(self, make: Any) -> Any:
        made = make if self.takes == "real" else make.complex
        yield made(4, 5)
        yield make(2, 3, 4), (5, 3), (0, -1)
        yield made(3, 2, 4), {"dim": (2, 0), "norm": "ortho"}
        yield made(3, 4), (-1, 5), (0, 1), "forward"
        yield make.int(3, 4)

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        x = make(3, 4)
        yield lambda: make.call(x, dim=(0, 0)), RuntimeError, "FFT dims must be unique"
        yield lambda: make.call(x, (2, 2), (0,)), RuntimeError, "must have the same length"
        yield lambda: make.call(x, (0, 2)), RuntimeError, r"number of data points \(0\)"
        yield lambda: make.call(x, dim=(0, 2)), IndexError, "Dimension out of range"
        if self.some:
            yield lambda: make.call(x, dim=()), RuntimeError, "must transform at least one axis"


class OverTwo(Over):
    """A transform over two dimensions. Abstract."""

    def __call__(
        self, x: Node, s: Sizes = None, dim: Sizes = (-2, -1), norm: str | None = None
    ) -> Node:
        return super().__call__(x, s, dim, norm)


# What is transformed into what -------------------------------------------------------------------


class Forward(Transform):
    """Complex or real numbers to complex numbers. Abstract."""

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        if not x.dtype.is_complex and dims:
            return ops.fourier_from_real.record((x,), dims, FORWARD[norm], False)
        x = ops.cast(x, x.dtype.to_complex())
        return ops.fourier_complex.record((x,), dims, FORWARD[norm], True)


class Backward(Transform):
    """The inverse of :class:`Forward`. Abstract."""

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        x = ops.cast(x, x.dtype.to_complex())
        return ops.fourier_complex.record((x,), dims, BACKWARD[norm], False)


class RealForward(Transform):
    """Real numbers to the half that says all about them. Abstract."""

    takes, some = "real", True

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        return ops.fourier_from_real.record((x,), dims, FORWARD[norm], True)


class RealBackward(Transform):
    """The inverse of :class:`RealForward`. Abstract."""

    some = True

    def stored(self, size: int) -> int:
        return size // 2 + 1

    def full(self, there: int) -> int:
        return 2 * (there - 1)

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        x = ops.cast(x, x.dtype.to_complex())
        return ops.fourier_to_real.record((x,), dims, BACKWARD[norm], sizes[-1])


class HermitianForward(RealBackward):
    """The half of what is its own conjugate in reverse to real numbers. Abstract."""

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        x = ops.cast(x, x.dtype.to_complex())
        if len(dims) > 1:
            x = ops.fourier_complex.record((x,), dims[:-1], FORWARD[norm], True)
        return ops.fourier_to_real.record((ops.conj(x),), dims[-1:], FORWARD[norm], sizes[-1])


class HermitianBackward(Transform):
    """The inverse of :class:`HermitianForward`. Abstract."""

    takes, some = "real", True

    def transformed(self, x: Node, sizes: Shape, dims: Shape, norm: str) -> Node:
        x = ops.conj(ops.fourier_from_real.record((x,), dims[-1:], BACKWARD[norm], True))
        if len(dims) > 1:
            x = ops.fourier_complex.record((x,), dims[:-1], BACKWARD[norm], False)
        return x
