"""The interpreter of lowerings: expressions evaluated with NumPy, every element at once.

It runs what an operation says to kernels, without code generation between. A lowering that agrees
with its reference here and gives other numbers as machine code has been translated wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import DType
from rushlight.base.errors import InternalError
from rushlight.base.half import rounded
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec
from rushlight.ops.special import erf_values, erfc_values, sigmoid_values

from .body import Body
from .expr import Expr, lookups, parts
from .index import Axis, Index, Looked, Quotient
from .value import Stored

Array: TypeAlias = np.ndarray


def element(op: Op, attrs: dict[str, Any], arrays: Sequence[Array], specs: Sequence[Spec],
            result: Spec) -> Array:  # fmt: skip
    """The value of one operation as its lowering computes it.

    Args:
        arrays: the inputs as references take them: float32 for the half types.
        specs: their types.
        result: the type of the result.
    """
    axes = [Axis(extent) for extent in result.shape]
    inputs = [Stored(spec, k, _strides(spec.shape)) for k, spec in enumerate(specs)]
    made = op.element(Body(), tuple(map(Index.of, axes)), *inputs, **attrs)
    (value,) = evaluate([made], axes, [np.ravel(array) for array in arrays])
    return rounded(value, result.dtype) if result.dtype.is_half else value


def evaluate(roots: Sequence[Expr], axes: Sequence[Axis], buffers: Sequence[Array]) -> list[Array]:
    """The values of expressions for every combination of their axes.

    Args:
        axes: the dimensions of the results, in order.
        buffers: the memory that loads read, flat.

    Raises:
        InternalError: an expression reads outside of a buffer, or looks up an index that is not in
            the range it promised.
    """
    with np.errstate(all="ignore"):
        grid = _Grid(roots, axes, buffers)
        return [grid.spread(root, axes) for root in roots]


class _Grid:
    """Expressions as arrays, with one dimension for every axis that occurs in them."""

    def __init__(self, roots: Sequence[Expr], axes: Sequence[Axis], buffers: Sequence[Array]):
        self.buffers = buffers
        self.place = {axis: k for k, axis in enumerate(dict.fromkeys([*axes, *_axes_in(roots)]))}
        self.empty = any(axis.extent == 0 for axis in self.place)  # nothing is read at all
        self.known: dict[Expr, Array] = {}
        for x in parts(*roots):
            self.known[x] = self.value(x)

    def spread(self, root: Expr, axes: Sequence[Axis]) -> Array:
        """A result over exactly ``axes``, in memory of its own."""
        value = self.known[root]
        shape = tuple(axis.extent for axis in axes)
        return np.array(np.broadcast_to(value.reshape(value.shape[: len(axes)]), shape))

    def value(self, x: Expr) -> Array:
        """The value of one expression whose parts are known."""
        if x.op == "const":
            return self.flat(np.asarray(x.attrs[0]).astype(x.dtype.numpy))
        if x.op == "index":
            return self.index(x.attrs[0], None)
        args = [self.known[arg] for arg in x.args]
        if x.op == "load":
            return self.load(x, args[0] if args else None)
        if x.op == "reduce":
            return self.reduce(x, args[0])
        if x.op == "cast":
            return _cast(args[0], x.args[0].dtype, x.dtype)
        if x.op == "bits":
            return np.ascontiguousarray(args[0]).view(x.dtype.numpy)
        return np.asarray(MEANINGS[x.op](*args))

    def flat(self, value: Array) -> Array:
        """A number with a dimension of size 1 for every axis."""
        return value.reshape((1,) * len(self.place))

    def index(self, index: Index, where: Array | None) -> Array:
        """An index's values; lookups need to be right only ``where`` something is read."""
        total = self.flat(np.array(index.constant, np.int64))
        for atom, factor in index.terms:
            if isinstance(atom, Axis):
                shape = [1] * len(self.place)
                shape[self.place[atom]] = atom.extent
                value = np.arange(atom.extent, dtype=np.int64).reshape(shape)
            elif isinstance(atom, Looked):
                value = self.known[atom.value].astype(np.int64)
                self.check(value, atom.size, where, f"an index is looked up outside of {atom.size}")
            elif isinstance(atom, Quotient):
                value = self.index(atom.whole, where) // atom.by
            else:
                value = self.index(atom.whole, where) % atom.by
            total = total + value * factor
        return total

    def load(self, x: Expr, where: Array | None) -> Array:
        """What memory holds; places outside may only be where nothing is read."""
        buffer = self.buffers[x.attrs[0]]
        place = self.index(x.attrs[1], where)
        self.check(place, buffer.size, where, f"{x} reads outside of {buffer.size} elements")
        if where is not None:
            place = np.where(where, place, 0)
        if not buffer.size:
            return np.zeros(place.shape, buffer.dtype)
        return np.asarray(buffer[np.where((place < 0) | (place >= buffer.size), 0, place)])

    def check(self, value: Array, size: int, where: Array | None, problem: str) -> None:
        """Refuses places outside of ``size`` where something is read."""
        outside = (value < 0) | (value >= size)
        if not self.empty and np.any(outside if where is None else outside & where):
            raise InternalError(problem)

    def reduce(self, x: Expr, value: Array) -> Array:
        """One number for all values along some axes."""
        how, axes = x.attrs
        shape = list(value.shape)
        for axis in axes:  # the value may not depend on it
            shape[self.place[axis]] = axis.extent
        value = np.broadcast_to(value, shape)
        dims = tuple(self.place[axis] for axis in axes)
        if how.startswith("arg"):
            found = np.argmin if how == "argmin" else np.argmax
            return np.asarray(found(value, axis=dims[0], keepdims=True))
        result = REDUCTIONS[how](value, axis=dims, keepdims=True)
        return np.asarray(result).astype(x.dtype.numpy)


