"""What the networks of inception modules share."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight import Tensor, nn
from rushlight.nn import functional as F


class BasicConv2d(nn.Module):
    """A convolution, batch norm and ReLU; further arguments are the convolution's."""

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


def as_trained_elsewhere(x: Tensor) -> Tensor:
    """Images normalised by ImageNet's statistics, as (x - 0.5) / 0.5 instead.

    The weights come from a framework that normalised in this way.
    """
    mean = x.new_tensor((0.485, 0.456, 0.406)).reshape(3, 1, 1)
    std = x.new_tensor((0.229, 0.224, 0.225)).reshape(3, 1, 1)
    return x * (std / 0.5) + (mean - 0.5) / 0.5


def start_wanted(init_weights: bool | None, name: str) -> bool:
    """Whether to draw weights; the default may change, and says so."""
    if init_weights is None:
        warnings.warn(
            f"The default weight initialization of {name} will be changed in future releases of "
            "torchvision. If you wish to keep the old behavior (which leads to long initialization "
            "times due to scipy/scipy#11299), please set init_weights=True.",
            FutureWarning,
            stacklevel=3,
        )
        return True
    return init_weights


def draw_truncated(model: nn.Module, std: float) -> None:
    """Weights from a normal distribution cut at 2; a layer may say ``stddev`` itself.

    The biases of linear layers keep their values.
    """
    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            own = getattr(layer, "stddev", std)
            nn.init.trunc_normal_(layer.weight, mean=0.0, std=own, a=-2, b=2)
