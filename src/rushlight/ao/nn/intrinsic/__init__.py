"""PyTorch's newer name for :mod:`rushlight.nn.intrinsic`."""

from rushlight.nn.intrinsic import *  # noqa: F403

from . import quantized as quantized
