"""Layers that measure how far vectors are from each other."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class PairwiseDistance(Module):
    r"""The distance of pairs of vectors, :math:`\lVert x_1 - x_2 + \epsilon \rVert_p`.

    Args:
        p: which norm; ``inf`` is the largest difference.
        eps: added to each difference, which keeps the gradient of equal vectors finite.
        keepdim: whether the last dimension stays, with size 1.
    Shape:
        x1 (N, D) or (D); x2 the same or what broadcasts with it; output (N) or ().
    Example:
        >>> import rushlight as rl
        >>> rl.nn.PairwiseDistance()(rl.zeros(1, 2), rl.tensor([[3.0, 4.0]]))
        tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    r"""The cosine of the angle between vectors along ``dim``.

    Args:
        eps: the least length that is divided by.
    Shape:
        x1 (*, D, *), D at ``dim``; x2 the same or what broadcasts with it; output without D.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.CosineSimilarity()(rl.tensor([[1.0, 0.0]]), rl.tensor([[1.0, 1.0]]))
        tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Any:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
