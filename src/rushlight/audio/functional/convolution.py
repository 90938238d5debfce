"""Signals convolved with others, or added to them."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F

MODES = ("full", "valid", "same")


def check_mode(mode: str) -> None:
    """Raises ValueError for a mode that convolutions do not have."""
    if mode not in MODES:
        raise ValueError(f"Unrecognized mode value '{mode}'. Please specify one of {list(MODES)}.")


def _check(x: Tensor, y: Tensor, mode: str) -> None:
    if x.ndim != y.ndim:
        raise ValueError(f"The operands must be the same dimension (got {x.ndim} and {y.ndim}).")
    for m, n in zip(x.shape[:-1], y.shape[:-1], strict=True):
        if m != n and 1 not in (m, n):
            raise ValueError(
                f"Leading dimensions of x and y are not broadcastable (got {x.shape} and"
                f" {y.shape})."
            )
    check_mode(mode)


def _part(full: Tensor, x: int, y: int, mode: str) -> Tensor:
    """What a mode keeps of the full convolution of x and y samples."""
    length = {"full": full.shape[-1], "valid": abs(x - y) + 1, "same": x}[mode]
    start = (full.shape[-1] - length) // 2
    return full[..., start : start + length]


def fftconvolve(x: Tensor, y: Tensor, mode: str = "full") -> Tensor:
    """The convolution along the last dimension, as a product of spectra: for long signals.

    Args:
        mode: ``"full"`` for every overlap, ``"valid"`` for those without padding, ``"same"`` for
            the middle part as long as x.
    Shape:
        x (*, m), y (*, n), which broadcast; output (*, m + n - 1) when full.
    """
    _check(x, y, mode)
    n = x.shape[-1] + y.shape[-1] - 1
    full = rl.fft.irfft(rl.fft.rfft(x, n=n) * rl.fft.rfft(y, n=n), n=n)
    return _part(full, x.shape[-1], y.shape[-1], mode)


def convolve(x: Tensor, y: Tensor, mode: str = "full") -> Tensor:
    """The same as :func:`fftconvolve`, by its definition: for short signals.

    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.convolve(rl.tensor([[1.0, 2.0, 3.0]]), rl.tensor([[1.0, 1.0]]))
        tensor([[1., 3., 5., 3.]])
    """
    _check(x, y, mode)
    m, n = x.shape[-1], y.shape[-1]
    long, short = (x, y) if m >= n else (y, x)
    lead = rl.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    count = math.prod(lead)
    signals = long.expand(*lead, -1).reshape(1, count, -1)
    taps = short.expand(*lead, -1).reshape(count, 1, -1).flip(-1)
    full = F.conv1d(signals, taps, groups=count, padding=min(m, n) - 1)
    return _part(full.reshape(*lead, -1), m, n, mode)


def add_noise(
    waveform: Tensor, noise: Tensor, snr: Tensor, lengths: Tensor | None = None
) -> Tensor:
    """A signal and noise of a given strength.

    Args:
        snr: (*), decibels between the signal and the noise.
        lengths: (*), how many samples of each signal count.
    Shape:
        waveform and noise (*, time); output the same.
    """
    if not (
        waveform.ndim - 1 == noise.ndim - 1 == snr.ndim
        and (lengths is None or lengths.ndim == snr.ndim)
    ):
        raise ValueError("Input leading dimensions don't match.")
    length = waveform.shape[-1]
    if length != noise.shape[-1]:
        raise ValueError(
            f"Length dimensions of waveform and noise don't match (got {length} and"
            f" {noise.shape[-1]})."
        )
    counts: Tensor | float = 1.0
    if lengths is not None:
        counts = rl.arange(length) < lengths[..., None]

    def decibels(sound: Tensor) -> Tensor:
        return 10 * rl.log10((sound * counts).square().sum(-1))

    scale = 10 ** ((decibels(waveform) - decibels(noise) - snr) / 20.0)
    return waveform + scale[..., None] * noise
