"""ResNet: He et al. 2015, arXiv:1512.03385; wider and grouped ones, arXiv:1605.07146, 1611.05431.

The stride of a bottleneck is in its 3x3 convolution, not in the first 1x1 as in the paper: that is
more accurate, and what the published weights were trained with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn

from ._initial import initialize
from ._published import Published

Norm = Callable[..., nn.Module]


def conv3x3(
    in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size, but for the stride."""
    return nn.Conv2d(
        in_planes,
        out_planes,
        kernel_size=3,
        stride=stride,
        padding=dilation,
        groups=groups,
        bias=False,
        dilation=dilation,
    )


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A 1x1 convolution."""
    return nn.Conv2d(in_planes, out_planes, kernel_size=1, stride=stride, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside the identity; figure 5, left."""

    expansion: int = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        norm = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + identity)


class Bottleneck(nn.Module):
    """1x1 down, 3x3, 1x1 up to four times the width, beside the identity; figure 5, right."""

    expansion: int = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + identity)


class ResNet(nn.Module):
    """A residual network of four stages.

    Args:
        block: :class:`BasicBlock` or :class:`Bottleneck`.
        layers: the number of blocks in each stage.
        zero_init_residual: start every block as the identity (Goyal et al. 2017, section 5.1).
        groups, width_per_group: groups and their width in a bottleneck's 3x3 convolution.
        replace_stride_with_dilation: for each of the last three stages, whether it keeps the size
            and spreads its kernels instead.
    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: list[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: list[bool] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        dilate = replace_stride_with_dilation
        dilate = [False, False, False] if dilate is None else dilate
        if len(dilate) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None "
                f"or a 3-element tuple, got {replace_stride_with_dilation}"
            )
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], stride=2, dilate=dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], stride=2, dilate=dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], stride=2, dilate=dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        initialize(self)
        if zero_init_residual:
            self._start_as_identity()

    def _make_layer(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        """One stage; only its first block may change size and width."""
        shared: dict[str, Any] = {
            "groups": self.groups, "base_width": self.base_width, "norm_layer": self._norm_layer,
        }  # fmt: skip
        before = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        width = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != width:
            downsample = nn.Sequential(
                conv1x1(self.inplanes, width, stride), self._norm_layer(width)
            )
        first = block(self.inplanes, planes, stride, downsample, dilation=before, **shared)
        self.inplanes = width
        more = [block(width, planes, dilation=self.dilation, **shared) for _ in range(blocks - 1)]
        return nn.Sequential(first, *more)

    def _start_as_identity(self) -> None:
        for layer in self.modules():
            if isinstance(layer, (BasicBlock, Bottleneck)):
                last = layer.bn3 if isinstance(layer, Bottleneck) else layer.bn2
                if last.weight is not None:
                    nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(rl.flatten(self.avgpool(x), 1))


published = Published(__name__, ResNet, "He et al. 2015, arXiv:1512.03385")
ResNet18_Weights = published.weights("ResNet18_Weights")
ResNet34_Weights = published.weights("ResNet34_Weights")
ResNet50_Weights = published.weights("ResNet50_Weights")
ResNet101_Weights = published.weights("ResNet101_Weights")
ResNet152_Weights = published.weights("ResNet152_Weights")
ResNeXt50_32X4D_Weights = published.weights("ResNeXt50_32X4D_Weights")
ResNeXt101_32X8D_Weights = published.weights("ResNeXt101_32X8D_Weights")
ResNeXt101_64X4D_Weights = published.weights("ResNeXt101_64X4D_Weights")
Wide_ResNet50_2_Weights = published.weights("Wide_ResNet50_2_Weights")
Wide_ResNet101_2_Weights = published.weights("Wide_ResNet101_2_Weights")
resnet18 = published.builder("resnet18", ResNet18_Weights, BasicBlock, [2, 2, 2, 2])
resnet34 = published.builder("resnet34", ResNet34_Weights, BasicBlock, [3, 4, 6, 3])
resnet50 = published.builder("resnet50", ResNet50_Weights, Bottleneck, [3, 4, 6, 3])
resnet101 = published.builder("resnet101", ResNet101_Weights, Bottleneck, [3, 4, 23, 3])
resnet152 = published.builder("resnet152", ResNet152_Weights, Bottleneck, [3, 8, 36, 3])
resnext50_32x4d = published.builder(
    "resnext50_32x4d", ResNeXt50_32X4D_Weights, Bottleneck, [3, 4, 6, 3],
    groups=32, width_per_group=4,
)  # fmt: skip
resnext101_32x8d = published.builder(
    "resnext101_32x8d", ResNeXt101_32X8D_Weights, Bottleneck, [3, 4, 23, 3],
    groups=32, width_per_group=8,
)  # fmt: skip
resnext101_64x4d = published.builder(
    "resnext101_64x4d", ResNeXt101_64X4D_Weights, Bottleneck, [3, 4, 23, 3],
    groups=64, width_per_group=4,
)  # fmt: skip
wide_resnet50_2 = published.builder(
    "wide_resnet50_2", Wide_ResNet50_2_Weights, Bottleneck, [3, 4, 6, 3], width_per_group=128
)
wide_resnet101_2 = published.builder(
    "wide_resnet101_2", Wide_ResNet101_2_Weights, Bottleneck, [3, 4, 23, 3], width_per_group=128
)

__all__ = ["ResNet", *published.names]
