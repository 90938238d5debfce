"""PyTorch's newer name for :mod:`rushlight.nn.intrinsic.quantized`."""

from rushlight.nn.intrinsic.quantized import *  # noqa: F403
