"""MaxViT: Tu et al. 2022, arXiv:2204.01697."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rushlight import Tensor, nn

from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from ._api import WeightsEnum
from ._initial import initialize
from ._partitions import PartitionAttentionLayer
from ._published import Published, set_classes
from ._utils import _ovewrite_named_param

Layer = Callable[..., nn.Module]
Size = tuple[int, int]


def _halved(size: Size) -> Size:
    """The size after a 3x3 convolution of stride 2."""
    return (size[0] - 1) // 2 + 1, (size[1] - 1) // 2 + 1


class MBConv(nn.Module):
    """Norm, 1x1 up, depthwise, squeeze and excitation, 1x1 down; beside a pooled 1x1."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion_ratio: float,
        squeeze_ratio: float,
        stride: int,
        activation_layer: Layer,
        norm_layer: Layer,
        p_stochastic_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.proj: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            pool = [nn.AvgPool2d(kernel_size=3, stride=stride, padding=1)] if stride == 2 else []
            conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=1, bias=True)
            self.proj = nn.Sequential(*pool, conv)
        self.stochastic_depth = nn.Identity()
        if p_stochastic_dropout:
            self.stochastic_depth = StochasticDepth(p_stochastic_dropout, mode="row")
        width = int(out_channels * expansion_ratio)
        squeezed = int(out_channels * squeeze_ratio)
        conv = partial(
            Conv2dNormActivation, activation_layer=activation_layer, norm_layer=norm_layer,
            inplace=None,
        )  # fmt: skip
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            pre_norm=norm_layer(in_channels),
            conv_a=conv(in_channels, width, kernel_size=1, stride=1, padding=0),
            conv_b=conv(width, width, kernel_size=3, stride=stride, padding=1, groups=width),
            squeeze_excitation=SqueezeExcitation(width, squeezed, activation=nn.SiLU),
            conv_c=nn.Conv2d(width, out_channels, kernel_size=1, bias=True),
        )
        self.layers = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x) + self.stochastic_depth(self.layers(x))


