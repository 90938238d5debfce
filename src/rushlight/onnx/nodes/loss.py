"""Losses of classification."""

from __future__ import annotations

import rushlight as rl
from rushlight.nn import functional as F

from .registry import Here, node


@node("NegativeLogLikelihoodLoss", frozen=(2,))
def negative_log_likelihood_loss(
    x: rl.Tensor, target: rl.Tensor, weight: rl.Tensor | None = None, *,
    ignore_index: int | None = None, reduction: str = "mean",
) -> rl.Tensor:  # fmt: skip
    return _picked(x, target, weight, ignore_index, reduction)


@node("SoftmaxCrossEntropyLoss", frozen=(2,))
def softmax_cross_entropy_loss(
    x: rl.Tensor, target: rl.Tensor, weight: rl.Tensor | None = None, *,
    ignore_index: int | None = None, reduction: str = "mean", here: Here,
) -> rl.Tensor | tuple[rl.Tensor, rl.Tensor]:  # fmt: skip
    shares = F.log_softmax(x, 1)
    loss = _picked(shares, target, weight, ignore_index, reduction)
    return (loss, shares) if here.outputs > 1 else loss


def _picked(
    shares: rl.Tensor, target: rl.Tensor, weight: rl.Tensor | None, ignored: int | None,
    reduction: str,
) -> rl.Tensor:  # fmt: skip
    target = target.to(rl.int64)
    # Without a label to ignore, none is: a label below all of them stands for it.
    index = -(2**31) if ignored is None else ignored
    return F.nll_loss(shares, target, weight, ignore_index=index, reduction=reduction)
