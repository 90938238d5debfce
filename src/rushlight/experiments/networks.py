"""Small networks for small images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import rushlight as rl
from rushlight import nn
from rushlight.vision.models.resnet import BasicBlock, ResNet


def mlp(inputs: int, hidden: Sequence[int], classes: int, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers with ReLU between them, on flattened inputs."""
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in zip([inputs, *hidden], hidden):
        layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(hidden[-1] if hidden else inputs, classes))


def cnn(channels: Sequence[int], classes: int, inputs: int = 1) -> nn.Sequential:
    """A 3x3 convolution, batch norm, ReLU and a pooling that halves, for each entry."""
    layers: list[nn.Module] = []
    for before, after in zip([inputs, *channels], channels):
        layers += [
            nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
            nn.MaxPool2d(2),
        ]  # fmt: skip
    return nn.Sequential(
        OrderedDict(
            features=nn.Sequential(*layers),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            head=nn.Linear(channels[-1], classes),
        )
    )


def resnet(blocks: Sequence[int], classes: int, inputs: int = 1) -> ResNet:
    """A ResNet for small images: He et al. 2016, section 4.2, arXiv:1512.03385.

    Its first layer neither strides nor pools, so 8x8 pixels are enough for four stages.
    """
    network = ResNet(BasicBlock, list(blocks), num_classes=classes)
    network.conv1 = nn.Conv2d(inputs, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


class LastState(nn.Module):
    """Reads a sequence with a recurrent layer and answers from the state after its end.

    Shape:
        input (N, T, features); output (N, outputs).
    """

    def __init__(self, features: int, hidden: int, outputs: int, layers: int = 1) -> None:
        super().__init__()
        self.recurrent = nn.GRU(features, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x: rl.Tensor) -> rl.Tensor:
        states, _ = self.recurrent(x)  # (N, T, hidden)
        return self.head(states[:, -1])