class MaxVitLayer(nn.Module):
    """A convolutional block, attention in windows, attention on a grid."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        squeeze_ratio: float,
        expansion_ratio: float,
        stride: int,
        norm_layer: Layer,
        activation_layer: Layer,
        head_dim: int,
        mlp_ratio: int,
        mlp_dropout: float,
        attention_dropout: float,
        p_stochastic_dropout: float,
        partition_size: int,
        grid_size: Size,
    ) -> None:
        super().__init__()
        attention = {
            kind: PartitionAttentionLayer(
                out_channels, head_dim, partition_size, kind, grid_size, mlp_ratio,
                activation_layer, nn.LayerNorm, attention_dropout, mlp_dropout,
                p_stochastic_dropout,
            )
            for kind in ("window", "grid")
        }  # fmt: skip
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            MBconv=MBConv(
                in_channels, out_channels, expansion_ratio, squeeze_ratio, stride,
                activation_layer, norm_layer, p_stochastic_dropout,
            ),
            window_attention=attention["window"],
            grid_attention=attention["grid"],
        )  # fmt: skip
        self.layers = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class MaxVitBlock(nn.Module):
    """Layers of which the first halves the size.

    Args:
        p_stochastic: how often each layer is skipped while training.
        **settings: those of :class:`MaxVitLayer`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        input_grid_size: Size,
        n_layers: int,
        p_stochastic: list[float],
        **settings: Any,
    ) -> None:
        super().__init__()
        if len(p_stochastic) != n_layers:
            raise ValueError(
                f"p_stochastic must have length n_layers={n_layers}, got "
                f"p_stochastic={p_stochastic}."
            )
        self.grid_size = _halved(input_grid_size)
        make = partial(MaxVitLayer, out_channels=out_channels, grid_size=self.grid_size, **settings)
        self.layers = nn.ModuleList(
            [
                make(
                    in_channels=out_channels if i else in_channels,
                    stride=1 if i else 2,
                    p_stochastic_dropout=p,
                )
                for i, p in enumerate(p_stochastic)
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class MaxVit(nn.Module):
    """Convolutions and attention near and far, in blocks that halve the size.

    Args:
        input_size: height and width of images; every block's feature map is cut into windows.
        partition_size: side of a window.
        block_channels, block_layers: of each block.
        stochastic_depth_prob: how often the last layer is skipped while training; less before it.
    Shape:
        input (N, 3, *input_size); output (N, num_classes).
    """

    def __init__(
        self,
        input_size: Size,
        stem_channels: int,
        partition_size: int,
        block_channels: list[int],
        block_layers: list[int],
        head_dim: int,
        stochastic_depth_prob: float,
        norm_layer: Layer | None = None,
        activation_layer: Layer = nn.GELU,
        squeeze_ratio: float = 0.25,
        expansion_ratio: float = 4,
        mlp_ratio: int = 4,
        mlp_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        norm = norm_layer or partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        size = _halved(input_size)
        _check_sizes(size, partition_size, len(block_channels))
        self.stem = nn.Sequential(
            Conv2dNormActivation(
                3, stem_channels, 3, stride=2, norm_layer=norm, activation_layer=activation_layer,
                bias=False, inplace=None,
            ),
            Conv2dNormActivation(
                stem_channels, stem_channels, 3, stride=1, norm_layer=None, activation_layer=None,
                bias=True,
            ),
        )  # fmt: skip
        self.partition_size = partition_size
        settings = {
            "squeeze_ratio": squeeze_ratio, "expansion_ratio": expansion_ratio,
            "norm_layer": norm, "activation_layer": activation_layer, "head_dim": head_dim,
            "mlp_ratio": mlp_ratio, "mlp_dropout": mlp_dropout,
            "attention_dropout": attention_dropout, "partition_size": partition_size,
        }  # fmt: skip
        skipped = np.linspace(0, stochastic_depth_prob, sum(block_layers)).tolist()
        self.blocks = nn.ModuleList()
        widths = [stem_channels, *block_channels]
        for before, after, count in zip(widths, block_channels, block_layers):
            probabilities, skipped = skipped[:count], skipped[count:]
            block = MaxVitBlock(
                before, after, input_grid_size=size, n_layers=count, p_stochastic=probabilities,
                **settings,
            )  # fmt: skip
            self.blocks.append(block)
            size = block.grid_size
        last = block_channels[-1]
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(last),
            nn.Linear(last, last),
            nn.Tanh(),
            nn.Linear(last, num_classes, bias=False),
        )
        narrow = partial(nn.init.normal_, std=0.02)
        initialize(self, narrow, narrow)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x)


def _check_sizes(size: Size, window: int, blocks: int) -> None:
    sizes = []
    for _ in range(blocks):
        size = _halved(size)
        sizes.append(size)
    for i, (height, width) in enumerate(sizes):
        if height % window or width % window:
            raise ValueError(
                f"Input size {(height, width)} of block {i} is not divisible by partition size "
                f"{window}. Consider changing the partition size or the input size.\n"
                f"Current configuration yields the following block input sizes: {sizes}."
            )


def _maxvit(**kwargs: Any) -> MaxVit:
    kwargs.setdefault("input_size", (224, 224))
    return MaxVit(**kwargs)


def _prepare(weights: WeightsEnum, kwargs: dict[str, Any]) -> None:
    set_classes(weights, kwargs)
    _ovewrite_named_param(kwargs, "input_size", weights.meta["min_size"])


published = Published(__name__, _maxvit, "Tu et al. 2022, arXiv:2204.01697")
MaxVit_T_Weights = published.weights("MaxVit_T_Weights")
maxvit_t = published.builder(
    "maxvit_t", MaxVit_T_Weights, prepare=_prepare, stem_channels=64,
    block_channels=[64, 128, 256, 512], block_layers=[2, 2, 5, 2], head_dim=32,
    stochastic_depth_prob=0.2, partition_size=7,
)  # fmt: skip

__all__ = ["MaxVit", *published.names]
