"""How loud: decibels, companding, gain, loudness."""

from __future__ import annotations

import math
import warnings

import rushlight as rl
from rushlight import Tensor

from .biquad import highpass_biquad, treble_biquad


def amplitude_to_DB(
    x: Tensor, multiplier: float, amin: float, db_multiplier: float, top_db: float | None = None
) -> Tensor:
    """Decibels: ``multiplier * (log10(max(x, amin)) - db_multiplier)``.

    Args:
        multiplier: 10 for energies, 20 for amplitudes.
        top_db: how far below the largest value of its spectrogram a value may be; less is raised.
    Shape:
        x (*, channel, frequency, time); output the same.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.amplitude_to_DB(rl.tensor([[1.0, 0.1, 0.0]]), 10.0, 1e-10, 0.0, top_db=80.0)
        tensor([[  0., -10., -80.]])
    """
    decibels = multiplier * rl.log10(rl.clamp(x, min=amin)) - multiplier * db_multiplier
    if top_db is None:
        return decibels
    dims = tuple(range(-min(x.ndim, 3), 0))  # a spectrogram with all its channels
    return rl.maximum(decibels, decibels.amax(dims, keepdim=True) - top_db)


def DB_to_amplitude(x: Tensor, ref: float, power: float) -> Tensor:
    """Energies (``power=1``) or amplitudes (``power=0.5``) of decibels, times ``ref``."""
    return ref * rl.pow(rl.pow(10.0, 0.1 * x), power)


def mu_law_encoding(x: Tensor, quantization_channels: int) -> Tensor:
    """Samples in [-1, 1] as int64 in [0, quantization_channels), fine near 0 and coarse far off.

    Reference:
        ITU-T G.711, 1972.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.mu_law_encoding(rl.tensor([-1.0, 0.0, 0.01, 1.0]), 256)
        tensor([  0, 128, 157, 255])
    """
    if not x.is_floating_point():
        warnings.warn("The input Tensor must be of floating type.", stacklevel=2)
        x = x.to(rl.float32)
    mu = rl.tensor(quantization_channels - 1.0, dtype=x.dtype)
    compressed = rl.sign(x) * rl.log1p(mu * rl.abs(x)) / rl.log1p(mu)
    return ((compressed + 1) / 2 * mu + 0.5).to(rl.int64)


def mu_law_decoding(x_mu: Tensor, quantization_channels: int) -> Tensor:
    """The samples in [-1, 1] of what :func:`mu_law_encoding` gives."""
    if not x_mu.is_floating_point():
        x_mu = x_mu.to(rl.float32)
    mu = rl.tensor(quantization_channels - 1.0, dtype=x_mu.dtype)
    x = x_mu / mu * 2 - 1.0
    return rl.sign(x) * (rl.exp(rl.abs(x) * rl.log1p(mu)) - 1.0) / mu


def gain(waveform: Tensor, gain_db: float = 1.0) -> Tensor:
    """A signal amplified by decibels."""
    return waveform if gain_db == 0 else waveform * 10 ** (gain_db / 20)


# Channels left, right and centre count once, the two behind the listener more.
CHANNEL_WEIGHTS = (1.0, 1.0, 1.0, 1.41, 1.41)
ABSOLUTE_GATE, BIAS = -70.0, -0.691


def loudness(waveform: Tensor, sample_rate: int) -> Tensor:
    """Loudness as people hear it, in LKFS.

    Shape:
        waveform (*, channel, time), up to 5 channels; output (*).
    Reference:
        ITU-R BS.1770-4, 2015, annex 1: the filters, gating blocks and both gates.
    """
    if waveform.shape[-2] > len(CHANNEL_WEIGHTS):
        raise ValueError("Only up to 5 channels are supported.")
    weights = rl.tensor(CHANNEL_WEIGHTS, dtype=waveform.dtype)[: waveform.shape[-2]]
    heard = treble_biquad(waveform, sample_rate, 4.0, 1500.0, 1 / math.sqrt(2))
    heard = highpass_biquad(heard, sample_rate, 38.0, 0.5)
    block = round(0.4 * sample_rate)
    energy = heard.square().unfold(-1, block, round(block * 0.25)).mean(-1)
    blocks = _lkfs((weights[:, None] * energy).sum(-2))  # (*, block)

    def gated(open: Tensor) -> Tensor:
        mean = (open[..., None, :] * energy).sum(-1) / open.sum(-1, keepdim=True)
        return _lkfs((weights * mean).sum(-1))

    open = blocks > ABSOLUTE_GATE
    relative_gate = gated(open) - 10
    return gated(open & (blocks > relative_gate[..., None]))


def _lkfs(energy: Tensor) -> Tensor:
    return BIAS + 10 * rl.log10(energy)
