"""Banks of filters over the bins of a spectrogram, and the transform of their results."""

from __future__ import annotations

import math
import warnings

import rushlight as rl
from rushlight import Tensor

# Slaney's scale: linear up to 1000 Hz at 200/3 Hz a mel, then 27 mels for a factor of 6.4.
LINEAR, KNEE, STEP = 200.0 / 3, 1000.0, math.log(6.4) / 27.0
KNEE_MEL = KNEE / LINEAR


def _mel(hertz: float, scale: str) -> float:
    """A frequency in mels."""
    if scale == "htk":
        return 2595.0 * math.log10(1.0 + hertz / 700.0)
    return KNEE_MEL + math.log(hertz / KNEE) / STEP if hertz >= KNEE else hertz / LINEAR


def _hertz(mels: Tensor, scale: str) -> Tensor:
    if scale == "htk":
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    above = KNEE * rl.exp(STEP * (mels - KNEE_MEL))
    return rl.where(mels >= KNEE_MEL, above, LINEAR * mels)


def _triangles(frequencies: Tensor, points: Tensor) -> Tensor:
    """(frequency, filter): filter k rises from point k to k + 1 and falls to k + 2."""
    widths = points[1:] - points[:-1]
    distances = points[None, :] - frequencies[:, None]
    rising = -distances[:, :-2] / widths[:-1]
    falling = distances[:, 2:] / widths[1:]
    return rl.minimum(rising, falling).clamp(min=0)


def melscale_fbanks(
    n_freqs: int, f_min: float, f_max: float, n_mels: int, sample_rate: int,
    norm: str | None = None, mel_scale: str = "htk",
) -> Tensor:  # fmt: skip
    """Triangular filters whose centres are evenly spaced in mels.

    Args:
        n_freqs: bins of the spectrogram, from 0 Hz to half the sample rate.
        norm: ``"slaney"`` gives each filter the area 1.
        mel_scale: ``"htk"`` or ``"slaney"``.
    Returns:
        (n_freqs, n_mels) float32, to multiply a spectrogram's transpose with.
    Reference:
        O'Shaughnessy 1987, "Speech Communication"; Slaney 1998, "Auditory Toolbox".
    Example:
        >>> from rushlight.audio import functional as F
        >>> F.melscale_fbanks(5, 0.0, 4000.0, 2, 8000)
        tensor([[0.0000, 0.0000],
                [0.6759, 0.3241],
                [0.0000, 0.9055],
                [0.0000, 0.4528],
                [0.0000, 0.0000]])
    """
    if norm is not None and norm != "slaney":
        raise ValueError('norm must be one of None or "slaney"')
    if mel_scale not in ("slaney", "htk"):
        raise ValueError('mel_scale should be one of "htk" or "slaney".')
    mels = rl.linspace(_mel(f_min, mel_scale), _mel(f_max, mel_scale), n_mels + 2)
    points = _hertz(mels, mel_scale)
    filters = _triangles(rl.linspace(0, sample_rate // 2, n_freqs), points)
    if norm == "slaney":
        filters = filters * (2.0 / (points[2 : n_mels + 2] - points[:n_mels]))
    if n_freqs and (filters.amax(0) == 0.0).any():
        warnings.warn(
            "At least one mel filterbank has all zero values."
            f" The value for `n_mels` ({n_mels}) may be set too high."
            f" Or, the value for `n_freqs` ({n_freqs}) may be set too low.",
            stacklevel=2,
        )
    return filters


def linear_fbanks(
    n_freqs: int, f_min: float, f_max: float, n_filter: int, sample_rate: int
) -> Tensor:
    """Triangular filters whose centres are evenly spaced in Hz.

    Returns:
        (n_freqs, n_filter) float32.
    """
    points = rl.linspace(f_min, f_max, n_filter + 2)
    return _triangles(rl.linspace(0, sample_rate // 2, n_freqs), points)


def create_dct(n_mfcc: int, n_mels: int, norm: str | None) -> Tensor:
    """The first ``n_mfcc`` vectors of the cosine transform of type 2.

    Args:
        norm: ``"ortho"`` gives them length 1.
    Returns:
        (n_mels, n_mfcc) float32.
    """
    if norm is not None and norm != "ortho":
        raise ValueError('norm must be either "ortho" or None')
    places = rl.arange(float(n_mels))[:, None] + 0.5
    vectors = rl.cos(math.pi / n_mels * places * rl.arange(float(n_mfcc)))
    if norm is None:
        return 2.0 * vectors
    first = rl.where(rl.arange(n_mfcc) == 0, 1.0 / math.sqrt(2.0), 1.0)
    return vectors * first * math.sqrt(2.0 / n_mels)
