"""Losses as layers that want some score, or distance, to be better than another by a margin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .distance import PairwiseDistance
from .loss import _Loss, _WeightedLoss

Distance = Callable[[Tensor, Tensor], Tensor]


class _MarginLoss(_Loss):
    """A loss with a ``margin``. Abstract."""

    def __init__(
        self, margin: float, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(_MarginLoss):
    r"""Wants the first score above the second, or below: :math:`\max(0, -t(x_1 - x_2) + m)`.

    Shape:
        input1, input2, target (N) or (), the target 1 or -1; output (), or (N) with ``"none"``.
    Raises:
        RuntimeError: the numbers of dimensions differ, or the shapes do not broadcast.
    Example:
        >>> import rushlight as rl
        >>> a, b = rl.tensor([1.0, 2.0]), rl.tensor([0.5, 3.0])
        >>> rl.nn.MarginRankingLoss()(a, b, rl.ones(2))
        tensor(0.5000)
    """

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class HingeEmbeddingLoss(_MarginLoss):
    r"""Wants a distance small where the target is 1, larger than a margin where it is -1.

    Shape:
        input (*); target the same; output (), or (*) with ``"none"``.
    Reference:
        Hadsell, Chopra & LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping",
        with its distances squared.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.HingeEmbeddingLoss()(rl.tensor([0.5, 0.2]), rl.tensor([1, -1]))
        tensor(0.6500)
    """

    def __init__(
        self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    r"""Wants the angle between vectors small where the target is 1, their cosine low where -1.

    .. math:: 1 - \cos \text{ where } t = 1, \quad \max(0, \cos - m) \text{ where } t = -1

    Shape:
        input1, input2 (N, D) with target (N), or (D) with target ().
    Raises:
        RuntimeError: the numbers of dimensions do not fit, or shapes do not broadcast.
    Example:
        >>> import rushlight as rl
        >>> a, b = rl.tensor([[1.0, 0.0]]), rl.tensor([[0.0, 1.0]])
        >>> rl.nn.CosineEmbeddingLoss()(a, b, rl.tensor([1]))
        tensor(1.)
    """

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Any:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class SoftMarginLoss(_Loss):
    r"""Wants scores of the target's sign: :math:`\log(1 + e^{-t x})`.

    Shape:
        input (*); target the same, 1 or -1; output (), or (*) with ``"none"``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.SoftMarginLoss()(rl.tensor([0.0, 2.0]), rl.tensor([1, -1]))
        tensor(1.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    r"""Wants the target class's score above all others by a margin.

    .. math:: \tfrac1C \sum_{j \ne t} \max(0, m - x_t + x_j)^p

    Args:
        p: 1 or 2.
        weight: a factor for each class.
    Shape:
        input (N, C) or (C); target (N) or (), int64; output (), or the target's with ``"none"``.
    Raises:
        ValueError: another ``p``, or a weight that is no vector.
        RuntimeError: a target is no class, or a shape does not fit.
    Reference:
        Crammer & Singer 2001, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
        Machines".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.MultiMarginLoss()(rl.tensor([[0.1, 0.2, 0.4, 0.8]]), rl.tensor([3]))
        tensor(0.3250)
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(
                f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D"
                " instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight,
            reduction=self.reduction,
        )  # fmt: skip


class MultiLabelMarginLoss(_Loss):
    r"""Wants the scores of all target classes above those of the others by 1.

    .. math:: \tfrac1C \sum_{i \in t} \sum_{j \notin t} \max(0, 1 - x_i + x_j)

    Shape:
        input (N, C) or (C); target the same, int64: class numbers, ended by the first -1.
    Raises:
        RuntimeError: a target is no class, or the shapes differ.
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([[0.1, 0.2, 0.4, 0.8]]), rl.tensor([[3, 0, -1, 1]])
        >>> rl.nn.MultiLabelMarginLoss()(x, t)
        tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    r"""Binary cross entropy of scores, averaged over the classes of each sample.

    Args:
        weight: a factor for each class.
    Shape:
        input (*, C); target the same, 0 or 1; output (), or (*) with ``"none"``.
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([[2.0, -1.0]]), rl.tensor([[1.0, 0.0]])
        >>> rl.nn.MultiLabelSoftMarginLoss()(x, t)
        tensor(0.2201)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


def _check_margin(layer: str, margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"{layer}: expected margin to be greater than 0, got {margin} instead")


class TripletMarginLoss(_Loss):
    r"""Wants an anchor nearer to the positive than to the negative, by a margin.

    .. math:: \max(0, d(a, p) - d(a, n) + m)

    Args:
        p: the distance's norm.
        eps: added to each difference.
        swap: whether the positive's distance to the negative counts where it is smaller.
    Shape:
        anchor, positive, negative (N, D) or (D); output (), or (N) with ``"none"``.
    Raises:
        ValueError: the margin is not positive.
    Reference:
        Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow
        convolutional neural networks".
    Example:
        >>> import rushlight as rl
        >>> a, p, n = rl.zeros(1, 2), rl.ones(1, 2), rl.tensor([[0.0, 1.0]])
        >>> rl.nn.TripletMarginLoss()(a, p, n)
        tensor(1.4142)
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        _check_margin("TripletMarginLoss", margin)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        return F.triplet_margin_loss(
            anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps,
            swap=self.swap, reduction=self.reduction,
        )  # fmt: skip


class TripletMarginWithDistanceLoss(_Loss):
    """``TripletMarginLoss`` with another distance.

    Args:
        distance_function: takes two tensors and returns their distances; ``PairwiseDistance`` when
            None.
        swap: whether the positive's distance to the negative counts where it is smaller.
    Raises:
        ValueError: the margin is not positive.
    Example:
        >>> import rushlight as rl
        >>> largest = lambda x, y: (x - y).abs().amax(-1)
        >>> loss = rl.nn.TripletMarginWithDistanceLoss(distance_function=largest)
        >>> loss(rl.zeros(1, 2), rl.ones(1, 2), rl.tensor([[0.0, 3.0]]))
        tensor(0.)
    """

    def __init__(
        self, *, distance_function: Distance | None = None, margin: float = 1.0,
        swap: bool = False, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(reduction=reduction)
        _check_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function = (
            PairwiseDistance() if distance_function is None else distance_function
        )
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Any:
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction,
        )  # fmt: skip
