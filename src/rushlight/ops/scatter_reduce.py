"""Scattering with a reduction: what goes to one place is multiplied, averaged or compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node, Number, number
from rushlight.graph.op import Composite

from .gather import Scattering

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _read(source: Node, index: Node) -> Node:
    """The part of a source that an index reaches."""
    for dim, size in enumerate(index.shape):
        if source.shape[dim] > size:
            source = ops.slice_.at(source, number(0), dim, size, 1)
    return source


class Reducing(Scattering):
    """Scattering with a reduction. Abstract."""

    backward = "ScatterReduce"

    def counted(self, x: Node, dim: int, index: Node, which: Node) -> Node:
        """How many true elements of ``which`` go to each place of ``x``."""
        ones = ops.cast(which, x.dtype)
        return ops.scatter_add.record((ops.zeros(x.spec), index, ones), dim)


class ScatterProd(Reducing):
    """The product of each element and all that is scattered to it.

    Its third derivative is not right where two factors of a place are 0.
    """

    name, how = "scatter_prod", "prod"
    ulp = 8

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, source: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        gx = gs = None
        if x.requires_grad:  # the product without x itself, also where x is 0
            gx = g * self.record((ops.ones(x.spec), index, source), dim)
        if source.requires_grad:
            gs = self._source_part(g, x, index, source, dim)
        return gx, None, gs

    def _source_part(self, g: Node, x: Node, index: Node, source: Node, dim: int) -> Node | None:
        # The others of a place: the product of all that is not 0 divided by the factor, times the
        # other zeros. Of those there is none (1), one, or so many that nothing is left.
        read = _read(source, index)
        zero = ops.eq(read, 0)
        own, factor = ops.cast(zero, x.dtype), ops.where(zero, 1.0, read)
        product = self.record((x, index, factor), dim)
        others = ops.gather.record((g * product, index), dim) / factor
        zeros = ops.gather.record((self.counted(x, dim, index, zero), index), dim) - own
        rest = self._other_zeros(x, index, ops.where(zero, read, 0.0), dim)
        left = ops.where(ops.eq(zeros, 0), 1.0, ops.where(ops.eq(zeros, 1), rest, 0.0))
        return self.source_padded(others * left, source)

    def _other_zeros(self, x: Node, index: Node, zeros: Node, dim: int) -> Node:
        """For each factor the sum of the other zeros of its place: 0, but with their gradients."""
        total = ops.scatter_add.record((ops.zeros(x.spec), index, zeros), dim)
        return ops.gather.record((total, index), dim) - zeros

    def put(self, result: Any, places: Any, values: Any, **attrs: Any) -> None:
        np.multiply.at(result, places, values)


class ScatterExtremum(Reducing):
    """The largest or the smallest of each element and all that is scattered to it. Abstract.

    Equal ones share the gradient.
    """

    def vjp(
        self, g: Node, y: Node, x: Node, index: Node, source: Node, *, dim: int
    ) -> tuple[Node | None, ...]:
        ours = ops.eq(x, y)
        theirs = ops.eq(_read(source, index), ops.gather.record((y, index), dim))
        count = ops.cast(ours, x.dtype) + self.counted(x, dim, index, theirs)
        share = g / count
        shared = ops.gather.record((share, index), dim)
        return (
            ops.where(ours, share, 0.0) if x.requires_grad else None,
            None,
            self.source_padded(ops.where(theirs, shared, 0.0), source),
        )


class ScatterAmax(ScatterExtremum):
    """The largest of each element and all that is scattered to it."""

    name, how = "scatter_amax", "max"

    def put(self, result: Any, places: Any, values: Any, **attrs: Any) -> None:
        np.maximum.at(result, places, values)


class ScatterAmin(ScatterExtremum):
    """The smallest of each element and all that is scattered to it."""

    name, how = "scatter_amin", "min"

    def put(self, result: Any, places: Any, values: Any, **attrs: Any) -> None:
        np.minimum.at(result, places, values)


class ScatterReduce(Composite):
    """``src`` reduced into ``input`` where ``index`` points along ``dim``.

    ``reduce`` is ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``. Without
    ``include_self`` the old elements of places that something goes to do not count.

    Example:
        >>> import rushlight as rl
        >>> rl.zeros(2).scatter_reduce(0, rl.tensor([0, 0, 1]), rl.tensor([1.0, 5.0, 2.0]), "amax")
        tensor([5., 2.])
    """

    name = "scatter_reduce"
    torch = (
        "scatter_reduce(Tensor self, int dim, Tensor index, Tensor src, str reduce, *,"
        " bool include_self=True) -> Tensor"
    )
    inplace = True
    ulp = 8

    def __call__(
        self, x: Node, dim: int, index: Node, src: Node, reduce: str, *, include_self: bool = True
    ) -> Node:
        if reduce not in REDUCTIONS:
            raise OperationError(
                "scatter_reduce",
                "reduce argument must be either sum, prod, mean, amax or amin, got " + str(reduce),
            )
        if not include_self:
            neutral = ops.full(index.shape, _neutral(reduce, x), x.dtype)
            cleared = ops.scatter_from(x, dim, index, neutral)
        else:
            cleared = x
        if reduce == "mean":
            return self._mean(cleared, x, dim, index, src, include_self)
        by = {"sum": ops.scatter_add, "prod": ops.scatter_prod, "amax": ops.scatter_amax,
              "amin": ops.scatter_amin}  # fmt: skip
        result: Node = by[reduce](cleared, dim, index, src)
        return result

    def _mean(
        self, cleared: Node, x: Node, dim: int, index: Node, src: Node, include_self: bool
    ) -> Node:
        total = ops.scatter_add(cleared, dim, index, src)
        ones = ops.full(index.shape, 1, x.dtype)
        count = ops.ones(x.spec)
        if not include_self:
            count = ops.scatter_from(count, dim, index, ops.zeros(ones.spec))
        count = ops.scatter_add(count, dim, index, ones)
        divide = ops.div if x.dtype.is_differentiable else ops.floor_divide
        mean: Node = divide(total, count)
        return mean

    def samples(self, make: Any) -> Any:
        index = make.int(5, 4, low=0, high=2)
        for reduce in REDUCTIONS:
            yield make(3, 4), 0, index, make(5, 4, low=0.5, high=2), reduce
            yield make(3, 4), 0, index, make(5, 4), reduce, {"include_self": False}
        yield make.int(3, 4), 1, make.int(2, 3, low=0, high=3), make.int(3, 5), "amax"
        yield make.int(3, 4), 0, index, make.int(5, 4), "mean"
        yield make(3, 4), 1, make.int(3, 0, low=0, high=3), make(3, 0), "prod"
        yield make(), 0, make.int(low=0, high=0), make(), "mean"

    def errors(self, make: Any) -> Any:
        x, index = make(3, 4), make.int(1, 1, low=0, high=0)
        yield lambda: make.call(x, 0, index, make(1, 1), "max"), RuntimeError, "reduce argument"
        yield (
            lambda: make.call(x, 0, make.int(1, 1, low=3, high=4), make(1, 1), "sum"),
            RuntimeError,
            "out of bounds for dimension 0 with size 3",
        )


def _neutral(reduce: str, x: Node) -> Number:
    """What changes nothing in a reduction."""
    if reduce in ("sum", "mean"):
        return 0
    if reduce == "prod":
        return 1
    least, most = limits(x)
    return least if reduce == "amax" else most


def limits(x: Node) -> tuple[Number, Number]:
    """The least and the greatest number of a tensor's dtype."""
    kind = x.dtype.kind
    if kind == "float":
        return -np.inf, np.inf
    if kind == "bool":
        return False, True
    info = np.iinfo(x.dtype.numpy)
    return int(info.min), int(info.max)


