"""The loss of connectionist temporal classification."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .loss import _Loss


class CTCLoss(_Loss):
    """How unlikely sequences of labels are, summed over all ways to lay them along the time.

    Args:
        blank: the class that stands for no label.
        reduction: ``"none"``, ``"mean"`` (each loss over its number of labels first) or ``"sum"``.
        zero_infinity: whether losses of labels that are longer than the time count as 0.
    Shape:
        log_probs (T, N, C) or (T, C); targets (N, S) or the labels of all in a row;
        input_lengths and target_lengths (N) or (); output (N) or ().
    Reference:
        Graves et al. 2006, "Connectionist temporal classification: labelling unsegmented sequence
        data with recurrent neural networks", section 4.
    Example:
        >>> import rushlight as rl
        >>> log_probs = rl.zeros(4, 1, 2).log_softmax(2)
        >>> labels = rl.tensor([[1, 1]])
        >>> rl.nn.CTCLoss()(log_probs, labels, rl.tensor([4]), rl.tensor([2]))
        tensor(0.5816)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor
    ) -> Any:
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
            self.zero_infinity,
        )  # fmt: skip
