"""RegNet: Radosavovic et al. 2020, arXiv:2003.13678; Y has squeeze and excitation, X has not."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from rushlight import Tensor, nn

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ._initial import initialize, small
from ._published import Published
from ._utils import _make_divisible

Layer = Callable[..., nn.Module]


class SimpleStemIN(Conv2dNormActivation):
    """The first convolution, 3x3 with stride 2."""

    def __init__(
        self, width_in: int, width_out: int, norm_layer: Layer, activation_layer: Layer
    ) -> None:
        super().__init__(
            width_in, width_out, kernel_size=3, stride=2, norm_layer=norm_layer,
            activation_layer=activation_layer,
        )  # fmt: skip


class BottleneckTransform(nn.Sequential):
    """1x1, grouped 3x3, squeeze and excitation if wanted, 1x1."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None,
    ) -> None:
        conv = partial(
            Conv2dNormActivation, norm_layer=norm_layer, activation_layer=activation_layer
        )
        width = round(width_out * bottleneck_multiplier)
        groups = width // group_width
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            a=conv(width_in, width, 1, stride=1, activation_layer=activation_layer),
            b=conv(
                width, width, 3, stride=stride, groups=groups, activation_layer=activation_layer
            ),
        )
        if se_ratio:  # relative to what the block reads
            squeezed = round(se_ratio * width_in)
            layers["se"] = SqueezeExcitation(width, squeezed, activation=activation_layer)
        layers["c"] = conv(width, width_out, 1, stride=1, activation_layer=None)
        super().__init__(layers)


class ResBottleneckBlock(nn.Module):
    """The bottleneck beside the identity, or beside a 1x1 where shapes differ."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int = 1,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
    ) -> None:
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(
                width_in, width_out, kernel_size=1, stride=stride, norm_layer=norm_layer,
                activation_layer=None,
            )  # fmt: skip
        self.f = BottleneckTransform(
            width_in, width_out, stride, norm_layer, activation_layer, group_width,
            bottleneck_multiplier, se_ratio,
        )  # fmt: skip
        self.activation = activation_layer(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        beside = x if self.proj is None else self.proj(x)
        return self.activation(beside + self.f(x))


class AnyStage(nn.Sequential):
    """Blocks of one width; the first has the stride."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        stride: int,
        depth: int,
        block_constructor: Layer,
        norm_layer: Layer,
        activation_layer: Layer,
        group_width: int,
        bottleneck_multiplier: float,
        se_ratio: float | None = None,
        stage_index: int = 0,
    ) -> None:
        super().__init__()
        for i in range(depth):
            block = block_constructor(
                width_out if i else width_in,
                width_out,
                1 if i else stride,
                norm_layer,
                activation_layer,
                group_width,
                bottleneck_multiplier,
                se_ratio,
            )
            self.add_module(f"block{stage_index}-{i}", block)


