"""Losses as layers: what a model's output costs, given the target."""

from __future__ import annotations

from typing import Any

from rushlight.ops.loss import reduction_of
from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class _Loss(Module):
    """A loss with a ``reduction``. Abstract.

    Args:
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element or sample.
        size_average, reduce: what came before ``reduction``; they warn.
    """

    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_of(type(self).__name__, reduction, size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight for each class, or element, in the buffer ``weight``. Abstract."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of class scores: the negative log likelihood of their softmax.

    Args:
        weight: a factor for each class; the mean over class targets is over the samples' weights.
        ignore_index: a class that does not count, in the loss and in the mean.
        label_smoothing: the part of each target that goes to all classes alike, from 0 to 1.
    Shape:
        input (N, C), (N, C, d1, ...) or (C); target (N), (N, d1, ...) or () of int64 classes, or
        the shape of input with probabilities; output (), or (N, d1, ...) with ``"none"``.
    Raises:
        IndexError: a class is not from 0 to C - 1.
        ValueError: numbers of samples differ, or there is no such ``reduction``.
        RuntimeError: the target's dtype or a shape does not fit.
    Example:
        >>> import rushlight as rl
        >>> scores = rl.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
        >>> rl.nn.CrossEntropyLoss()(scores, rl.tensor([0, 2]))
        tensor(1.2395)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.cross_entropy(
            input, target, self.weight, None, self.ignore_index, None, self.reduction,
            self.label_smoothing,
        )  # fmt: skip


class MSELoss(_Loss):
    r"""Squared error: :math:`(x - t)^2`, its mean or its sum.

    Shape:
        input (*) floating; target (*) the same, or what broadcasts with it (which warns).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.MSELoss()(rl.tensor([1.0, 2.0]), rl.tensor([0.0, 4.0]))
        tensor(2.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.mse_loss(input, target, reduction=self.reduction)
