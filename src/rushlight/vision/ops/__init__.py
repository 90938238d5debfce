"""Operations on boxes and regions, and blocks that vision models share: ``torchvision.ops``."""

from .misc import (
    MLP,
    Conv2dNormActivation,
    Conv3dNormActivation,
    FrozenBatchNorm2d,
    Permute,
    SqueezeExcitation,
)  # fmt: skip
from .stochastic_depth import StochasticDepth, stochastic_depth

__all__ = [
    "Conv2dNormActivation", "Conv3dNormActivation", "FrozenBatchNorm2d", "MLP", "Permute",
    "SqueezeExcitation", "StochasticDepth", "stochastic_depth",
]  # fmt: skip
