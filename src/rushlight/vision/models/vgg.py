"""VGG: Simonyan and Zisserman 2014, arXiv:1409.1556, table 1."""

from __future__ import annotations

from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from ._api import WeightsEnum
from ._initial import initialize, small
from ._published import Published, set_classes

# The widths of the 3x3 convolutions in the table's columns; M is a maximum over 2x2.
cfgs: dict[str, list[int | str]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"],
    "E": [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


class VGG(nn.Module):
    """Convolutions of 3x3 that double their width as the picture shrinks, and a wide classifier.

    Args:
        features: the convolutions, which give 512 channels; see :func:`make_layers`.
    Shape:
        input (N, 3, H, W), at least 32 x 32; output (N, num_classes).
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialize(self, linear=small)

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))
        return self.classifier(rl.flatten(x, 1))


def make_layers(cfg: list[int | str], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions that a column of the table lists."""
    layers: list[nn.Module] = []
    channels = 3
    for width in cfg:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        norm = [nn.BatchNorm2d(width)] if batch_norm else []
        conv = nn.Conv2d(channels, width, kernel_size=3, padding=1)
        layers += [conv, *norm, nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


def _vgg(cfg: str, batch_norm: bool, **kwargs: Any) -> VGG:
    return VGG(make_layers(cfgs[cfg], batch_norm=batch_norm), **kwargs)


def _prepare(weights: WeightsEnum, kwargs: dict[str, Any]) -> None:
    kwargs["init_weights"] = False  # they would be drawn for nothing
    if weights.meta["categories"] is not None:  # there are weights of the convolutions alone
        set_classes(weights, kwargs)


published = Published(__name__, _vgg, "Simonyan and Zisserman 2014, arXiv:1409.1556")
VGG11_Weights = published.weights("VGG11_Weights")
VGG11_BN_Weights = published.weights("VGG11_BN_Weights")
VGG13_Weights = published.weights("VGG13_Weights")
VGG13_BN_Weights = published.weights("VGG13_BN_Weights")
VGG16_Weights = published.weights("VGG16_Weights")
VGG16_BN_Weights = published.weights("VGG16_BN_Weights")
VGG19_Weights = published.weights("VGG19_Weights")
VGG19_BN_Weights = published.weights("VGG19_BN_Weights")
vgg11 = published.builder("vgg11", VGG11_Weights, "A", False, prepare=_prepare)
vgg11_bn = published.builder("vgg11_bn", VGG11_BN_Weights, "A", True, prepare=_prepare)
vgg13 = published.builder("vgg13", VGG13_Weights, "B", False, prepare=_prepare)
vgg13_bn = published.builder("vgg13_bn", VGG13_BN_Weights, "B", True, prepare=_prepare)
vgg16 = published.builder("vgg16", VGG16_Weights, "D", False, prepare=_prepare)
vgg16_bn = published.builder("vgg16_bn", VGG16_BN_Weights, "D", True, prepare=_prepare)
vgg19 = published.builder("vgg19", VGG19_Weights, "E", False, prepare=_prepare)
vgg19_bn = published.builder("vgg19_bn", VGG19_BN_Weights, "E", True, prepare=_prepare)

__all__ = ["VGG", *published.names]
