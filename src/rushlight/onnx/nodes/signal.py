"""Fourier transforms and the weights of mel bands."""

from __future__ import annotations

import math

import rushlight as rl

from .elements import PLAIN
from .registry import node


@node("DFT")
def dft_fixed(
    x: rl.Tensor, length: rl.Tensor | None = None, *, axis: int = 1, inverse: int = 0,
    onesided: int = 0,
) -> rl.Tensor:  # fmt: skip
    return _transformed(x, length, axis, bool(inverse), bool(onesided))


@node("DFT", since=20)
def dft(
    x: rl.Tensor, length: rl.Tensor | None = None, axis: rl.Tensor | None = None, *,
    inverse: int = 0, onesided: int = 0,
) -> rl.Tensor:  # fmt: skip
    dim = -2 if axis is None else int(axis.item())
    return _transformed(x, length, dim, bool(inverse), bool(onesided))


def _transformed(
    x: rl.Tensor, length: rl.Tensor | None, axis: int, inverse: bool, onesided: bool
) -> rl.Tensor:
    """The last dimension holds a number's parts: one of a real, two of a complex one."""
    dim = axis % x.ndim
    n = None if length is None else int(length.item())
    wide = x if x.dtype in (rl.float32, rl.float64) else x.to(rl.float32)
    is_real = x.shape[-1] == 1
    numbers = wide[..., 0] if is_real else rl.complex(wide[..., 0], wide[..., 1])
    if inverse and onesided:
        return rl.fft.irfft(numbers, n, dim).unsqueeze(-1).to(x.dtype)
    if onesided and is_real:
        result = rl.fft.rfft(numbers, n, dim)
    else:
        function = rl.fft.ifft if inverse else rl.fft.fft
        result = function(numbers, n, dim)
        if onesided:
            result = result.narrow(dim, 0, result.shape[dim] // 2 + 1)
    return rl.view_as_real(result).to(x.dtype)


@node("STFT")
def stft(
    x: rl.Tensor, step: rl.Tensor, window: rl.Tensor | None = None,
    length: rl.Tensor | None = None, *, onesided: int = 1,
) -> rl.Tensor:  # fmt: skip
    size = int(length.item()) if length is not None else len(window) if window is not None else 0
    hop = int(step.item())
    is_real = x.ndim == 2 or x.shape[-1] == 1
    numbers = x.reshape(x.shape[:2]) if is_real else rl.complex(x[..., 0], x[..., 1])
    size = size or x.shape[1]
    frames = numbers.unfold(1, size, hop)  # (B, frames, size)
    frames = frames if window is None else frames * window
    if is_real and onesided:
        return rl.view_as_real(rl.fft.rfft(frames)).to(x.dtype)
    result = rl.fft.fft(frames)
    if onesided:
        result = result[..., : size // 2 + 1]
    return rl.view_as_real(result).to(x.dtype)


@node("MelWeightMatrix")
def mel_weight_matrix(
    bins: rl.Tensor, length: rl.Tensor, rate: rl.Tensor, lower: rl.Tensor, upper: rl.Tensor, *,
    output_datatype: int = 1,
) -> rl.Tensor:  # fmt: skip
    """Triangles over the bins of a spectrum, evenly spaced on the mel scale."""
    count, size = int(bins.item()), int(length.item())
    low, high = (2595 * math.log10(1 + float(one.item()) / 700) for one in (lower, upper))
    edges = []
    for at in range(count + 2):
        hertz = 700 * (10 ** ((low + at * (high - low) / (count + 2)) / 2595) - 1)
        edges.append(int((size + 1) * hertz // int(rate.item())))
    place = rl.arange(size // 2 + 1).to(rl.float32)[:, None]
    begin, middle, end = (rl.tensor(edges[at : at + count], dtype=rl.float32) for at in range(3))
    rising = rl.where(
        middle > begin, (place - begin) / (middle - begin).clamp(min=1), (place == middle) * 1.0
    )
    falling = (end - place) / (end - middle).clamp(min=1)
    weight = rl.where(place <= middle, rising, falling)
    weight = rl.where((place == middle), rl.ones_like(weight), weight)
    return weight.clamp(min=0).to(PLAIN[output_datatype])