class IndexReduce(Composite):
    """``source``'s slices reduced into the slices of ``input`` that ``index`` names.

    Example:
        >>> import rushlight as rl
        >>> rl.ones(2).index_reduce(0, rl.tensor([0, 0]), rl.tensor([2.0, 3.0]), "prod")
        tensor([6., 1.])
    """

    name = "index_reduce"
    torch = (
        "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *,"
        " bool include_self=True) -> Tensor"
    )
    inplace = True
    ulp = 8

    def __call__(
        self, x: Node, dim: int, index: Node, source: Node, reduce: str, *,
        include_self: bool = True,
    ) -> Node:  # fmt: skip
        if reduce not in REDUCTIONS[1:]:
            raise OperationError(
                "index_reduce",
                "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got"
                f" {reduce}.",
            )
        dim = shapes.axis("index_reduce", dim, x.ndim)
        index = ops.expand(ops.reshape(index, _column(dim, source.ndim)), source.shape)
        return ops.scatter_reduce(x, dim, index, source, reduce, include_self=include_self)

    def samples(self, make: Any) -> Any:
        for reduce in REDUCTIONS[1:]:
            yield make(3, 4), 0, make.int(5, low=0, high=2), make(5, 4), reduce
        yield make(3, 4), 1, make.int(5, low=0, high=3), make(3, 5), "mean", {"include_self": False}

    def errors(self, make: Any) -> Any:
        yield (
            lambda: make.call(make(3), 0, make.int(1, low=0, high=0), make(1), "sum"),
            RuntimeError,
            "Expected reduce to be one of",
        )


def _column(dim: int, rank: int) -> tuple[int, ...]:
    """A vector's shape when it lies along ``dim``."""
    return tuple(-1 if d == dim else 1 for d in range(rank))


scatter_prod = ScatterProd()
scatter_amax = ScatterAmax()
scatter_amin = ScatterAmin()
scatter_reduce = ScatterReduce()
index_reduce = IndexReduce()
