"""MobileNetV2: Sandler et al. 2018, arXiv:1801.04381, table 2."""

from __future__ import annotations

from collections.abc import Callable

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ..ops.misc import Conv2dNormActivation
from ._initial import initialize, small
from ._published import Published
from ._utils import _make_divisible

Layer = Callable[..., nn.Module]

# Expansion, channels, blocks, stride of the first block.
_TABLE_2 = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
]


class InvertedResidual(nn.Module):
    """1x1 up, depthwise 3x3, 1x1 down without activation; added to the input where shapes allow."""

    def __init__(
        self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Layer | None = None
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm = norm_layer or nn.BatchNorm2d
        width = round(inp * expand_ratio)
        layers: list[nn.Module] = []
        if expand_ratio != 1:
            layers.append(_block(inp, width, norm, kernel_size=1))
        layers += [
            _block(width, width, norm, stride=stride, groups=width),
            nn.Conv2d(width, oup, 1, 1, 0, bias=False),
            norm(oup),
        ]
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup
        self._is_cn = stride > 1  # detectors look for where the size changes

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


def _block(channels: int, out: int, norm: Layer, **sizes: int) -> nn.Module:
    return Conv2dNormActivation(channels, out, norm_layer=norm, activation_layer=nn.ReLU6, **sizes)


class MobileNetV2(nn.Module):
    """Inverted residuals.

    Args:
        width_mult: multiplies all widths.
        inverted_residual_setting: rows of expansion, channels, blocks and stride.
        round_nearest: widths are multiples of it.
        block: in place of :class:`InvertedResidual`.
    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: list[list[int]] | None = None,
        round_nearest: int = 8,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        rows = inverted_residual_setting
        rows = _TABLE_2 if rows is None else rows
        if len(rows) == 0 or len(rows[0]) != 4:
            raise ValueError(
                f"inverted_residual_setting should be non-empty or a 4-element list, got {rows}"
            )
        block, norm = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        width = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        layers = [_block(3, width, norm, stride=2)]
        for expansion, channels, count, stride in rows:
            out = _make_divisible(channels * width_mult, round_nearest)
            for i in range(count):
                step = stride if i == 0 else 1
                layers.append(block(width, out, step, expand_ratio=expansion, norm_layer=norm))
                width = out
        layers.append(_block(width, self.last_channel, norm, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes)
        )
        initialize(self, linear=small)

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(rl.flatten(x, 1))


published = Published(__name__, MobileNetV2, "Sandler et al. 2018, arXiv:1801.04381")
MobileNet_V2_Weights = published.weights("MobileNet_V2_Weights")
mobilenet_v2 = published.builder("mobilenet_v2", MobileNet_V2_Weights)

__all__ = ["MobileNetV2", *published.names]
