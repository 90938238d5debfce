"""PyTorch's newer name for layers of bytes."""

from __future__ import annotations

from . import intrinsic, quantized

__all__ = ["intrinsic", "quantized"]
