"""The loss of a large last layer, as one layer with its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError, ShapeError
from rushlight.tensor.tensor import Tensor

from . import functional as F
from .linear import Linear
from .loss import _WeightedLoss


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How PyTorch would cut a batch into pieces to save memory; checked, and of no effect here.

    Args:
        allow_retain_graph: whether there may be a second ``backward``; there always may.
        batch_chunk_size: samples in a piece.
        chunking_method: ``"auto"``, ``"aspect_ratio"``, ``"aspect_ratio:N"`` or None.
        acc_policy: ``"auto"``, ``"accurate"``, ``"balanced"`` or ``"compact"``.
        acc_dtype: what sums are kept in, a floating type.
    Raises:
        ValueError: a field is none of these.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: DType | None = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, _, factor = str(self.chunking_method).partition(":")
            if name != "aspect_ratio" or not (factor or "1").isdigit() or factor == "0":
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype is not None and not self.acc_dtype.is_floating_point:
            raise ValueError(f"acc_dtype must be a floating type or None, got {self.acc_dtype!r}.")


class LinearCrossEntropyLoss(_WeightedLoss):
    """Cross entropy of a linear layer's output.

    Args:
        in_features: the size of the input's last dimension.
        num_classes: how many classes there are.
        out_features: the sizes of further dimensions, each place of which has a target.
        bias: whether the linear layer has a bias.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: a weight for each class.
        ignore_index: the target that counts for nothing; -100 when None.
        label_smoothing: what share of each target goes to all classes alike.
        options: see :class:`LinearCrossEntropyOptions`.
    Shape:
        input (N, in_features) or (in_features); target (N, *out_features) or (), or probabilities
        (N, num_classes, *out_features).
    Raises:
        RuntimeError: ``weight`` is not one for each class, or the smoothing is not in [0, 1].
    Example:
        >>> import rushlight as rl
        >>> loss = rl.nn.LinearCrossEntropyLoss(8, 5)
        >>> loss(rl.randn(4, 8), rl.tensor([0, 1, 2, 3])).shape
        torch.Size([])
    """

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (),
        bias: bool = False, device: Device | str | None = None, dtype: DType | None = None,
        reduction: str = "mean", weight: Tensor | None = None, ignore_index: int | None = None,
        label_smoothing: float = 0.0, options: LinearCrossEntropyOptions | None = None,
    ) -> None:  # fmt: skip
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(
                "LinearCrossEntropyLoss",
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}",
            )
        if not 0 <= label_smoothing <= 1.0:
            raise OperationError(
                "LinearCrossEntropyLoss",
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}",
            )
        super().__init__(weight=weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        size = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, size, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Any:
        sizes = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape((*sizes, self.linear.in_features)),
            target,
            linear_bias=None if bias is None else bias.reshape(sizes),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes},"
            f" out_features={self.out_features}, bias={self.linear.bias is not None},"
            f" reduction={self.reduction}, ignore_index={self.ignore_index},"
            f" label_smoothing={self.label_smoothing}, options={self.options}"
        )
