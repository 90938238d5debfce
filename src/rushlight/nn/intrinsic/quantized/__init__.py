"""Fused layers whose products are of bytes."""

from __future__ import annotations

from rushlight.nn.quantized.conv import ConvReLU1d, ConvReLU2d, ConvReLU3d
from rushlight.nn.quantized.linear import LinearReLU

__all__ = ["ConvReLU1d", "ConvReLU2d", "ConvReLU3d", "LinearReLU"]
