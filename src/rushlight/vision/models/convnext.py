"""ConvNeXt: Liu et al. 2022, arXiv:2201.03545."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F

from ..ops.misc import Conv2dNormActivation, Permute
from ..ops.stochastic_depth import StochasticDepth
from ._initial import initialize
from ._published import Published

Layer = Callable[..., nn.Module]


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """Depthwise 7x7, norm, 1x1 up, GELU, 1x1 down, scaled by channel; figure 4."""

    def __init__(
        self,
        dim: int,
        layer_scale: float,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim, bias=True),
            Permute([0, 2, 3, 1]),
            norm(dim),
            nn.Linear(in_features=dim, out_features=4 * dim, bias=True),
            nn.GELU(),
            nn.Linear(in_features=4 * dim, out_features=dim, bias=True),
            Permute([0, 3, 1, 2]),
        )
        self.layer_scale = nn.Parameter(rl.ones(dim, 1, 1) * layer_scale)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        return self.stochastic_depth(self.layer_scale * self.block(input)) + input


class CNBlockConfig:
    """A stage: channels, channels after it (None at the end), blocks."""

    def __init__(self, input_channels: int, out_channels: int | None, num_layers: int) -> None:
        self.input_channels = input_channels
        self.out_channels = out_channels
        self.num_layers = num_layers

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in vars(self).items())
        return f"{self.__class__.__name__}({settings})"


class ConvNeXt(nn.Module):
    """A convolutional network built like a Swin transformer.

    Args:
        block_setting: the stages.
        stochastic_depth_prob: how often the last block is skipped while training; less before it.
        layer_scale: where the channels' scales start.
        block: in place of :class:`CNBlock`.
    Shape:
        input (N, 3, H, W), at least 32 x 32; output (N, num_classes).
    """

    def __init__(
        self,
        block_setting: list[CNBlockConfig],
        stochastic_depth_prob: float = 0.0,
        layer_scale: float = 1e-6,
        num_classes: int = 1000,
        block: Layer | None = None,
        norm_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        rows = block_setting
        if not rows:
            raise ValueError("The block_setting should not be empty")
        if not (isinstance(rows, Sequence) and all(isinstance(row, CNBlockConfig) for row in rows)):
            raise TypeError("The block_setting should be List[CNBlockConfig]")
        norm = norm_layer or partial(LayerNorm2d, eps=1e-6)
        stem = Conv2dNormActivation(
            3, rows[0].input_channels, kernel_size=4, stride=4, padding=0, norm_layer=norm,
            activation_layer=None, bias=True,
        )  # fmt: skip
        layers, done = [stem], 0
        total = sum(row.num_layers for row in rows)
        for row in rows:
            make = partial((block or CNBlock), row.input_channels, layer_scale)
            depths = range(done, done + row.num_layers)
            blocks = [make(stochastic_depth_prob * depth / (total - 1.0)) for depth in depths]
            done += row.num_layers
            layers.append(nn.Sequential(*blocks))
            if row.out_channels is not None:
                halve = nn.Conv2d(row.input_channels, row.out_channels, kernel_size=2, stride=2)
                layers.append(nn.Sequential(norm(row.input_channels), halve))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        width = rows[-1].out_channels
        width = rows[-1].input_channels if width is None else width
        self.classifier = nn.Sequential(norm(width), nn.Flatten(1), nn.Linear(width, num_classes))
        narrow = partial(nn.init.trunc_normal_, std=0.02)
        initialize(self, narrow, narrow)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


def _convnext(widths: list[int], depths: list[int], skipped: float, **kwargs: Any) -> ConvNeXt:
    kwargs.setdefault("stochastic_depth_prob", skipped)
    rows = [CNBlockConfig(*row) for row in zip(widths, [*widths[1:], None], depths)]
    return ConvNeXt(rows, **kwargs)


published = Published(__name__, _convnext, "Liu et al. 2022, arXiv:2201.03545")
ConvNeXt_Tiny_Weights = published.weights("ConvNeXt_Tiny_Weights")
ConvNeXt_Small_Weights = published.weights("ConvNeXt_Small_Weights")
ConvNeXt_Base_Weights = published.weights("ConvNeXt_Base_Weights")
ConvNeXt_Large_Weights = published.weights("ConvNeXt_Large_Weights")
convnext_tiny = published.builder(
    "convnext_tiny", ConvNeXt_Tiny_Weights, [96, 192, 384, 768], [3, 3, 9, 3], 0.1
)
convnext_small = published.builder(
    "convnext_small", ConvNeXt_Small_Weights, [96, 192, 384, 768], [3, 3, 27, 3], 0.4
)
convnext_base = published.builder(
    "convnext_base", ConvNeXt_Base_Weights, [128, 256, 512, 1024], [3, 3, 27, 3], 0.5
)
convnext_large = published.builder(
    "convnext_large", ConvNeXt_Large_Weights, [192, 384, 768, 1536], [3, 3, 27, 3], 0.5
)

__all__ = ["ConvNeXt", *published.names]
