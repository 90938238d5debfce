"""MobileNetV3: Howard et al. 2019, arXiv:1905.02244, tables 1 and 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from ..ops.misc import Conv2dNormActivation
from ..ops.misc import SqueezeExcitation as SElayer
from ._initial import initialize, small
from ._published import Published
from ._utils import _make_divisible

Layer = Callable[..., nn.Module]

# Kernel, expanded channels, channels, squeeze and excitation, activation, stride. The last three
# rows of each are those that a reduced tail narrows and dilation spreads.
_LARGE = [
    (3, 16, 16, False, "RE", 1),
    (3, 64, 24, False, "RE", 2),
    (3, 72, 24, False, "RE", 1),
    (5, 72, 40, True, "RE", 2),
    (5, 120, 40, True, "RE", 1),
    (5, 120, 40, True, "RE", 1),
    (3, 240, 80, False, "HS", 2),
    (3, 200, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 480, 112, True, "HS", 1),
    (3, 672, 112, True, "HS", 1),
    (5, 672, 160, True, "HS", 2),
    (5, 960, 160, True, "HS", 1),
    (5, 960, 160, True, "HS", 1),
]
_SMALL = [
    (3, 16, 16, True, "RE", 2),
    (3, 72, 24, False, "RE", 2),
    (3, 88, 24, False, "RE", 1),
    (5, 96, 40, True, "HS", 2),
    (5, 240, 40, True, "HS", 1),
    (5, 240, 40, True, "HS", 1),
    (5, 120, 48, True, "HS", 1),
    (5, 144, 48, True, "HS", 1),
    (5, 288, 96, True, "HS", 2),
    (5, 576, 96, True, "HS", 1),
    (5, 576, 96, True, "HS", 1),
]
_TABLES = {"mobilenet_v3_large": (_LARGE, 1280), "mobilenet_v3_small": (_SMALL, 1024)}


class InvertedResidualConfig:
    """A row of the tables; widths are multiplied and rounded to multiples of 8."""

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """A width times the multiplier."""
        return _make_divisible(channels * width_mult, 8)


_hard_squeeze = partial(SElayer, scale_activation=nn.Hardsigmoid)


class InvertedResidual(nn.Module):
    """1x1 up, depthwise, squeeze and excitation, 1x1 down; section 5."""

    def __init__(
        self,
        cnf: InvertedResidualConfig,
        norm_layer: Layer,
        se_layer: Layer = _hard_squeeze,
    ) -> None:
        super().__init__()
        if not 1 <= cnf.stride <= 2:
            raise ValueError("illegal stride value")
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer)
        activation = nn.Hardswish if cnf.use_hs else nn.ReLU
        width = cnf.expanded_channels
        layers: list[nn.Module] = []
        if width != cnf.input_channels:
            layers.append(conv(cnf.input_channels, width, 1, activation_layer=activation))
        depthwise = conv(
            width,
            width,
            kernel_size=cnf.kernel,
            stride=1 if cnf.dilation > 1 else cnf.stride,
            dilation=cnf.dilation,
            groups=width,
            activation_layer=activation,
        )
        layers.append(depthwise)
        if cnf.use_se:
            layers.append(se_layer(width, _make_divisible(width // 4, 8)))
        layers.append(conv(width, cnf.out_channels, kernel_size=1, activation_layer=None))
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1  # detectors look for where the size changes

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        return result + input if self.use_res_connect else result


class MobileNetV3(nn.Module):
    """Inverted residuals with hard activations.

    Args:
        inverted_residual_setting: the rows.
        last_channel: width of the hidden layer of the classifier.
        block: in place of :class:`InvertedResidual`.
    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    """

    def __init__(
        self,
        inverted_residual_setting: list[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        dropout: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        rows = inverted_residual_setting
        if not rows:
            raise ValueError("The inverted_residual_setting should not be empty")
        if not (
            isinstance(rows, Sequence)
            and all(isinstance(row, InvertedResidualConfig) for row in rows)
        ):
            raise TypeError("The inverted_residual_setting should be List[InvertedResidualConfig]")
        block = block or InvertedResidual
        norm = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        conv = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.Hardswish)
        width = rows[-1].out_channels
        self.features = nn.Sequential(
            conv(3, rows[0].input_channels, kernel_size=3, stride=2),
            *[block(row, norm) for row in rows],
            conv(width, 6 * width, kernel_size=1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * width, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(p=dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        initialize(self, linear=small)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(rl.flatten(x, 1))


def _mobilenet_v3_conf(
    arch: str,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **kwargs: Any,
) -> tuple[list[InvertedResidualConfig], int]:
    """The rows of an architecture and the width of its classifier."""
    if arch not in _TABLES:
        raise ValueError(f"Unsupported model type {arch}")
    table, last = _TABLES[arch]
    tail, rows, channels = len(table) - 3, [], 16
    for i, (kernel, expanded, out, *rest) in enumerate(table):
        narrow = 2 if reduced_tail and i >= tail else 1
        # The first row of the tail reads, and expands to, the full width.
        expanded //= narrow if i > tail else 1
        out //= narrow
        dilation = 2 if dilated and i >= tail else 1
        rows.append(
            InvertedResidualConfig(channels, kernel, expanded, out, *rest, dilation, width_mult)
        )
        channels = out
    last //= 2 if reduced_tail else 1
    return rows, InvertedResidualConfig.adjust_channels(last, width_mult)


_SETTINGS = ("width_mult", "reduced_tail", "dilated")


def _mobilenet_v3(arch: str, **kwargs: Any) -> MobileNetV3:
    settings = {name: kwargs[name] for name in _SETTINGS if name in kwargs}
    return MobileNetV3(*_mobilenet_v3_conf(arch, **settings), **kwargs)


published = Published(__name__, _mobilenet_v3, "Howard et al. 2019, arXiv:1905.02244")
MobileNet_V3_Large_Weights = published.weights("MobileNet_V3_Large_Weights")
MobileNet_V3_Small_Weights = published.weights("MobileNet_V3_Small_Weights")
mobilenet_v3_large = published.builder(
    "mobilenet_v3_large", MobileNet_V3_Large_Weights, "mobilenet_v3_large"
)
mobilenet_v3_small = published.builder(
    "mobilenet_v3_small", MobileNet_V3_Small_Weights, "mobilenet_v3_small"
)

__all__ = ["MobileNetV3", *published.names]
