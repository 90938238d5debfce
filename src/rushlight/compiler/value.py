"""Value: a result of a graph as a function from a place in it to an expression."""

from __future__ import annotations

from typing import Any

from rushlight.base.dtypes import DType, float32
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .body import Body
from .expr import Expr, constant
from .index import Index, Like

Places = tuple[Index, ...]


class Value:
    """What an operation sees of an input. Abstract.

    Attributes:
        shape: its sizes.
        ndim: how many there are.
        dtype: the type that its numbers are computed in: float32 for the half types.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.shape = spec.shape
        self.ndim = spec.ndim
        self.dtype = computed_in(spec.dtype)

    def at(self, *index: Like, when: Expr | None = None, otherwise: float = 0) -> Expr:
        """The element at a place.

        Args:
            index: one for each dimension.
            when: memory is read only where this holds; elsewhere the place may be outside.
            otherwise: the number where it does not.
        """
        if len(index) != self.ndim:
            raise IndexError(f"{len(index)} indices for a value of shape {self.shape}")
        places = tuple(map(Index.of, index))
        if when is None or (when.op == "const" and when.attrs[0]):
            return self._at(places, None)
        if when.op == "const":
            return constant(otherwise, self.dtype)
        found = self._at(places, when)
        other = constant(otherwise, self.dtype)
        return Expr.of("select", self.dtype, (when, found, other))

    def spread(self, index: Places) -> Expr:
        """The element that broadcasting shows at a place of a larger shape."""
        own = index[len(index) - self.ndim :]
        return self.at(*[place if n != 1 else 0 for place, n in zip(own, self.shape, strict=True)])

    def _at(self, index: Places, when: Expr | None) -> Expr:
        raise NotImplementedError


class Stored(Value):
    """A value in memory.

    Attributes:
        buffer: which.
        strides: of each dimension, in elements.
    """

    def __init__(self, spec: Spec, buffer: int, strides: tuple[int, ...]) -> None:
        super().__init__(spec)
        self.buffer = buffer
        self.strides = strides

    def _at(self, index: Places, when: Expr | None) -> Expr:
        place = Index()
        for each, stride in zip(index, self.strides, strict=True):
            place = place + each * stride
        # What is at one place is there whether it is wanted or not.
        guard = () if when is None or place.is_constant else (when,)
        return widened(Expr.of("load", self.spec.dtype, guard, (self.buffer, place)))


class Fixed(Value):
    """The same number everywhere."""

    def __init__(self, spec: Spec, number: float) -> None:
        super().__init__(spec)
        self.number = number

    def _at(self, index: Places, when: Expr | None) -> Expr:
        return constant(self.number, self.dtype)


class Computed(Value):
    """A value that is computed wherever it is used.

    Attributes:
        op, attrs: the operation and its attributes.
        inputs: what it is applied to.
    """

    def __init__(
        self, body: Body, op: Op, attrs: dict[str, Any], inputs: tuple[Value, ...], spec: Spec
    ) -> None:
        super().__init__(spec)
        self.body, self.op, self.attrs, self.inputs = body, op, attrs, inputs
        self._made: dict[tuple[Places, Expr | None], Expr] = {}

    def _at(self, index: Places, when: Expr | None) -> Expr:
        key = index, when
        made = self._made.get(key)
        if made is None:
            inputs = self.inputs if when is None else tuple(Guarded(x, when) for x in self.inputs)
            made = self.op.element(self.body, index, *inputs, **self.attrs)
            made = self.body.cast(made, self.dtype)  # as references are mended
            made = self._made[key] = rounded(made, self.spec.dtype)
        return made


class Guarded(Value):
    """A value of which memory is read only where a condition holds."""

    def __init__(self, value: Value, when: Expr) -> None:
        super().__init__(value.spec)
        self.value, self.when = value, when

    def _at(self, index: Places, when: Expr | None) -> Expr:
        both = self.when if when is None else Body().all([self.when, when])
        return self.value._at(index, both)


def computed_in(dtype: DType) -> DType:
    """The type that numbers of a type are computed in."""
    return float32 if dtype.is_half else dtype


def widened(x: Expr) -> Expr:
    """A number from memory in the type it is computed in."""
    return Expr.of("cast", float32, (x,)) if x.dtype.is_half else x


def rounded(x: Expr, dtype: DType) -> Expr:
    """A result as memory would hold it, in the type it is computed in."""
    if not dtype.is_half or (x.op == "cast" and x.args[0].dtype is dtype):
        return x  # as it came from memory
    return widened(Expr.of("cast", dtype, (x,)))
