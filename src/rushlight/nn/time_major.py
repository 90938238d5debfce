"""Convolution of signals with time in front."""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Convolution of signals whose dimensions are time, batch and channel.

    Shape:
        input (T, N, C); weight (K, C, F); bias (F); output (T + 2 pad - K + 1, N, F).
    """
    signal, filters = input.permute(1, 2, 0), weight.permute(2, 1, 0)
    return rl.conv1d(signal, filters, bias, padding=pad).permute(2, 0, 1)