def _axes_in(roots: Sequence[Expr]) -> Iterator[Axis]:
    """Every axis that occurs in expressions, those reduced over included."""
    for x in parts(*roots):
        for attr in x.attrs:
            if isinstance(attr, Index):
                yield from attr.axes()
                for looked in lookups(attr):
                    yield from _axes_in((looked,))
        if x.op == "reduce":
            yield from x.attrs[1]


def _cast(value: Array, old: DType, new: DType) -> Array:
    result: Array = ops.cast.ref(value, dtype=new)
    return rounded(result, new) if new.is_half else result


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    result = [1]
    for extent in reversed(shape[1:]):
        result.append(result[-1] * extent)
    return tuple(reversed(result))[: len(shape)] if shape else ()


def _precisely(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function that is computed in double precision."""
    return lambda x: function(x).astype(x.dtype)


def _truncdiv(x: Array, y: Array) -> Array:
    if x.dtype.kind == "f":
        return np.asarray(np.trunc(x / y))
    down = np.floor_divide(x, y)
    return np.asarray(down + ((np.remainder(x, y) != 0) & ((x < 0) != (y < 0))))


def _mulhi32(x: Array, y: Array) -> Array:
    low = np.uint64(0xFFFFFFFF)
    product = (x.astype(np.uint64) & low) * (y.astype(np.uint64) & low)
    return (product >> np.uint64(32)).astype(np.int64)


MEANINGS: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide,
    "floordiv": np.floor_divide, "truncdiv": _truncdiv, "mod": np.remainder, "rem": np.fmod,
    "pow": np.power, "minimum": np.minimum, "maximum": np.maximum, "fmin": np.fmin,
    "fmax": np.fmax, "fmod": np.fmod, "atan2": np.arctan2, "hypot": np.hypot,
    "copysign": np.copysign, "and_": np.bitwise_and, "or_": np.bitwise_or,
    "xor": np.bitwise_xor, "mulhi32": _mulhi32, "shl": np.left_shift, "shr": np.right_shift,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal,
    "neg": np.negative, "abs": np.abs, "not_": np.invert, "exp": np.exp, "exp2": np.exp2,
    "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "sin": np.sin, "cos": np.cos,
    "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "sigmoid": sigmoid_values, "erf": _precisely(erf_values),
    "erfc": _precisely(erfc_values), "erfinv": _precisely(lambda x: ops.erfinv.ref(x)),
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint, "rounded": np.copy,
    "select": np.where, "fma": lambda x, y, z: x * y + z,
}  # fmt: skip
"""What each function of a Body does."""

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum, "prod": np.prod, "min": np.min, "max": np.max, "any": np.any, "all": np.all,
}  # fmt: skip
