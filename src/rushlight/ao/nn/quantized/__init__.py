"""PyTorch's newer name for :mod:`rushlight.nn.quantized`."""

from rushlight.nn.quantized import *  # noqa: F403

from . import dynamic as dynamic
