"""Eigenvalues of any square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import NoKernelError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .elementwise import TORCH_NAMES
from .factor import on_diagonal, product
from .solve import adjoint, bad_made, square


class Eig(Op):
    """The eigenvalues in any order, and eigenvectors of length 1 as columns; always complex.

    A gradient through eigenvectors needs eigenvalues that differ, and a function that does not
    depend on the vectors' phases.

    Reference:
        Boeddeker et al. 2017, "On the computation of complex-valued gradients with application to
        statistically optimum beamforming", arXiv:1701.00392, for the gradient.
    Example:
        >>> import rushlight as rl
        >>> rl.linalg.eig(rl.tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues.imag
        tensor([ 1., -1.])
    """

    autocast = "wide"
    name, module = "linalg_eig", "linalg"
    batched = "front"
    torch = "eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)"
    ulp = 256

    def __call__(self, a: Node) -> tuple[Node, ...]:
        if a.dtype.is_half:
            raise NoKernelError(
                "linalg.eig",
                f'"linalg_eig_out_cpu" not implemented for {TORCH_NAMES[a.dtype.name]}',
            )
        square("linalg.eig", a)
        return ops.parts(self.record((a,)))

    def infer(self, a: Spec) -> tuple[Spec, Spec]:
        made = a.with_dtype(a.dtype.to_complex())
        return made.with_shape(a.shape[:-1]), made

    def vjp(self, g: Any, y: Node, a: Node) -> tuple[Node | None, ...]:
        values, vectors = ops.part(y, 0), ops.part(y, 1)
        inner = None if g[0] is None else on_diagonal(g[0])
        if g[1] is not None:
            turned = self._between(g[1], values, vectors)
            inner = turned if inner is None else inner + turned
        assert inner is not None
        turned_vectors = adjoint(vectors)
        return (ops.linalg_solve(turned_vectors, product(inner, turned_vectors)),)

    def _between(self, g: Node, values: Node, vectors: Node) -> Node:
        """What the eigenvectors' gradient says, in terms of the eigenvectors."""
        along = product(adjoint(vectors), g)
        own = ops.real(ops.diagonal(along, 0, -2, -1))  # lengths stay 1
        kept = product(adjoint(vectors), vectors) * ops.unsqueeze(ops.cast(own, g.dtype), -2)
        size = values.shape[-1]
        gaps = ops.conj(ops.unsqueeze(values, -2) - ops.unsqueeze(values, -1))
        ones = ops.eye(size, size, g.dtype)
        return (along - kept) / (gaps + ones) * (1 - ones)

    def ref(self, a: Any) -> Any:
        return tuple(np.linalg.eig(finite("eig", a)))

    def samples(self, make: Any) -> Any:
        yield _rising(make)
        yield _rising(make).expand(2, 3, 3)
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(2, 2) / 0), RuntimeError, "infs or NaNs"


def _rising(make: Any) -> Any:
    """1, 2 and 3 on a diagonal: nobody can choose other vectors, or another order."""
    return make(3, 3, low=1, high=1).cumsum(0).tril().triu()


def finite(name: str, a: Any) -> Any:
    """The matrices, refused when a number in them is not finite."""
    if not np.isfinite(a).all():
        raise OperationError(
            f"linalg.{name}", f"torch.linalg.{name}: input tensor should not contain infs or NaNs."
        )
    return a


class Eigvals(Op):
    """The eigenvalues of square matrices in any order; always complex."""

    autocast = "wide"
    name, module = "linalg_eigvals", "linalg"
    batched = "front"
    torch = "eigvals(Tensor self) -> Tensor"
    ulp = 256

    def __call__(self, a: Node) -> Node:
        if a.requires_grad:  # the gradient needs the vectors
            values: Node = ops.linalg_eig(a)[0]
            return values
        square("linalg.eigvals", a)
        return self.record((a,))

    def infer(self, a: Spec) -> Spec:
        return a.with_shape(a.shape[:-1]).with_dtype(a.dtype.to_complex())

    def ref(self, a: Any) -> Any:
        return np.linalg.eigvals(finite("eigvals", a))

    def samples(self, make: Any) -> Any:
        yield _rising(make)
        yield make(2, 0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)
        yield lambda: make.call(make(2, 2) / 0), RuntimeError, "infs or NaNs"


class Eigenpairs(Op):
    """Some eigenvalues and eigenvectors of Hermitian matrices that somebody has found."""

    name = "eigenpairs"

    def infer(self, a: Spec, values: Spec, vectors: Spec) -> tuple[Spec, Spec]:
        return values, vectors

    def vjp(self, g: Any, y: Node, a: Node, values: Node, vectors: Node) -> tuple[Node | None, ...]:
        values, vectors = ops.part(y, 0), ops.part(y, 1)
        turned = adjoint(vectors)
        total = None
        if g[0] is not None:
            total = product(vectors * ops.unsqueeze(ops.cast(g[0], a.dtype), -2), turned)
        if g[1] is not None:
            change = product(self._away(g[1], a, values, vectors), turned)
            total = change if total is None else total + change
        assert total is not None
        return 0.5 * (total + adjoint(total)), None, None

    def _away(self, g: Node, a: Node, values: Node, vectors: Node) -> Node:
        """How each vector's gradient turns it towards the others, known or not."""
        columns = ops.unsqueeze(ops.transpose(vectors, -2, -1), -1)  # (*, k, n, 1)
        along = product(columns, adjoint(columns))
        ones = ops.eye(a.shape[-1], a.shape[-1], a.dtype)
        shifts = ops.unsqueeze(ops.unsqueeze(ops.cast(values, a.dtype), -1), -1) * ones
        # With the vector itself put in, the equation has one solution, and that is away from it.
        both = 0.5 * (a + adjoint(a))
        matrix = shifts - ops.unsqueeze(both, -3) + along
        side = product(ones - along, ops.unsqueeze(ops.transpose(g, -2, -1), -1))
        return ops.transpose(ops.squeeze(ops.linalg_solve(matrix, side), -1), -2, -1)

    def ref(self, a: Any, values: Any, vectors: Any) -> Any:
        return values, vectors


eigenpairs = Eigenpairs()
linalg_eig = Eig()
linalg_eigvals = Eigvals()
