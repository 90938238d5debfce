"""ShuffleNet V2: Ma et al. 2018, arXiv:1807.11164."""

from __future__ import annotations

from collections.abc import Callable

import rushlight as rl
from rushlight import Tensor, nn

from ._published import Published


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Channels of the groups in turn: (N, C, H, W) with C = groups * C' read as C' * groups."""
    N, C, H, W = x.shape
    x = x.view(N, groups, C // groups, H, W)
    return rl.transpose(x, 1, 2).contiguous().view(N, C, H, W)


def _pointwise(channels: int, out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels, out, kernel_size=1, stride=1, padding=0, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    ]


class InvertedResidual(nn.Module):
    """Half of the channels pass by, or, with a stride, both branches work on all; figure 3 c, d."""

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if not 1 <= stride <= 3:
            raise ValueError("illegal stride value")
        half = oup // 2
        if stride == 1 and inp != half << 1:
            raise ValueError(
                f"Invalid combination of stride {stride}, inp {inp} and oup {oup} values. If "
                "stride == 1 then inp should be equal to oup // 2 << 1."
            )
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(*self._spatial(inp), *_pointwise(inp, half))
        self.branch2 = nn.Sequential(
            *_pointwise(inp if stride > 1 else half, half),
            *self._spatial(half),
            *_pointwise(half, half),
        )

    def _spatial(self, channels: int) -> list[nn.Module]:
        conv = self.depthwise_conv(channels, channels, 3, stride=self.stride, padding=1)
        return [conv, nn.BatchNorm2d(channels)]

    @staticmethod
    def depthwise_conv(
        i: int, o: int, kernel_size: int, stride: int = 1, padding: int = 0, bias: bool = False
    ) -> nn.Conv2d:
        """A convolution of each channel by itself."""
        return nn.Conv2d(i, o, kernel_size, stride, padding, bias=bias, groups=i)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            kept, x = x.chunk(2, dim=1)
        else:
            kept = self.branch1(x)
        return channel_shuffle(rl.cat((kept, self.branch2(x)), dim=1), 2)


class ShuffleNetV2(nn.Module):
    """Three stages of shuffled units.

    Args:
        stages_repeats: units in each stage.
        stages_out_channels: channels of the first convolution, the stages and the last convolution.
    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    """

    def __init__(
        self,
        stages_repeats: list[int],
        stages_out_channels: list[int],
        num_classes: int = 1000,
        inverted_residual: Callable[..., nn.Module] = InvertedResidual,
    ) -> None:
        super().__init__()
        if len(stages_repeats) != 3:
            raise ValueError("expected stages_repeats as list of 3 positive ints")
        if len(stages_out_channels) != 5:
            raise ValueError("expected stages_out_channels as list of 5 positive ints")
        self._stage_out_channels = stages_out_channels
        width, *widths, last = stages_out_channels
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        for i, (repeats, out) in enumerate(zip(stages_repeats, widths)):
            rest = [inverted_residual(out, out, 1) for _ in range(repeats - 1)]
            stage = nn.Sequential(inverted_residual(width, out, 2), *rest)
            setattr(self, f"stage{i + 2}", stage)
            width = out
        self.conv5 = nn.Sequential(*_pointwise(width, last))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.conv1(x))
        x = self.stage4(self.stage3(self.stage2(x)))
        return self.fc(self.conv5(x).mean([2, 3]))


published = Published(__name__, ShuffleNetV2, "Ma et al. 2018, arXiv:1807.11164")
ShuffleNet_V2_X0_5_Weights = published.weights("ShuffleNet_V2_X0_5_Weights")
ShuffleNet_V2_X1_0_Weights = published.weights("ShuffleNet_V2_X1_0_Weights")
ShuffleNet_V2_X1_5_Weights = published.weights("ShuffleNet_V2_X1_5_Weights")
ShuffleNet_V2_X2_0_Weights = published.weights("ShuffleNet_V2_X2_0_Weights")
shufflenet_v2_x0_5 = published.builder(
    "shufflenet_v2_x0_5", ShuffleNet_V2_X0_5_Weights, [4, 8, 4], [24, 48, 96, 192, 1024]
)
shufflenet_v2_x1_0 = published.builder(
    "shufflenet_v2_x1_0", ShuffleNet_V2_X1_0_Weights, [4, 8, 4], [24, 116, 232, 464, 1024]
)
shufflenet_v2_x1_5 = published.builder(
    "shufflenet_v2_x1_5", ShuffleNet_V2_X1_5_Weights, [4, 8, 4], [24, 176, 352, 704, 1024]
)
shufflenet_v2_x2_0 = published.builder(
    "shufflenet_v2_x2_0", ShuffleNet_V2_X2_0_Weights, [4, 8, 4], [24, 244, 488, 976, 2048]
)

__all__ = ["ShuffleNetV2", *published.names]
