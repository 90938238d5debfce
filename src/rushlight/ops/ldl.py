"""Symmetric and Hermitian matrices that need not be definite: ``A = P @ L @ D @ L.mH @ P.mT``.

Bunch & Kaufman 1977, "Some stable methods for calculating inertia and solving symmetric linear
systems"; what is stored is LAPACK's ``sytrf`` and ``hetrf`` with the lower triangle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import int32
from rushlight.base.errors import DTypeError, OperationError, RangeError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES
from .solve import bad_made, square

GROWTH = (1 + 17**0.5) / 8
"""A pivot is a single number when it is at least so many times what stands below it."""


class LdlFactorEx(Op):
    """``L`` and ``D`` in one lower triangle, and which rows were exchanged.

    ``D`` has blocks of one and of two rows. ``pivots[k]`` counts from 1: row ``k`` was exchanged
    with it; it is negative, twice, for a block of two rows, of which the second was exchanged.
    ``info`` is 0, or the number of the first block that is 0.
    """

    name, module, attrs = "linalg_ldl_factor_ex", "linalg", ("hermitian", "checked")
    batched = "front"
    torch = (
        "ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False)"
        " -> (Tensor LD, Tensor pivots, Tensor info)"
    )
    differentiable, ulp = False, 256

    def __call__(
        self, a: Node, *, hermitian: bool = False, check_errors: bool = False
    ) -> tuple[Node, ...]:
        square("linalg.ldl_factor_ex", a)
        return ops.parts(self.record((ops.detach(a),), bool(hermitian), bool(check_errors)))

    def infer(self, a: Spec, *, hermitian: bool, checked: bool) -> tuple[Spec, Spec, Spec]:
        pivots = a.with_shape(a.shape[:-1]).with_dtype(int32)
        return a, pivots, pivots.with_shape(a.shape[:-2])

    def ref(self, a: Any, *, hermitian: bool, checked: bool) -> Any:
        size = a.shape[-1]
        count = int(np.prod(a.shape[:-2]))
        factors = np.array(a).reshape(count, size, size)
        pivots, info = np.zeros((count, size), np.int32), np.zeros(count, np.int32)
        for each, exchanges, k in zip(factors, pivots, range(count), strict=True):
            info[k] = _factor(each, exchanges, hermitian and np.iscomplexobj(a))
        if checked and info.any():
            place = int(np.flatnonzero(info)[0])
            raise OperationError(
                "linalg.ldl_factor",
                f"torch.linalg.ldl_factor: (Batch element {place}): D[{info[place]},{info[place]}]"
                " is zero, and using it on ldl_solve would result in a division by zero.",
            )
        return np.tril(factors).reshape(a.shape), pivots.reshape(a.shape[:-1]), (
            info.reshape(a.shape[:-2])
        )  # fmt: skip

    def samples(self, make: Any) -> Any:
        a = make(4, 4)
        yield a + a.mT
        yield (a + a.mT).tril(-1).expand(2, 4, 4)
        yield make.complex(3, 3), {"hermitian": True}
        yield make.complex(3, 3)
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(2, 2) * 0, check_errors=True), RuntimeError, "is zero"


def _size(x: Any) -> Any:
    """How large numbers are, as LAPACK compares them."""
    return np.abs(x.real) + np.abs(x.imag)


def _factor(a: Any, pivots: Any, hermitian: bool) -> int:
    """Factors the matrix in the lower triangle in place; the number of the first block of 0."""
    other = np.conj if hermitian else np.asarray
    if hermitian:
        np.fill_diagonal(a, a.diagonal().real)
    a[...] = np.tril(a) + other(np.tril(a, -1)).T
    size, k, info = len(a), 0, 0
    while k < size:
        row, step, zero = _pivot(a, k)
        if zero and not info:
            info = k + 1
        last = k + step - 1
        rest = a[k:, k:]
        _exchange(rest, last - k, row - k)
        pivots[k : last + 1] = row + 1 if step == 1 else -(row + 1)
        if not zero:
            below = a[last + 1 :, k : last + 1].copy()
            block = a[k : last + 1, k : last + 1]
            factor = below / block if step == 1 else np.linalg.solve(block.T, below.T).T
            a[last + 1 :, last + 1 :] -= factor @ other(below).T
            a[last + 1 :, k : last + 1] = factor
        k += step
    return info


def _pivot(a: Any, k: int) -> tuple[int, int, bool]:
    """Which row comes to the end of the next block, the block's size, and whether it is 0."""
    own = _size(a[k, k])
    below = _size(a[k + 1 :, k])
    largest = below.max(initial=0)
    if not max(own, largest) > 0:
        return k, 1, True
    if own >= GROWTH * largest:
        return k, 1, False
    row = k + 1 + int(np.argmax(below))
    others = np.delete(_size(a[k:, row]), row - k)
    if own >= GROWTH * largest * (largest / others.max()):
        return k, 1, False
    if _size(a[row, row]) >= GROWTH * others.max():
        return row, 1, False
    return row, 2, False


def _exchange(a: Any, i: int, j: int) -> None:
    """Exchanges two rows and the same two columns."""
    if i != j:
        a[[i, j]] = a[[j, i]]
        a[:, [i, j]] = a[:, [j, i]]


