"""DenseNet: Huang et al. 2016, arXiv:1608.06993, table 1."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.nn import functional as F
from rushlight.utils.checkpoint import checkpoint

from ._initial import initialize
from ._published import Published

# What layers were called when the weights were published.
_OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")


class _DenseLayer(nn.Module):
    """Norm, ReLU and 1x1, then norm, ReLU and 3x3, on all that came before in the block."""

    def __init__(
        self,
        num_input_features: int,
        growth_rate: int,
        bn_size: int,
        drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, width, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def bn_function(self, inputs: list[Tensor]) -> Tensor:
        """The first half."""
        return self.conv1(self.relu1(self.norm1(rl.cat(inputs, 1))))

    def forward(self, input: Tensor | list[Tensor]) -> Tensor:
        inputs = [input] if isinstance(input, Tensor) else input
        new = self.conv2(self.relu2(self.norm2(self._narrowed(inputs))))
        return F.dropout(new, p=self.drop_rate, training=self.training) if self.drop_rate else new

    def _narrowed(self, inputs: list[Tensor]) -> Tensor:
        if self.memory_efficient and any(one.requires_grad for one in inputs):
            return checkpoint(
                lambda *all: self.bn_function(list(all)), *inputs, use_reentrant=False
            )
        return self.bn_function(inputs)


class _DenseBlock(nn.ModuleDict):
    """Layers that each add ``growth_rate`` channels to what they read."""

    _version = 2

    def __init__(
        self,
        num_layers: int,
        num_input_features: int,
        bn_size: int,
        growth_rate: int,
        drop_rate: float,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        for i in range(num_layers):
            width = num_input_features + i * growth_rate
            layer = _DenseLayer(width, growth_rate, bn_size, drop_rate, memory_efficient)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, init_features: Tensor) -> Tensor:
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return rl.cat(features, 1)


class _Transition(nn.Sequential):
    """Half the channels and half the size."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_input_features)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(
            num_input_features, num_output_features, kernel_size=1, stride=1, bias=False
        )
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """Dense blocks with transitions between them.

    Args:
        growth_rate: channels that each layer adds, k in the paper.
        block_config: layers in each block.
        num_init_features: channels after the first convolution.
        bn_size: the 1x1 convolutions have ``bn_size * growth_rate`` channels.
        memory_efficient: compute the first half of each layer again for its gradient
            (Pleiss et al. 2017, arXiv:1707.06990).
    Shape:
        input (N, 3, H, W), at least 29 x 29; output (N, num_classes).
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: tuple[int, int, int, int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        width = num_init_features
        first = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            conv0=first,
            norm0=nn.BatchNorm2d(width),
            relu0=nn.ReLU(inplace=True),
            pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
        for i, count in enumerate(block_config, 1):
            layers[f"denseblock{i}"] = _DenseBlock(
                count, width, bn_size, growth_rate, drop_rate, memory_efficient
            )
            width += count * growth_rate
            if i < len(block_config):
                layers[f"transition{i}"] = _Transition(width, width // 2)
                width //= 2
        self.features = nn.Sequential(layers)
        self.features.add_module("norm5", nn.BatchNorm2d(width))
        self.classifier = nn.Linear(width, num_classes)
        initialize(self, conv=nn.init.kaiming_normal_)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.features(x), inplace=True)
        x = F.adaptive_avg_pool2d(x, (1, 1))
        return self.classifier(rl.flatten(x, 1))


def _new_names(state: dict[str, Any]) -> dict[str, Any]:
    return {_OLD_NAME.sub(r"\1\2.", key): value for key, value in state.items()}


published = Published(__name__, DenseNet, "Huang et al. 2016, arXiv:1608.06993", rename=_new_names)
DenseNet121_Weights = published.weights("DenseNet121_Weights")
DenseNet161_Weights = published.weights("DenseNet161_Weights")
DenseNet169_Weights = published.weights("DenseNet169_Weights")
DenseNet201_Weights = published.weights("DenseNet201_Weights")
densenet121 = published.builder("densenet121", DenseNet121_Weights, 32, (6, 12, 24, 16), 64)
densenet161 = published.builder("densenet161", DenseNet161_Weights, 48, (6, 12, 36, 24), 96)
densenet169 = published.builder("densenet169", DenseNet169_Weights, 32, (6, 12, 32, 32), 64)
densenet201 = published.builder("densenet201", DenseNet201_Weights, 32, (6, 12, 48, 32), 64)

__all__ = ["DenseNet", *published.names]
