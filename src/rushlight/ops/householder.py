"""Reflections: the compact form of QR, and products with the ``Q`` that it stands for.

``k`` reflections ``I - tau[i] * v[i] @ v[i].mH`` multiply to ``I - V @ T @ V.mH`` with a triangular
``T`` (Schreiber & Van Loan 1989, "A storage-efficient WY representation for products of Householder
transformations"), so a product with ``Q`` is three products of matrices, with gradients of any
order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import DTypeError, NoKernelError, RangeError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES
from .factor import product
from .solve import adjoint


def _matrices(operation: str, a: Node) -> None:
    if a.ndim < 2:
        raise ShapeError(operation, f"torch.{operation}: input must have at least 2 dimensions.")


def _precise(operation: str, kernel: str, a: Node) -> None:
    """Refuses what are not numbers of single or double precision."""
    if not a.dtype.is_differentiable or a.dtype.is_half:
        raise NoKernelError(
            operation, f'"{kernel}_cpu" not implemented for {TORCH_NAMES[a.dtype.name]}'
        )


def _same_dtype(operation: str, a: Node, other: Node, name: str) -> None:
    if a.dtype is not other.dtype:
        kinds = [TORCH_NAMES[x.dtype.name][1:-1] for x in (other, a)]
        raise DTypeError(
            operation,
            f"torch.{operation}: {name} dtype {kinds[0]} does not match input dtype {kinds[1]}",
        )


class Geqrf(Op):
    """The compact form of QR: ``R`` on and above the diagonal, reflections below, and ``tau``."""

    autocast = "wide"
    name, differentiable, ulp = "geqrf", False, 256
    batched = "front"
    torch = "geqrf(Tensor self) -> (Tensor a, Tensor tau)"

    def __call__(self, a: Node) -> tuple[Node, ...]:
        _matrices("geqrf", a)
        _precise("geqrf", "geqrf", a)
        return ops.parts(self.record((ops.detach(a),)))

    def infer(self, a: Spec) -> tuple[Spec, Spec]:
        return a, a.with_shape((*a.shape[:-2], min(a.shape[-2:])))

    def ref(self, a: Any) -> Any:
        raw: Any = np.linalg.qr(a, "raw")
        return np.swapaxes(raw[0], -1, -2), raw[1]

    def samples(self, make: Any) -> Any:
        yield make(3, 3)
        yield make(2, 5, 3)
        yield make(3, 5)
        yield make(2, 0, 3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(make.int(3, 3)), NotImplementedError, "not implemented for 'Long'"


class HouseholderProduct(Composite):
    """The first columns of the ``Q`` whose reflections stand below the diagonal of the input.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.householder_product(*rl.geqrf(rl.tensor([[3.0], [4.0]])))
        tensor([[-0.6000],
                [-0.8000]])
    """

    autocast = "wide"
    name, module = "linalg_householder_product", "linalg"
    torch = "householder_product(Tensor input, Tensor tau) -> Tensor"
    ulp = 256

    def __call__(self, a: Node, tau: Node) -> Node:
        operation = "linalg.householder_product"
        _matrices(operation, a)
        if not tau.ndim:
            raise RangeError(operation, "Dimension specified as -1 but tensor has no dimensions")
        rows, columns = a.shape[-2:]
        what = ""
        if rows < columns:
            what = "input.shape[-2] must be greater than or equal to input.shape[-1]"
        elif columns < tau.shape[-1]:
            what = "input.shape[-1] must be greater than or equal to tau.shape[-1]"
        elif tau.ndim != a.ndim - 1:
            what = (
                "Expected tau to have one dimension less than input, but got tau.ndim equal to"
                f" {tau.ndim} and input.ndim is equal to {a.ndim}"
            )
        elif tau.shape[:-1] != a.shape[:-2]:
            what = (
                "Expected batch dimensions of tau to be equal to input.shape[:-2], but got"
                f" {tau.shape[:-1]}"
            )
        if what:
            raise ShapeError(operation, f"torch.{operation}: {what}")
        _same_dtype(operation, a, tau, "tau")
        _precise(operation, "orgqr", a)
        vectors, middle = _compact(a, tau)
        top = ops.slice_(vectors, a.ndim - 2, 0, columns)
        return ops.eye(rows, columns, a.dtype) - product(vectors, middle, adjoint(top))

    def samples(self, make: Any) -> Any:
        yield make(3, 3), make(3)
        yield make(2, 5, 3), make(2, 3)
        yield make(4, 3), make(2)
        yield make(3, 3), make(0)

    def errors(self, make: Any) -> Any:
        a = make(4, 3)
        yield lambda: make.call(make(3), make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(make(3, 4), make(3)), RuntimeError, r"greater than or equal to inp"
        yield lambda: make.call(a, make(4)), RuntimeError, "greater than or equal to tau"
        yield lambda: make.call(a, make(1, 3)), RuntimeError, "one dimension less"
        yield lambda: make.call(a, make(3).double()), RuntimeError, "does not match input dtype"
        yield lambda: make.call(a, make()), IndexError, "no dimensions"


def _compact(a: Node, tau: Node) -> tuple[Node, Node]:
    """``V`` with the reflections as columns, and ``T``."""
    count, last = tau.shape[-1], a.ndim - 1
    below = ops.tril(ops.slice_(a, last, 0, count), -1)
    vectors = below + ops.eye(a.shape[-2], count, a.dtype)
    overlaps = ops.triu(product(adjoint(vectors), vectors), 1)
    weights = ops.diag_embed(tau)
    # T = (I + diag(tau) @ overlaps)^-1 @ diag(tau): no division, so a tau of 0 is nothing special.
    steps = product(weights, overlaps)
    middle = ops.linalg_solve_triangular(steps, weights, upper=True, unitriangular=True)
    return vectors, middle


class Orgqr(Composite):
    """:func:`linalg.householder_product` under LAPACK's name."""

    autocast = "wide"
    name, torch, ulp = "orgqr", "orgqr(Tensor self, Tensor input2) -> Tensor", 256

    def __call__(self, a: Node, tau: Node) -> Node:
        return ops.linalg_householder_product(a, tau)

    def samples(self, make: Any) -> Any:
        yield make(4, 3), make(3)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3)), RuntimeError, "must have at least 2 dimensions"


