"""SqueezeNet: Iandola et al. 2016, arXiv:1602.07360; 1.1 is the authors' later, cheaper layout."""

from __future__ import annotations

from functools import partial

import rushlight as rl
from rushlight import Tensor, nn

from ._initial import initialize, small
from ._published import Published

# Kernel and width of the first convolution, then fire modules as (squeezed, expanded) and pools P.
_LAYOUTS: dict[str, tuple[int, int, list[tuple[int, int] | str]]] = {
    "1_0": (7, 96, ["P", (16, 64), (16, 64), (32, 128), "P", (32, 128), (48, 192), (48, 192),
                    (64, 256), "P", (64, 256)]),
    "1_1": (3, 64, ["P", (16, 64), (16, 64), "P", (32, 128), (32, 128), "P", (48, 192), (48, 192),
                    (64, 256), (64, 256)]),
}  # fmt: skip


class Fire(nn.Module):
    """Few channels by 1x1, then many again by 1x1 and 3x3 side by side; figure 1."""

    def __init__(
        self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int
    ) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        narrow = self.expand1x1_activation(self.expand1x1(x))
        return rl.cat([narrow, self.expand3x3_activation(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """Fire modules and a classifier that is a 1x1 convolution.

    Args:
        version: ``"1_0"`` as in the paper, or ``"1_1"``.
    Shape:
        input (N, 3, H, W), at least 21 x 21 (17 x 17 for 1.1); output (N, num_classes).
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.num_classes = num_classes
        if version not in _LAYOUTS:
            raise ValueError(f"Unsupported SqueezeNet version {version}: 1_0 or 1_1 expected")
        self.features = _features(*_LAYOUTS[version])
        final_conv = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), final_conv, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        initialize(self, conv=nn.init.kaiming_uniform_)
        small(final_conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        return rl.flatten(self.classifier(self.features(x)), 1)


def _features(kernel: int, channels: int, layout: list[tuple[int, int] | str]) -> nn.Sequential:
    pool = partial(nn.MaxPool2d, kernel_size=3, stride=2, ceil_mode=True)
    layers = [nn.Conv2d(3, channels, kernel_size=kernel, stride=2), nn.ReLU(inplace=True)]
    for entry in layout:
        if isinstance(entry, str):
            layers.append(pool())
            continue
        squeezed, expanded = entry
        layers.append(Fire(channels, squeezed, expanded, expanded))
        channels = 2 * expanded
    return nn.Sequential(*layers)


published = Published(__name__, SqueezeNet, "Iandola et al. 2016, arXiv:1602.07360")
SqueezeNet1_0_Weights = published.weights("SqueezeNet1_0_Weights")
SqueezeNet1_1_Weights = published.weights("SqueezeNet1_1_Weights")
squeezenet1_0 = published.builder("squeezenet1_0", SqueezeNet1_0_Weights, "1_0")
squeezenet1_1 = published.builder("squeezenet1_1", SqueezeNet1_1_Weights, "1_1")

__all__ = ["SqueezeNet", *published.names]