class BlockParams:
    """Depth, width, groups, bottleneck and stride of each stage."""

    def __init__(
        self,
        depths: list[int],
        widths: list[int],
        group_widths: list[int],
        bottleneck_multipliers: list[float],
        strides: list[int],
        se_ratio: float | None = None,
    ) -> None:
        self.depths, self.widths, self.group_widths = depths, widths, group_widths
        self.bottleneck_multipliers, self.strides = bottleneck_multipliers, strides
        self.se_ratio = se_ratio

    @classmethod
    def from_init_params(
        cls,
        depth: int,
        w_0: int,
        w_a: float,
        w_m: float,
        group_width: int,
        bottleneck_multiplier: float = 1.0,
        se_ratio: float | None = None,
        **kwargs: Any,
    ) -> BlockParams:
        """Stages from the design space's few numbers; equations 2 to 4.

        Args:
            depth: blocks in all.
            w_0, w_a: the widths of the blocks would be ``w_0 + w_a * i``,
            w_m: and are rounded to the next power of it, times ``w_0``.
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8 != 0:
            raise ValueError("Invalid RegNet settings")
        # In float32, as the published networks were laid out: some widths lie at a boundary.
        linear = np.arange(depth, dtype=np.float32) * np.float32(w_a) + np.float32(w_0)
        power = np.round(np.log(linear / np.float32(w_0)) / np.float32(math.log(w_m)))
        snapped = np.float32(w_0) * np.power(np.float32(w_m), power)
        blocks = (np.round(snapped / np.float32(8)) * 8).astype(int).tolist()
        stages = [(width, len(list(same))) for width, same in groupby(blocks)]
        count = len(stages)
        multipliers = [bottleneck_multiplier] * count
        widths, groups = cls._adjust_widths_groups_compatibilty(
            [width for width, _ in stages], multipliers, [group_width] * count
        )
        depths = [number for _, number in stages]
        return cls(depths, widths, groups, multipliers, [2] * count, se_ratio)

    def _get_expanded_params(self) -> Iterator[tuple[int, int, int, int, float]]:
        return zip(
            self.widths, self.strides, self.depths, self.group_widths, self.bottleneck_multipliers
        )

    @staticmethod
    def _adjust_widths_groups_compatibilty(
        stage_widths: list[int], bottleneck_ratios: list[float], group_widths: list[int]
    ) -> tuple[list[int], list[int]]:
        """Widths that are multiples of their groups."""
        narrow = [int(w * b) for w, b in zip(stage_widths, bottleneck_ratios)]
        groups = [min(g, w) for g, w in zip(group_widths, narrow)]
        fitting = [_make_divisible(w, g) for w, g in zip(narrow, groups)]
        return [int(w / b) for w, b in zip(fitting, bottleneck_ratios)], groups


class RegNet(nn.Module):
    """Stages of residual bottlenecks.

    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    """

    def __init__(
        self,
        block_params: BlockParams,
        num_classes: int = 1000,
        stem_width: int = 32,
        stem_type: Layer | None = None,
        block_type: Layer | None = None,
        norm_layer: Layer | None = None,
        activation: Layer | None = None,
    ) -> None:
        super().__init__()
        norm, activation = norm_layer or nn.BatchNorm2d, activation or nn.ReLU
        self.stem = (stem_type or SimpleStemIN)(3, stem_width, norm, activation)
        stages: OrderedDict[str, nn.Module] = OrderedDict()
        before = stem_width
        rows = enumerate(block_params._get_expanded_params(), 1)
        for i, (width, stride, depth, group_width, multiplier) in rows:
            stages[f"block{i}"] = AnyStage(
                before, width, stride, depth, block_type or ResBottleneckBlock, norm, activation,
                group_width, multiplier, block_params.se_ratio, stage_index=i,
            )  # fmt: skip
            before = width
        self.trunk_output = nn.Sequential(stages)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(in_features=before, out_features=num_classes)
        initialize(self, linear=small)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.trunk_output(self.stem(x)))
        return self.fc(x.flatten(start_dim=1))


def _regnet(numbers: tuple[int, int, float, float, int], se: float | None, **kwargs: Any) -> RegNet:
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=1e-05, momentum=0.1))
    return RegNet(BlockParams.from_init_params(*numbers, se_ratio=se), **kwargs)


published = Published(__name__, _regnet, "Radosavovic et al. 2020, arXiv:2003.13678")


def _member(name: str, *numbers: float) -> Any:
    """Weights and builder of the network with ``depth, w_0, w_a, w_m, group_width``."""
    enum = published.weights(f"RegNet_{name.upper()}_Weights")
    se = 0.25 if name.startswith("y") else None
    return enum, published.builder(f"regnet_{name}", enum, numbers, se)


RegNet_Y_400MF_Weights, regnet_y_400mf = _member("y_400mf", 16, 48, 27.89, 2.09, 8)
RegNet_Y_800MF_Weights, regnet_y_800mf = _member("y_800mf", 14, 56, 38.84, 2.4, 16)
RegNet_Y_1_6GF_Weights, regnet_y_1_6gf = _member("y_1_6gf", 27, 48, 20.71, 2.65, 24)
RegNet_Y_3_2GF_Weights, regnet_y_3_2gf = _member("y_3_2gf", 21, 80, 42.63, 2.66, 24)
RegNet_Y_8GF_Weights, regnet_y_8gf = _member("y_8gf", 17, 192, 76.82, 2.19, 56)
RegNet_Y_16GF_Weights, regnet_y_16gf = _member("y_16gf", 18, 200, 106.23, 2.48, 112)
RegNet_Y_32GF_Weights, regnet_y_32gf = _member("y_32gf", 20, 232, 115.89, 2.53, 232)
RegNet_Y_128GF_Weights, regnet_y_128gf = _member("y_128gf", 27, 456, 160.83, 2.52, 264)
RegNet_X_400MF_Weights, regnet_x_400mf = _member("x_400mf", 22, 24, 24.48, 2.54, 16)
RegNet_X_800MF_Weights, regnet_x_800mf = _member("x_800mf", 16, 56, 35.73, 2.28, 16)
RegNet_X_1_6GF_Weights, regnet_x_1_6gf = _member("x_1_6gf", 18, 80, 34.01, 2.25, 24)
RegNet_X_3_2GF_Weights, regnet_x_3_2gf = _member("x_3_2gf", 25, 88, 26.31, 2.25, 48)
RegNet_X_8GF_Weights, regnet_x_8gf = _member("x_8gf", 23, 80, 49.56, 2.88, 120)
RegNet_X_16GF_Weights, regnet_x_16gf = _member("x_16gf", 22, 216, 55.59, 2.1, 128)
RegNet_X_32GF_Weights, regnet_x_32gf = _member("x_32gf", 23, 320, 69.86, 2.0, 168)

__all__ = ["RegNet", *published.names]
