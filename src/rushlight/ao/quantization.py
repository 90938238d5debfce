"""PyTorch's newer name for :mod:`rushlight.quantization`."""

from rushlight.quantization import *  # noqa: F403
