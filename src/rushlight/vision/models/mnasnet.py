"""MNASNet B1: Tan et al. 2018, arXiv:1807.11626, figure 7 without squeeze and excitation."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

from rushlight import Tensor, nn

from ._initial import fan_out, initialize
from ._published import Published

# The paper keeps 0.9997 of the running statistics, as TensorFlow counts.
_BN_MOMENTUM = 1 - 0.9997
# Of each stack after the first two layers: kernel, stride, expansion, blocks.
_STACKS = ((3, 2, 3, 3), (5, 2, 3, 3), (5, 2, 6, 3), (3, 1, 6, 2), (5, 2, 6, 4), (3, 1, 6, 1))


class _InvertedResidual(nn.Module):
    """1x1 up, depthwise, 1x1 down without activation; added to the input where shapes allow."""

    def __init__(
        self,
        in_ch: int,
        out_ch: int,
        kernel_size: int,
        stride: int,
        expansion_factor: int,
        bn_momentum: float = 0.1,
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        if kernel_size not in (3, 5):
            raise ValueError(f"kernel_size should be 3 or 5 instead of {kernel_size}")
        width = in_ch * expansion_factor
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            *_conv(in_ch, width, bn_momentum),
            nn.ReLU(inplace=True),
            *_conv(width, width, bn_momentum, kernel_size, stride, groups=width),
            nn.ReLU(inplace=True),
            *_conv(width, out_ch, bn_momentum),
        )

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


def _conv(
    channels: int, out: int, momentum: float, kernel: int = 1, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    conv = nn.Conv2d(
        channels, out, kernel, padding=kernel // 2, stride=stride, groups=groups, bias=False
    )
    return [conv, nn.BatchNorm2d(out, momentum=momentum)]


def _stack(
    in_ch: int,
    out_ch: int,
    kernel_size: int,
    stride: int,
    exp_factor: int,
    repeats: int,
    bn_momentum: float,
) -> nn.Sequential:
    """Blocks of which the first changes size and width."""
    if repeats < 1:
        raise ValueError(f"repeats should be >= 1, instead got {repeats}")
    make = partial(_InvertedResidual, bn_momentum=bn_momentum)
    rest = [make(out_ch, out_ch, kernel_size, 1, exp_factor) for _ in range(repeats - 1)]
    return nn.Sequential(make(in_ch, out_ch, kernel_size, stride, exp_factor), *rest)


def _round_to_multiple_of(val: float, divisor: int, round_up_bias: float = 0.9) -> int:
    """Next multiple of the divisor, but not under ``round_up_bias`` of the value: (83, 8) is 80."""
    if not 0.0 < round_up_bias < 1.0:
        raise ValueError(
            "round_up_bias should be greater than 0.0 and smaller than 1.0 instead of "
            f"{round_up_bias}"
        )
    rounded = max(divisor, int(val + divisor / 2) // divisor * divisor)
    return rounded if rounded >= round_up_bias * val else rounded + divisor


def _get_depths(alpha: float) -> list[int]:
    """The widths of the layers, times alpha."""
    return [_round_to_multiple_of(d * alpha, 8) for d in (32, 16, 24, 40, 80, 96, 192, 320)]


def _stem(first: int, second: int) -> list[nn.Module]:
    return [
        *_conv(3, first, _BN_MOMENTUM, 3, 2),
        nn.ReLU(inplace=True),
        *_conv(first, first, _BN_MOMENTUM, 3, 1, groups=first),
        nn.ReLU(inplace=True),
        *_conv(first, second, _BN_MOMENTUM),
    ]


class MNASNet(nn.Module):
    """A network found by search for phones.

    Args:
        alpha: multiplies all widths.
    Shape:
        input (N, 3, H, W) of any size; output (N, num_classes).
    Example:
        >>> import rushlight as rl
        >>> MNASNet(0.5, num_classes=10)(rl.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    # Files of version 1 hold networks whose first layers were as wide for every alpha.
    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0.0:
            raise ValueError(f"alpha should be greater than 0.0 instead of {alpha}")
        self.alpha, self.num_classes = alpha, num_classes
        depths = _get_depths(alpha)
        stacks = [
            _stack(before, after, *sizes, _BN_MOMENTUM)
            for before, after, sizes in zip(depths[1:], depths[2:], _STACKS)
        ]
        self.layers = nn.Sequential(
            *_stem(depths[0], depths[1]),
            *stacks,
            *_conv(depths[7], 1280, _BN_MOMENTUM),
            nn.ReLU(inplace=True),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout, inplace=True), nn.Linear(1280, num_classes)
        )
        linear = partial(nn.init.kaiming_uniform_, mode="fan_out", nonlinearity="sigmoid")
        initialize(self, fan_out, linear)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean([2, 3]))

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        version = local_metadata.get("version")
        if version not in (1, 2):
            raise ValueError(f"version should be set to 1 or 2 instead of {version}")
        if version == 1 and self.alpha != 1.0:
            self._become_version_1()
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _become_version_1(self) -> None:
        third = _get_depths(self.alpha)[2]
        for i, layer in enumerate([*_stem(32, 16), _stack(16, third, *_STACKS[0], _BN_MOMENTUM)]):
            self.layers[i] = layer
        self._version = 1
        warnings.warn(
            "This checkpoint holds the first version of MNASNet. The model was changed to it; "
            "weights of the newer version are more accurate.",
            UserWarning,
        )


published = Published(__name__, MNASNet, "Tan et al. 2018, arXiv:1807.11626")
MNASNet0_5_Weights = published.weights("MNASNet0_5_Weights")
MNASNet0_75_Weights = published.weights("MNASNet0_75_Weights")
MNASNet1_0_Weights = published.weights("MNASNet1_0_Weights")
MNASNet1_3_Weights = published.weights("MNASNet1_3_Weights")
mnasnet0_5 = published.builder("mnasnet0_5", MNASNet0_5_Weights, 0.5)
mnasnet0_75 = published.builder("mnasnet0_75", MNASNet0_75_Weights, 0.75)
mnasnet1_0 = published.builder("mnasnet1_0", MNASNet1_0_Weights, 1.0)
mnasnet1_3 = published.builder("mnasnet1_3", MNASNet1_3_Weights, 1.3)

__all__ = ["MNASNet", *published.names]
