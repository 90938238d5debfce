"""Layers whose products are of bytes, under PyTorch's names.

PyTorch's take and return quantised tensors; these take and return numbers, and neighbours pass
bytes on inside of their kernels.
"""

from __future__ import annotations

from . import dynamic as dynamic
from .conv import Conv1d, Conv2d, Conv3d
from .linear import Linear
from .stubs import DeQuantize, Quantize

__all__ = ["Conv1d", "Conv2d", "Conv3d", "DeQuantize", "Linear", "Quantize"]
