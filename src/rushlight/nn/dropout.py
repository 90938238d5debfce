"""Layers that leave out a random part of their input in training."""

from __future__ import annotations

from typing import Any

from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class _DropoutNd(Module):
    """What all dropouts share. Abstract.

    Args:
        p: the probability with which an element, or a channel, is left out.
        inplace: whether the result is written into the input.
    Raises:
        ValueError: ``p`` is not from 0 to 1.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Zeroes elements with probability ``p`` in training and scales the others by ``1 / (1 - p)``.

    Reference:
        Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
        Overfitting", JMLR 15.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.Dropout(0.2).eval()(rl.ones(3))
        tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Any:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Zeroes whole channels of an input (N, C, L) or (C, L) in training.

    Reference:
        Tompson et al. 2014, "Efficient Object Localization Using Convolutional Networks",
        arXiv:1411.4280.
    """

    def forward(self, input: Tensor) -> Any:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Zeroes whole channels of an input (N, C, H, W) in training.

    Reference:
        Tompson et al. 2014, arXiv:1411.4280.
    """

    def forward(self, input: Tensor) -> Any:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Zeroes whole channels of an input (N, C, D, H, W) in training.

    Reference:
        Tompson et al. 2014, arXiv:1411.4280.
    """

    def forward(self, input: Tensor) -> Any:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps the mean and the variance of inputs which ``SELU`` has normalised.

    Reference:
        Klambauer et al. 2017, "Self-Normalizing Neural Networks", arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Any:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """``AlphaDropout`` of whole channels, which are the first two dimensions.

    Reference:
        Klambauer et al. 2017, arXiv:1706.02515.
    """

    def forward(self, input: Tensor) -> Any:
        return F.feature_alpha_dropout(input, self.p, self.training)
