"""How far vectors are from each other, and vectors of length 1."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import int64
from rushlight.base.errors import DTypeError, OperationError, ShapeError
from rushlight.graph.node import Node, known
from rushlight.graph.op import Composite

from .loss import in_one_dtype


class PairwiseDistance(Composite):
    r"""The distance of pairs of vectors, :math:`\lVert x_1 - x_2 + \epsilon \rVert_p`.

    Args:
        p: which norm; ``inf`` is the largest difference.
        eps: added to each difference, which keeps the gradient of equal vectors finite.
        keepdim: whether the last dimension stays, with size 1.
    Shape:
        x1 (N, D) or (D); x2 the same or what broadcasts with it; output (N) or ().
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.pairwise_distance(rl.zeros(1, 2), rl.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """

    name = "pairwise_distance"
    torch = (
        "pairwise_distance(Tensor x1, Tensor x2, float p=2, float eps=1e-06, bool keepdim=False)"
        " -> Tensor"
    )

    def __call__(
        self, x1: Node, x2: Node, p: float = 2, eps: float = 1e-6, keepdim: bool = False
    ) -> Node:
        x1, x2 = in_one_dtype(x1, x2)
        return ops.linalg_vector_norm(x1 - x2 + eps, p, -1, keepdim)

    def samples(self, make: Any) -> Any:
        for p in (2, 1, 3, inf, 0.5):
            yield make(3, 4), make(3, 4), p
        yield make(3, 4), make(4), {"keepdim": True}
        yield make(4), make(4), {"eps": 0.1}
        yield make(0, 4), make(0, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make(3, 5)), RuntimeError, "must match the size"
        yield lambda: make.call(make(3, 4), 1.0), TypeError, "must be Tensor, not float"


class Pdist(Composite):
    r"""The distances :math:`\lVert x_i - x_j \rVert_p` of all pairs of rows with ``i < j``.

    Shape:
        input (N, D); output (N * (N - 1) / 2), the pairs of row 0 first.
    Raises:
        RuntimeError: the input is no matrix, or ``p`` is negative.
    Example:
        >>> import rushlight as rl
        >>> rl.pdist(rl.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
        tensor([5.0000, 1.0000, 4.2426])
    """

    name = "pdist"
    torch = "pdist(Tensor self, float p=2) -> Tensor"

    def __call__(self, x: Node, p: float = 2) -> Node:
        if x.ndim != 2:
            raise ShapeError(
                "pdist", f"pdist only supports 2D tensors, got: {x.ndim}D", rule="Give one matrix."
            )
        if not x.dtype.is_floating_point:
            raise DTypeError("pdist", "pdist only supports floating-point dtypes")
        if p < 0:
            raise OperationError("pdist", "pdist only supports non-negative p values")
        pairs = [known(Buffer(side, int64)) for side in np.triu_indices(x.shape[0], 1)]
        one, two = (ops.index_select.record((x, rows), 0) for rows in pairs)
        return ops.linalg_vector_norm(one - two, p, -1)

    def samples(self, make: Any) -> Any:
        # Without gradients: PyTorch has no second ones here, and crashes on empty ones.
        for p in (2, 1, 3, inf):
            yield make(4, 3).detach(), p
        yield make(1, 3).detach()
        yield make(0, 3).detach()

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3)), RuntimeError, "only supports 2D tensors, got: 1D"
        yield lambda: make.call(make(3, 2), -1.0), RuntimeError, "non-negative p values"
        yield lambda: make.call(make.int(3, 2)), RuntimeError, "floating-point dtypes"


class CosineSimilarity(Composite):
    r"""The cosine of the angle between vectors along ``dim``.

    .. math:: \frac{x_1 \cdot x_2}{\max(\lVert x_1 \rVert, \epsilon)
       \max(\lVert x_2 \rVert, \epsilon)}

    Args:
        eps: the least length that is divided by.
    Shape:
        x1 (*, D, *), D at ``dim``; x2 the same or what broadcasts with it; output without D.
    Raises:
        RuntimeError: the dtype is not floating point, or shapes do not broadcast.
    Example:
        >>> import rushlight as rl
        >>> rl.cosine_similarity(rl.tensor([[1.0, 0.0]]), rl.tensor([[1.0, 1.0]]))
        tensor([0.7071])
    """

    name = "cosine_similarity"
    torch = "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor"

    def __call__(self, x1: Node, x2: Node, dim: int = 1, eps: float = 1e-8) -> Node:
        x1, x2 = in_one_dtype(x1, x2)
        if not x1.dtype.is_floating_point:
            found = ops.TORCH_NAMES[x1.dtype.name][1:-1]
            raise DTypeError(
                "cosine_similarity",
                f"expected common dtype to be floating point, yet common dtype is {found}",
            )
        shape = shapes.broadcast("cosine_similarity", x1.shape, x2.shape)
        one, two = (_unit(ops.expand(x, shape), 2, dim, eps) for x in (x1, x2))
        return ops.sum(one * two, dim)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(3, 4)
        yield make(3, 4), make(4), -1
        yield make(2, 3, 4), make(2, 3, 4), {"dim": 0, "eps": 1e-3}
        yield make(4), make(4), 0
        yield make(4, 3).T, make(3, 4), {"dim": 0}
        yield make(0, 4), make(0, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3, 4), make(3, 5)), RuntimeError, "must match the size"
        yield lambda: make.call(make(3, 4), make(3, 4), 2), IndexError, "Dimension out of range"
        yield lambda: make.call(make.int(3, 4), make.int(3, 4)), RuntimeError, "dtype is Long"


class Normalize(Composite):
    r"""Vectors along ``dim`` over their length, :math:`x / \max(\lVert x \rVert_p, \epsilon)`.

    Args:
        p: which norm.
        dim: one dimension or several.
        eps: the least length that is divided by.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.normalize(rl.tensor([[3.0, 4.0]]))
        tensor([[0.6000, 0.8000]])
    """

    name, module = "normalize", "nn.functional"
    torch = "normalize(Tensor input, float p=2.0, int[1] dim=1, float eps=1e-12) -> Tensor"

    def __call__(
        self, x: Node, p: float = 2.0, dim: int | Sequence[int] = 1, eps: float = 1e-12
    ) -> Node:
        return _unit(x, p, dim, eps)

    def samples(self, make: Any) -> Any:
        for p in (2.0, 1.0, 3.0, inf):
            yield make(3, 4), p
        yield make(2, 3, 4), {"dim": (0, 2)}
        yield make(4), {"dim": 0}
        yield make(), {"dim": 0}
        yield make(0, 4)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(4)), IndexError, "Dimension out of range"
        yield lambda: make.call(make.int(3, 4)), RuntimeError, "floating point or complex"


def _unit(x: Node, p: float, dim: int | Sequence[int], eps: float) -> Node:
    """Vectors of length 1 in the direction of those along ``dim``."""
    length = ops.linalg_vector_norm(x, p, dim, True)
    return x / ops.clamp_min(length, eps)


pairwise_distance = PairwiseDistance()
pdist = Pdist()
cosine_similarity = CosineSimilarity()
normalize = Normalize()
