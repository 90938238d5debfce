"""Networks of convolutions: a small classifier and ResNet-18."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ..work import RATE, Work, another, labels, normal
from .framework import F, nn, optim
from .steps import inference, training


def cnn(batch: int) -> Work:
    """A classifier of 28×28 pictures, and Adam."""
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(64 * 5 * 5, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip

    def loss(x: Any, y: Any) -> Any:
        return F.cross_entropy(model(x), y)

    def data(count: int) -> tuple[Any, ...]:
        return normal(count, 1, 28, 28), labels(10, count)

    optimizer = optim.Adam(model.parameters(), lr=RATE)
    return training(model, optimizer, loss, data(batch), data(another(batch)))


def resnet_training(batch: int, size: int = 32) -> Work:
    """ResNet-18 for small pictures of ten classes, and SGD with momentum."""
    model = ResNet18(small=True, classes=10)

    def loss(x: Any, y: Any) -> Any:
        return F.cross_entropy(model(x), y)

    def data(count: int) -> tuple[Any, ...]:
        return normal(count, 3, size, size), labels(10, count)

    optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    return training(model, optimizer, loss, data(batch), data(another(batch)))


def resnet_inference(batch: int, size: int = 224) -> Work:
    """What ResNet-18 says of pictures as large as ImageNet's."""
    return inference(ResNet18(small=False, classes=1000), normal(batch, 3, size, size))


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.around = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.around = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Any) -> Any:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.around(x))


class ResNet18(nn.Module):
    """He et al. 2016, table 1, arXiv:1512.03385.

    Args:
        small: for pictures of 32×32: the first convolution is 3×3 and nothing is pooled before
            the blocks.
    """

    def __init__(self, small: bool, classes: int) -> None:
        super().__init__()
        if small:
            stem = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        else:
            stem = [
                nn.Conv2d(3, 64, 7, 2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                nn.MaxPool2d(3, 2, padding=1),
            ]  # fmt: skip
        blocks = []
        for stage, (inputs, outputs) in enumerate(pairwise((64, 64, 128, 256, 512))):
            blocks.append(Block(inputs, outputs, stride=1 if stage == 0 else 2))
            blocks.append(Block(outputs, outputs, stride=1))
        self.features = nn.Sequential(*stem, *blocks)
        self.classifier = nn.Linear(512, classes)

    def forward(self, x: Any) -> Any:
        return self.classifier(self.features(x).mean((2, 3)))