class LdlFactor(Composite):
    """:func:`ldl_factor_ex` without ``info``; a block of 0 is refused."""

    name, module, differentiable = "linalg_ldl_factor", "linalg", False
    torch = "ldl_factor(Tensor self, *, bool hermitian=False) -> (Tensor LD, Tensor pivots)"
    ulp = 256

    def __call__(self, a: Node, *, hermitian: bool = False) -> tuple[Node, ...]:
        return ops.linalg_ldl_factor_ex(a, hermitian=hermitian, check_errors=True)[:2]

    def samples(self, make: Any) -> Any:
        a = make(4, 4)
        yield a + a.mT
        yield make.complex(3, 3), {"hermitian": True}

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(2, 2) * 0), RuntimeError, "is zero"


class LdlSolve(Op):
    """``X`` in ``A @ X = B`` from :func:`ldl_factor`'s results for ``A``."""

    name, module, attrs = "linalg_ldl_solve", "linalg", ("hermitian",)
    torch = "ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor"
    differentiable, ulp = False, 256

    def __call__(self, ld: Node, pivots: Node, b: Node, *, hermitian: bool = False) -> Node:
        square("torch.linalg.ldl_solve", ld)
        if b.ndim < 2:
            raise RangeError(
                "linalg.ldl_solve",
                "Dimension out of range (expected to be in range of [-1, 0], but got -2)",
            )
        kinds = [TORCH_NAMES[x.dtype.name][1:-1] for x in (ld, pivots, b)]
        if pivots.shape != ld.shape[:-1]:
            raise ShapeError(
                "linalg.ldl_solve",
                "torch.linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same,"
                f" but got pivots with shape {list(pivots.shape)} instead",
            )
        if pivots.dtype.kind != "int":
            raise DTypeError(
                "linalg.ldl_solve",
                f"torch.linalg.ldl_solve: Expected pivots to be integers. Got {kinds[1]}",
            )
        if ld.dtype is not b.dtype:
            raise DTypeError(
                "linalg.ldl_solve",
                f"Expected b and A to have the same dtype, but found b of type {kinds[2]} and A of"
                f" type {kinds[0]} instead.",
            )
        return self.record((ops.detach(ld), pivots, ops.detach(b)), bool(hermitian))

    def infer(self, ld: Spec, pivots: Spec, b: Spec, *, hermitian: bool) -> Spec:
        if ld.shape[-1] != b.shape[-2]:
            raise ShapeError(
                "linalg.ldl_solve",
                "Incompatible matrix sizes for torch.linalg.ldl_solve: each A matrix is"
                f" {ld.shape[-1]} by {ld.shape[-1]} but each b matrix is {b.shape[-2]} by"
                f" {b.shape[-1]}",
            )
        batch = shapes.broadcast("linalg.ldl_solve", ld.shape[:-2], b.shape[:-2])
        return b.with_shape((*batch, *b.shape[-2:]))

    def ref(self, ld: Any, pivots: Any, b: Any, *, hermitian: bool) -> Any:
        batch = np.broadcast_shapes(ld.shape[:-2], b.shape[:-2])
        ld = np.broadcast_to(ld, (*batch, *ld.shape[-2:]))
        pivots = np.broadcast_to(pivots, ld.shape[:-1])
        x = np.array(np.broadcast_to(b, (*batch, *b.shape[-2:])))
        for place in np.ndindex(*batch):
            _solve(ld[place], pivots[place], x[place], hermitian and np.iscomplexobj(ld))
        return x

    def samples(self, make: Any) -> Any:
        pivots = make.int(3, low=3, high=3, dtype=int32)
        yield make(3, 3), pivots, make(3, 2)
        pairs = make.int(2, 2, low=-2, high=-2, dtype=int32)
        yield make(2, 2, 2), pairs, make(2, 1)
        yield make.complex(3, 3), pivots, make.complex(2, 3, 1)

    def errors(self, make: Any) -> Any:
        a, b = make(3, 3), make(3, 2)
        pivots = make.int(3, low=3, high=3, dtype=int32)
        yield lambda: make.call(make(3, 2), pivots, b), RuntimeError, "3 by 2 matrices"
        yield lambda: make.call(a, pivots, make(3)), IndexError, "Dimension out of range"
        yield lambda: make.call(a, pivots[:2], b), RuntimeError, "to be the same"
        yield lambda: make.call(a, make(3), b), RuntimeError, "to be integers. Got Float"
        yield lambda: make.call(a, pivots, b.double()), RuntimeError, "the same dtype"
        yield lambda: make.call(a, pivots, make(2, 2)), RuntimeError, "each b matrix is 2 by 2"


def _solve(ld: Any, pivots: Any, x: Any, hermitian: bool) -> None:
    """Solves for one matrix in place."""
    other = np.conj if hermitian else np.asarray
    blocks, k = [], 0
    while k < len(ld):
        step = 1 if pivots[k] > 0 or k + 1 == len(ld) else 2
        blocks.append((k, k + step))
        k += step
    for first, end in blocks:
        row = abs(int(pivots[first])) - 1
        x[[end - 1, row]] = x[[row, end - 1]]
        x[end:] -= ld[end:, first:end] @ x[first:end]
        block = np.tril(ld[first:end, first:end])
        block = block + other(np.tril(block, -1)).T
        x[first:end] = x[first:end] / block if end - first == 1 else np.linalg.solve(
            block, x[first:end]
        )  # fmt: skip
    for first, end in reversed(blocks):
        x[first:end] -= other(ld[end:, first:end]).T @ x[end:]
        row = abs(int(pivots[first])) - 1
        x[[end - 1, row]] = x[[row, end - 1]]


linalg_ldl_factor_ex = LdlFactorEx()
linalg_ldl_factor = LdlFactor()
linalg_ldl_solve = LdlSolve()
