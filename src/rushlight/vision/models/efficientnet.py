"""EfficientNet: Tan and Le 2019, arXiv:1905.11946, table 1; V2 of 2021: arXiv:2104.00298."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from ._initial import initialize
from ._published import Published
from ._utils import _make_divisible

Layer = Callable[..., nn.Module]


@dataclass
class _MBConvConfig:
    """A stage: its blocks' expansion, kernel and widths, the stride of the first, how many."""

    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int
    block: Layer

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """A width times the multiplier, as a multiple of 8."""
        return _make_divisible(channels * width_mult, 8, min_value)


class MBConvConfig(_MBConvConfig):
    """A stage of :class:`MBConv` blocks, scaled in width and depth."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        block: Layer | None = None,
    ) -> None:
        super().__init__(
            expand_ratio,
            kernel,
            stride,
            self.adjust_channels(input_channels, width_mult),
            self.adjust_channels(out_channels, width_mult),
            self.adjust_depth(num_layers, depth_mult),
            block or MBConv,
        )

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        """A number of blocks times the multiplier, rounded up."""
        return math.ceil(num_layers * depth_mult)


class FusedMBConvConfig(_MBConvConfig):
    """A stage of :class:`FusedMBConv` blocks."""

    def __init__(
        self,
        expand_ratio: float,
        kernel: int,
        stride: int,
        input_channels: int,
        out_channels: int,
        num_layers: int,
        block: Layer | None = None,
    ) -> None:
        super().__init__(
            expand_ratio, kernel, stride, input_channels, out_channels, num_layers,
            block or FusedMBConv,
        )  # fmt: skip


class _Block(nn.Module):
    """Layers beside the identity, which whole examples skip now and then while training."""

    def __init__(
        self, cnf: _MBConvConfig, layers: list[nn.Module], stochastic_depth_prob: float
    ) -> None:
        super().__init__()
        if not 1 <= cnf.stride <= 2:
            raise ValueError("illegal stride value")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.out_channels = cnf.out_channels

    def forward(self, input: Tensor) -> Tensor:
        result = self.block(input)
        return self.stochastic_depth(result) + input if self.use_res_connect else result


class MBConv(_Block):
    """1x1 up, depthwise, squeeze and excitation, 1x1 down."""

    def __init__(
        self,
        cnf: MBConvConfig,
        stochastic_depth_prob: float,
        norm_layer: Layer,
        se_layer: Layer = SqueezeExcitation,
    ) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        width = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        squeezed = max(1, cnf.input_channels // 4)
        layers = [
            conv(width, width, cnf.kernel, stride=cnf.stride, groups=width),
            se_layer(width, squeezed, activation=partial(nn.SiLU, inplace=True)),
            conv(width, cnf.out_channels, kernel_size=1, activation_layer=None),
        ]
        if width != cnf.input_channels:
            layers.insert(0, conv(cnf.input_channels, width, kernel_size=1))
        super().__init__(cnf, layers, stochastic_depth_prob)


class FusedMBConv(_Block):
    """A full convolution in place of 1x1 up and depthwise."""

    def __init__(
        self, cnf: FusedMBConvConfig, stochastic_depth_prob: float, norm_layer: Layer
    ) -> None:
        conv = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        width = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        up = partial(conv, cnf.input_channels, kernel_size=cnf.kernel, stride=cnf.stride)
        if width == cnf.input_channels:
            layers = [up(cnf.out_channels)]
        else:
            down = conv(width, cnf.out_channels, kernel_size=1, activation_layer=None)
            layers = [up(width), down]
        super().__init__(cnf, layers, stochastic_depth_prob)


class EfficientNet(nn.Module):
    """Stages of MBConv blocks, in both versions.

    Args:
        inverted_residual_setting: the stages.
        stochastic_depth_prob: how often the last block is skipped while training; less before it.
        last_channel: channels of the last convolution; four times its input if None.
    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    """

    def __init__(
        self,
        inverted_residual_setting: Sequence[MBConvConfig | FusedMBConvConfig],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Layer | None = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        rows = inverted_residual_setting
        if not rows:
            raise ValueError("The inverted_residual_setting should not be empty")
        if not (isinstance(rows, Sequence) and all(isinstance(row, _MBConvConfig) for row in rows)):
            raise TypeError("The inverted_residual_setting should be List[MBConvConfig]")
        norm = norm_layer or nn.BatchNorm2d
        conv = partial(Conv2dNormActivation, norm_layer=norm, activation_layer=nn.SiLU)
        width = rows[-1].out_channels
        last = 4 * width if last_channel is None else last_channel
        self.features = nn.Sequential(
            conv(3, rows[0].input_channels, kernel_size=3, stride=2),
            *_stages(rows, stochastic_depth_prob, norm),
            conv(width, last, kernel_size=1),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout, inplace=True), nn.Linear(last, num_classes)
        )
        bound = 1.0 / math.sqrt(num_classes)
        initialize(self, linear=lambda weight: nn.init.uniform_(weight, -bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(rl.flatten(x, 1))


def _stages(rows: Sequence[_MBConvConfig], skipped: float, norm: Layer) -> list[nn.Module]:
    total, done, stages = sum(row.num_layers for row in rows), 0, []
    for row in rows:
        blocks: list[nn.Module] = []
        for i in range(row.num_layers):
            block = copy.copy(row)
            if i > 0:
                block.input_channels, block.stride = row.out_channels, 1
            blocks.append(row.block(block, skipped * float(done) / total, norm))
            done += 1
        stages.append(nn.Sequential(*blocks))
    return stages


# Expansion, kernel, stride, channels in and out, blocks; F in front of a fused stage.
_STAGES: dict[str, list[tuple[Any, ...]]] = {
    "b": [(1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3),
          (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1)],
    "v2_s": [("F", 1, 3, 1, 24, 24, 2), ("F", 4, 3, 2, 24, 48, 4), ("F", 4, 3, 2, 48, 64, 4),
             (4, 3, 2, 64, 128, 6), (6, 3, 1, 128, 160, 9), (6, 3, 2, 160, 256, 15)],
    "v2_m": [("F", 1, 3, 1, 24, 24, 3), ("F", 4, 3, 2, 24, 48, 5), ("F", 4, 3, 2, 48, 80, 5),
             (4, 3, 2, 80, 160, 7), (6, 3, 1, 160, 176, 14), (6, 3, 2, 176, 304, 18),
             (6, 3, 1, 304, 512, 5)],
    "v2_l": [("F", 1, 3, 1, 32, 32, 4), ("F", 4, 3, 2, 32, 64, 7), ("F", 4, 3, 2, 64, 96, 7),
             (4, 3, 2, 96, 192, 10), (6, 3, 1, 192, 224, 19), (6, 3, 2, 224, 384, 25),
             (6, 3, 1, 384, 640, 7)],
}  # fmt: skip


def _stage(entry: tuple[Any, ...], **scale: float) -> _MBConvConfig:
    return FusedMBConvConfig(*entry[1:]) if entry[0] == "F" else MBConvConfig(*entry, **scale)


def _efficientnet(
    stages: str,
    default_dropout: float,
    scale: dict[str, float],
    last_channel: int | None,
    norm: Layer | None,
    **kwargs: Any,
) -> EfficientNet:
    kwargs.setdefault("dropout", default_dropout)
    if norm is not None:
        kwargs.setdefault("norm_layer", norm)
    rows = [_stage(entry, **scale) for entry in _STAGES[stages]]
    return EfficientNet(rows, last_channel=last_channel, **kwargs)


published = Published(__name__, _efficientnet, "Tan and Le 2019 and 2021")


def _first(name: str, width: float, depth: float, dropout: float, norm: Layer | None = None) -> Any:
    scale = {"width_mult": width, "depth_mult": depth}
    enum = published.weights(f"EfficientNet_{name.upper()}_Weights")
    return enum, published.builder(f"efficientnet_{name}", enum, "b", dropout, scale, None, norm)


def _second(name: str, dropout: float) -> Any:
    norm = partial(nn.BatchNorm2d, eps=1e-03)
    enum = published.weights(f"EfficientNet_{name.upper()}_Weights")
    return enum, published.builder(f"efficientnet_{name}", enum, name, dropout, {}, 1280, norm)


# The largest ones were trained in another framework, with its settings of the norms.
_norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
EfficientNet_B0_Weights, efficientnet_b0 = _first("b0", 1.0, 1.0, 0.2)
EfficientNet_B1_Weights, efficientnet_b1 = _first("b1", 1.0, 1.1, 0.2)
EfficientNet_B2_Weights, efficientnet_b2 = _first("b2", 1.1, 1.2, 0.3)
EfficientNet_B3_Weights, efficientnet_b3 = _first("b3", 1.2, 1.4, 0.3)
EfficientNet_B4_Weights, efficientnet_b4 = _first("b4", 1.4, 1.8, 0.4)
EfficientNet_B5_Weights, efficientnet_b5 = _first("b5", 1.6, 2.2, 0.4, _norm)
EfficientNet_B6_Weights, efficientnet_b6 = _first("b6", 1.8, 2.6, 0.5, _norm)
EfficientNet_B7_Weights, efficientnet_b7 = _first("b7", 2.0, 3.1, 0.5, _norm)
EfficientNet_V2_S_Weights, efficientnet_v2_s = _second("v2_s", 0.2)
EfficientNet_V2_M_Weights, efficientnet_v2_m = _second("v2_m", 0.3)
EfficientNet_V2_L_Weights, efficientnet_v2_l = _second("v2_l", 0.4)

__all__ = ["EfficientNet", *published.names]
