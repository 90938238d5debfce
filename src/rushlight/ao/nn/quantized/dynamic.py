"""PyTorch's newer name for :mod:`rushlight.nn.quantized.dynamic`."""

from rushlight.nn.quantized.dynamic import *  # noqa: F403
