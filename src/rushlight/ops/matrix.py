"""Powers, exponentials and products of matrices, and functions of ``linalg`` that are others."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import DTypeError, OperationError, ShapeError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .autocast import taken
from .elementwise import TORCH_NAMES
from .factor import product
from .product import crossed
from .singular import singular
from .solve import adjoint, bad_made, matrices, square, strong


class MatrixExp(Op):
    """The exponential of square matrices.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.matrix_exp(rl.zeros(2, 2))
        tensor([[1., 0.],
                [0., 1.]])
    """

    name, module, backward = "linalg_matrix_exp", "linalg", "LinalgMatrixExp"
    batched = "front"
    torch = "matrix_exp(Tensor A) -> Tensor"
    ulp = 256

    def __call__(self, a: Node) -> Node:
        square("linalg.matrix_exp", a, half=True)
        return self.record((a,))

    def infer(self, a: Spec) -> Spec:
        return a

    def vjp(self, g: Node, y: Node, a: Node) -> tuple[Node | None, ...]:
        # exp(((X, G), (0, X))) holds the derivative of exp(X) along G at the top right.
        size = a.shape[-1]
        x = adjoint(a)
        above = ops.cat((x, g), -1)
        below = ops.cat((ops.zeros(x.spec), x), -1)
        blocks = self.record((ops.cat((above, below), -2),))
        rows = ops.slice_(blocks, a.ndim - 2, 0, size)
        return (ops.slice_(rows, a.ndim - 1, size, 2 * size),)

    def ref(self, a: Any) -> Any:
        if not a.size:
            return a
        # Taylor's series of a matrix halved until it is small, squared back (in double precision).
        x = a.astype(np.result_type(a.dtype, np.float64))
        endless = ~np.isfinite(x).all((-2, -1), keepdims=True)
        x = np.where(endless, 0, x)
        norm = np.abs(x).sum(axis=-1).max()
        halvings = max(0, int(np.ceil(np.log2(max(norm, 1e-30)))) + 4)
        x = x / 2.0**halvings
        total = term = np.broadcast_to(np.eye(a.shape[-1], dtype=x.dtype), x.shape)
        for k in range(1, 16):
            term = term @ x / k
            total = total + term
        for _ in range(halvings):
            total = total @ total
        return np.where(endless, np.nan, total)

    def samples(self, make: Any) -> Any:
        yield make(3, 3)
        yield make(2, 4, 4)
        yield make(0, 0)

    def errors(self, make: Any) -> Any:
        yield from bad_made(make)


class MatrixPower(Composite):
    """A whole power of square matrices; negative ones of the inverse.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.matrix_power(rl.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
        tensor([[1., 3.],
                [0., 1.]])
    """

    name, module = "linalg_matrix_power", "linalg"
    torch = "matrix_power(Tensor A, int n) -> Tensor"
    ulp = 256

    def __call__(self, a: Node, n: int) -> Node:
        square("linalg.matrix_power", a, half=True, whole=True)
        if n == 0:
            ones = ops.expand(ops.eye(a.shape[-1], a.shape[-1], a.dtype), a.shape)
            return ops.overwrite.record((ones, a), "copy_")
        if n < 0:
            a, n = ops.linalg_inv(a), -n
        result: Node | None = None
        while n:
            if n & 1:
                result = a if result is None else product(result, a)
            n >>= 1
            a = product(a, a) if n else a
        assert result is not None
        return result

    def samples(self, make: Any) -> Any:
        for n in (1, 2, 5, -2):
            yield strong(make, 3, 3), n
        yield make(2, 2), 0
        yield strong(make, 2, 3, 3), 3

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), 2), RuntimeError, "3 by 4 matrices"


class MultiDot(Composite):
    """The product of several matrices, in the order of multiplication that is cheapest.

    The first and the last may be vectors.
    """

    name, module = "linalg_multi_dot", "linalg"
    torch = "multi_dot(Tensor[] tensors) -> Tensor"
    ulp = 256

    def __call__(self, tensors: tuple[Node, ...]) -> Node:
        if len(tensors) < 2:
            raise OperationError(
                "linalg.multi_dot", "multi_dot(): expected at least 2 tensors but got"
                f" {len(tensors)}",
            )  # fmt: skip
        first, last = tensors[0], tensors[-1]
        row, column = first.ndim == 1, last.ndim == 1
        chain = [
            ops.unsqueeze(first, 0) if row else first,
            *tensors[1:-1],
            ops.unsqueeze(last, 1) if column else last,
        ]
        for x in chain:
            if x.ndim != 2:
                raise ShapeError(
                    "linalg.multi_dot", f"multi_dot(): tensor must be 2D but got {x.ndim}D"
                )
        result = _cheapest(chain)
        gone = (*((0,) if row else ()), *((1,) if column else ()))
        return ops.squeeze(result, gone) if gone else result

    def samples(self, make: Any) -> Any:
        yield [make(3, 4), make(4, 2)]
        yield [make(3, 4), make(4, 2), make(2, 5), make(5, 1)]
        yield [make(3), make(3, 4), make(4)]

    def errors(self, make: Any) -> Any:
        yield lambda: make.call([make(3, 3)]), RuntimeError, "at least 2 tensors but got 1"
        yield lambda: make.call([make(3, 3), make(4, 4)]), RuntimeError, "cannot be multiplied"


def _cheapest(chain: list[Node]) -> Node:
    """The product of a chain of matrices, split where it costs the fewest multiplications."""
    sizes = [chain[0].shape[0], *(x.shape[1] for x in chain)]
    cost: dict[tuple[int, int], tuple[int, int]] = {(k, k): (0, k) for k in range(len(chain))}
    for length in range(1, len(chain)):
        for i in range(len(chain) - length):
            j = i + length
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )

    def multiplied(i: int, j: int) -> Node:
        if i == j:
            return chain[i]
        k = cost[i, j][1]
        return product(multiplied(i, k), multiplied(k + 1, j))

    return multiplied(0, len(chain) - 1)


class Pinv(Op):
    """The Moore-Penrose inverse; singular values up to ``max(atol, rtol * largest)`` count as 0.

    ``rtol`` is the precision times the larger size when neither is given. With ``hermitian``
    only the lower triangle is read.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.pinv(rl.tensor([[2.0], [0.0]]))
        tensor([[0.5000, 0.0000]])
    """

    name, module, attrs = "linalg_pinv", "linalg", ("hermitian",)
    batched = "front"
    torch = (
        "pinv(Tensor A, Any rcond=None, *, Any atol=None, Any rtol=None, bool hermitian=False)"
        " -> Tensor"
    )
    ulp = 256

    def __call__(
        self, a: Node, rcond: Any = None, *, atol: Any = None, rtol: Any = None,
        hermitian: bool = False,
    ) -> Node:  # fmt: skip
        (square if hermitian else matrices)("linalg.pinv", a)
        rtol = rcond if rtol is None else rtol
        if rtol is None:
            precise = float(np.finfo(a.dtype.numpy).eps) * max(a.shape[-2:])
            rtol = precise if atol is None else 0.0
        limits = (0.0 if atol is None else atol, rtol)
        nodes = [x if isinstance(x, Node) else number(float(x)) for x in limits]
        y = self.record((a, *nodes), bool(hermitian))
        return taken("lower", y)[0]  # type: ignore[no-any-return]  # it ends with a product

    def infer(self, a: Spec, atol: Spec, rtol: Spec, *, hermitian: bool) -> Spec:
        return a.with_shape((*a.shape[:-2], a.shape[-1], a.shape[-2]))

    def vjp(
        self, g: Node, y: Node, a: Node, atol: Node, rtol: Node, *, hermitian: bool
    ) -> tuple[Node | None, ...]:
        # Golub & Pereyra 1973, equation 4.12: the change along the inverse, and along both kernels.
        gh, yh = adjoint(g), adjoint(y)
        columns = product(gh - product(a, y, gh), y, yh)
        rows = product(yh, y, gh - product(gh, y, a))
        return columns + rows - product(yh, g, yh), None, None

    def ref(self, a: Any, atol: Any, rtol: Any, *, hermitian: bool) -> Any:
        if not a.size:
            return np.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
        if hermitian:
            s, u = np.linalg.eigh(a)
            v = u
        else:
            u, s, vh = singular("linalg.svd", a, False)
            v = np.swapaxes(vh.conj(), -1, -2)
        size = np.abs(s)
        limit = np.maximum(rtol[..., None] * size.max(-1, keepdims=True), atol[..., None])
        kept = size > limit
        inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)
        return (v * inverse[..., None, :]) @ np.swapaxes(u.conj(), -1, -2)

    def samples(self, make: Any) -> Any:
        yield strong(make, 3, 3)
        yield make(4, 3)
        yield make(2, 3, 4)
        yield make(2, 3, 3).detach(), {"atol": 0.5, "rtol": 0.1}  # what is left out has no gradient
        yield strong(make, 3, 3).detach().tril().triu(), {"hermitian": True}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "must have at least 2 dimensions"
        yield lambda: make.call(make.int(3, 3)), RuntimeError, "floating point or complex"
        yield lambda: make.call(make(3, 4), hermitian=True), RuntimeError, "3 by 4 matrices"


class Vecdot(Composite):
    """The dot products of vectors along a dimension, the first conjugated.

    Example:
        >>> import rushlight as rl
        >>> rl.linalg.vecdot(rl.ones(2, 3), rl.ones(3))
        tensor([3., 3.])
    """

    autocast = "lower"
    name, module = "linalg_vecdot", "linalg"
    torch = "vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor"
    ulp = 64

    def __call__(self, x: Node, y: Node, *, dim: int = -1) -> Node:
        if not x.dtype.is_differentiable:
            raise DTypeError(
                "linalg.vecdot",
                "linalg.vecdot: Expected a floating point or complex tensor as input. Got"
                f" {TORCH_NAMES[x.dtype.name][1:-1]}",
            )
        return ops.sum(ops.conj(x) * y, dim)

    def samples(self, make: Any) -> Any:
        yield make(2, 3), make(2, 3)
        yield make(2, 3), make(3)
        yield make.complex(3, 2), make.complex(3, 2), {"dim": 0}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(4)), RuntimeError, "must match the size"
        yield lambda: make.call(make.int(3), make.int(3)), RuntimeError, "floating point or complex"


class LinalgCross(Composite):
    """The vectors at right angles to two vectors of 3 elements along ``dim``."""

    name, module = "linalg_cross", "linalg"
    torch = "cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor"
    ulp = 8

    def __call__(self, a: Node, b: Node, *, dim: int = -1) -> Node:
        return crossed(a, b, dim)

    def samples(self, make: Any) -> Any:
        yield make(2, 3), make(2, 3)
        yield make(3, 1), make(3, 4), {"dim": 0}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(4), make(4)), RuntimeError, "must have length 3. Got 4 and 4"
        yield lambda: make.call(make(3), make(2, 3)), RuntimeError, "same number of dimensions"


class LinalgDiagonal(Composite):
    """The diagonals of matrices, as a view."""

    name, module = "linalg_diagonal", "linalg"
    torch = "diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)"

    def __call__(self, a: Node, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Node:
        return ops.diagonal(a, offset, dim1, dim2)

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4)
        yield make(3, 3), {"offset": 1}

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), IndexError, "Dimension out of range"


linalg_matrix_exp = MatrixExp()
linalg_matrix_power = MatrixPower()
linalg_multi_dot = MultiDot()
linalg_pinv = Pinv()
linalg_vecdot = Vecdot()
linalg_cross = LinalgCross()
linalg_diagonal = LinalgDiagonal()