class Ormqr(Composite):
    """``Q @ other``, or ``other @ Q`` without ``left``, or with ``Q.mH``, of the whole ``Q``."""

    autocast = "wide"
    name, ulp = "ormqr", 256
    torch = (
        "ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False)"
        " -> Tensor"
    )

    def __call__(
        self, a: Node, tau: Node, other: Node, left: bool = True, transpose: bool = False
    ) -> Node:
        self._check(a, tau, other, left)
        vectors, middle = _compact(a, tau)
        middle = adjoint(middle) if transpose else middle
        if left:
            return other - product(vectors, product(middle, product(adjoint(vectors), other)))
        return other - product(product(product(other, vectors), middle), adjoint(vectors))

    def _check(self, a: Node, tau: Node, other: Node, left: bool) -> None:
        _matrices("ormqr", a)
        what, side = "", -2 if left else -1
        if other.ndim < 2:
            what = "other must have at least 2 dimensions."
        elif other.shape[side] < tau.shape[-1]:
            what = f"other.shape[{side}] must be greater than or equal to tau.shape[-1]"
        elif other.shape[side] != a.shape[-2]:
            what = f"other.shape[{side}] must be equal to input.shape[-2]"
        elif tau.shape[-1] != min(other.shape[side], a.shape[-1]):
            what = f"tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        elif tau.ndim != a.ndim - 1 or other.ndim != a.ndim:
            what = (
                "Expected other to have the same number of dimensions as input, and tau one less,"
                f" but got {other.ndim} and {tau.ndim}, and input.ndim is equal to {a.ndim}"
            )
        elif tau.shape[:-1] != a.shape[:-2] or other.shape[:-2] != a.shape[:-2]:
            what = "Expected batch dimensions of tau and other to be equal to input.shape[:-2]"
        if what:
            raise ShapeError("ormqr", f"torch.ormqr: {what}")
        _same_dtype("ormqr", a, tau, "tau")
        _same_dtype("ormqr", a, other, "other")
        _precise("ormqr", "ormqr", a)

    def samples(self, make: Any) -> Any:
        for left in (True, False):
            for transpose in (True, False):
                other = make(5, 2) if left else make(2, 5)
                yield make(5, 3), make(3), other, left, transpose
        yield make(2, 3, 3), make(2, 3), make(2, 3, 4)

    def errors(self, make: Any) -> Any:
        a, tau = make(5, 3), make(3)
        yield lambda: make.call(make(3), tau, make(3, 3)), RuntimeError, "input must have at least"
        yield lambda: make.call(a, tau, make(5)), RuntimeError, "other must have at least"
        yield lambda: make.call(a, tau, make(4, 5)), RuntimeError, "must be equal to input.shape"
        yield lambda: make.call(a, make(2), make(5, 2)), RuntimeError, "must be equal to min"
        yield lambda: make.call(a, tau, make(1, 5, 2)), RuntimeError, "same number of dimensions"
        yield lambda: make.call(a, tau, make(5, 2).double()), RuntimeError, "does not match"


geqrf = Geqrf()
linalg_householder_product = HouseholderProduct()
orgqr = Orgqr()
ormqr = Ormqr()
