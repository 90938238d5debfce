"""The loss that looks away from what is easy."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F

from .box_losses import reduced


def sigmoid_focal_loss(
    inputs: Tensor,
    targets: Tensor,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
) -> Tensor:
    r"""Binary cross entropy, weighted down where the prediction is right already.

    .. math:: -\alpha_t (1 - p_t)^\gamma \log p_t

    Args:
        inputs: logits.
        targets: 0 or 1 for each of them, floating.
        alpha: the weight of ones, 0 to 1; -1 weighs nothing.
        gamma: how much less easy ones count.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
    Raises:
        ValueError: another alpha or reduction.
    Reference:
        Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 5, arXiv:1708.02002.
    Example:
        >>> sigmoid_focal_loss(rl.tensor([2.0, -2.0]), rl.tensor([1.0, 1.0]))
        tensor([0.0005, 0.4125])
    """
    if not 0 <= alpha <= 1 and alpha != -1:
        raise ValueError(
            f"Invalid alpha value: {alpha}. alpha must be in the range [0,1] or -1 for ignore."
        )
    p = rl.sigmoid(inputs)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    right = p * targets + (1 - p) * (1 - targets)
    loss = loss * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return loss.mean() if reduction == "mean" else reduced(loss, reduction)
