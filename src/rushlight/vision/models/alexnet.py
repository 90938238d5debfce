"""AlexNet: Krizhevsky 2014, "One weird trick", arXiv:1404.5997."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor, nn

from ._published import Published


class AlexNet(nn.Module):
    """Five convolutions and three linear layers.

    Shape:
        input (N, 3, H, W), at least 63 x 63; output (N, num_classes).
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(3, 64, kernel_size=11, stride=4, padding=2),
            nn.MaxPool2d(kernel_size=3, stride=2),
            *_convolution(64, 192, kernel_size=5, padding=2),
            nn.MaxPool2d(kernel_size=3, stride=2),
            *_convolution(192, 384, kernel_size=3, padding=1),
            *_convolution(384, 256, kernel_size=3, padding=1),
            *_convolution(256, 256, kernel_size=3, padding=1),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(rl.flatten(x, 1))


def _convolution(channels: int, out: int, **sizes: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, **sizes), nn.ReLU(inplace=True)]


published = Published(__name__, AlexNet, "Krizhevsky 2014, arXiv:1404.5997")
AlexNet_Weights = published.weights("AlexNet_Weights")
alexnet = published.builder("alexnet", AlexNet_Weights)

__all__ = ["AlexNet", *published.names]
