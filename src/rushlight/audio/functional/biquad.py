"""Filters of second order by what they do: pass a band, lift the bass, ...

Reference:
    Bristow-Johnson 2005, "Cookbook formulae for audio equalizer biquad filter coefficients"; sox
    for the filters that are not in it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import rushlight as rl
from rushlight import Tensor

from .filter import lfilter

Number = float | Tensor


def biquad(
    waveform: Tensor, b0: Number, b1: Number, b2: Number, a0: Number, a1: Number, a2: Number
) -> Tensor:
    """The filter of second order with these coefficients; the result is kept in [-1, 1].

    Shape:
        waveform (*, time); output the same.
    """

    def row(*numbers: Number) -> Tensor:
        return rl.cat([_as(waveform, number).reshape(1) for number in numbers])

    return lfilter(waveform, row(a0, a1, a2), row(b0, b1, b2))


def _as(waveform: Tensor, number: Number) -> Tensor:
    return rl.as_tensor(number, dtype=waveform.dtype, device=waveform.device)


class _Angle(NamedTuple):
    """What the cookbook's formulas are made of."""

    sin: Tensor
    cos: Tensor
    alpha: Tensor


def _angle(waveform: Tensor, sample_rate: int, frequency: Number, Q: Number) -> _Angle:
    w0 = 2 * math.pi * _as(waveform, frequency) / sample_rate
    sin = rl.sin(w0)
    return _Angle(sin, rl.cos(w0), sin / 2 / _as(waveform, Q))


def lowpass_biquad(
    waveform: Tensor, sample_rate: int, cutoff_freq: Number, Q: Number = 0.707
) -> Tensor:
    """Lets frequencies below ``cutoff_freq`` Hz through."""
    _, cos, alpha = _angle(waveform, sample_rate, cutoff_freq, Q)
    b = (1 - cos) / 2
    return biquad(waveform, b, 1 - cos, b, 1 + alpha, -2 * cos, 1 - alpha)


def highpass_biquad(
    waveform: Tensor, sample_rate: int, cutoff_freq: Number, Q: Number = 0.707
) -> Tensor:
    """Lets frequencies above ``cutoff_freq`` Hz through."""
    _, cos, alpha = _angle(waveform, sample_rate, cutoff_freq, Q)
    b = (1 + cos) / 2
    return biquad(waveform, b, -1 - cos, b, 1 + alpha, -2 * cos, 1 - alpha)


def allpass_biquad(
    waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707
) -> Tensor:
    """Turns phases around ``central_freq`` Hz and leaves magnitudes."""
    _, cos, alpha = _angle(waveform, sample_rate, central_freq, Q)
    return biquad(waveform, 1 - alpha, -2 * cos, 1 + alpha, 1 + alpha, -2 * cos, 1 - alpha)


def bandpass_biquad(
    waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707,
    const_skirt_gain: bool = False,
) -> Tensor:  # fmt: skip
    """Lets a band around ``central_freq`` Hz through.

    Args:
        const_skirt_gain: the gain at the centre is Q rather than 1.
    """
    sin, cos, alpha = _angle(waveform, sample_rate, central_freq, Q)
    b = sin / 2 if const_skirt_gain else alpha
    return biquad(waveform, b, 0.0, -b, 1 + alpha, -2 * cos, 1 - alpha)


def bandreject_biquad(
    waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707
) -> Tensor:
    """Takes a band around ``central_freq`` Hz out."""
    _, cos, alpha = _angle(waveform, sample_rate, central_freq, Q)
    return biquad(waveform, 1.0, -2 * cos, 1.0, 1 + alpha, -2 * cos, 1 - alpha)


def band_biquad(
    waveform: Tensor, sample_rate: int, central_freq: Number, Q: Number = 0.707,
    noise: bool = False,
) -> Tensor:  # fmt: skip
    """Lets a band around ``central_freq`` Hz through, as sox's ``band``.

    Args:
        noise: for signals without pitch, such as drums.
    """
    centre, width = _as(waveform, central_freq), _as(waveform, Q)
    w0 = 2 * math.pi * centre / sample_rate
    a2 = rl.exp(-2 * math.pi * (centre / width) / sample_rate)
    a1 = -4 * a2 / (1 + a2) * rl.cos(w0)
    b0 = rl.sqrt(1 - a1 * a1 / (4 * a2)) * (1 - a2)
    if noise:
        b0 = rl.sqrt(((1 + a2) * (1 + a2) - a1 * a1) * (1 - a2) / (1 + a2))
    return biquad(waveform, b0, 0.0, 0.0, 1.0, a1, a2)


def equalizer_biquad(
    waveform: Tensor, sample_rate: int, center_freq: Number, gain: Number, Q: Number = 0.707
) -> Tensor:
    """Makes a band around ``center_freq`` Hz louder by ``gain`` decibels."""
    _, cos, alpha = _angle(waveform, sample_rate, center_freq, Q)
    A = _amplitude(waveform, gain)
    return biquad(
        waveform, 1 + alpha * A, -2 * cos, 1 - alpha * A, 1 + alpha / A, -2 * cos, 1 - alpha / A
    )


def _amplitude(waveform: Tensor, gain: Number) -> Tensor:
    """The root of a gain in decibels."""
    return rl.exp(_as(waveform, gain) / 40 * math.log(10))


def bass_biquad(
    waveform: Tensor, sample_rate: int, gain: Number, central_freq: Number = 100,
    Q: Number = 0.707,
) -> Tensor:  # fmt: skip
    """Makes what is below ``central_freq`` Hz louder by ``gain`` decibels."""
    return _shelf_at(waveform, sample_rate, gain, central_freq, Q, side=1)


def treble_biquad(
    waveform: Tensor, sample_rate: int, gain: Number, central_freq: Number = 3000,
    Q: Number = 0.707,
) -> Tensor:  # fmt: skip
    """Makes what is above ``central_freq`` Hz louder by ``gain`` decibels."""
    return _shelf_at(waveform, sample_rate, gain, central_freq, Q, side=-1)


def _shelf_at(
    waveform: Tensor, sample_rate: int, gain: Number, frequency: Number, Q: Number, side: int
) -> Tensor:
    _, cos, alpha = _angle(waveform, sample_rate, frequency, Q)
    A = _amplitude(waveform, gain)
    return _shelf(waveform, A, cos, 2 * rl.sqrt(A) * alpha, side)


def _shelf(waveform: Tensor, A: Number, cos: Number, slope: Number, side: int = 1) -> Tensor:
    """The cookbook's shelves: below a frequency, or, with side -1, above it.

    The second is the first seen from the other end, where z and the cosine change their signs;
    ``slope`` is the cookbook's ``2 sqrt(A) alpha``.
    """
    less, more = (A - 1) * cos * side, (A + 1) * cos * side
    b = (A * (A + 1 - less + slope), side * 2 * A * (A - 1 - more), A * (A + 1 - less - slope))
    a = (A + 1 + less + slope, side * -2 * (A - 1 + more), A + 1 + less - slope)
    return biquad(waveform, *b, *a)


# Centre in Hz, slope and gain in decibels of the emphasis on CD (IEC 60908), by sample rate.
DEEMPHASIS = {44100: (5283, 0.4845, -9.477), 48000: (5356, 0.479, -9.62)}


def deemph_biquad(waveform: Tensor, sample_rate: int) -> Tensor:
    """Takes back the emphasis of high frequencies of some CDs and DATs.

    Args:
        sample_rate: 44100 or 48000.
    """
    if sample_rate not in DEEMPHASIS:
        raise ValueError("Sample rate must be 44100 (audio-CD) or 48000 (DAT)")
    frequency, slope, gain = DEEMPHASIS[sample_rate]
    w0 = 2 * math.pi * frequency / sample_rate
    A = math.exp(gain / 40 * math.log(10))
    alpha = math.sin(w0) / 2 * math.sqrt((A + 1 / A) * (1 / slope - 1) + 2)
    return _shelf(waveform, A, math.cos(w0), 2 * math.sqrt(A) * alpha, side=-1)


# Zeros and poles of the equalisation of vinyl records, by sample rate, as in sox.
RIAA = {
    44100: ((-0.2014898, 0.9233820), (0.7083149, 0.9924091)),
    48000: ((-0.1766069, 0.9321590), (0.7396325, 0.9931330)),
    88200: ((-0.1168735, 0.9648312), (0.8590646, 0.9964002)),
    96000: ((-0.1141486, 0.9676817), (0.8699137, 0.9966946)),
}


def riaa_biquad(waveform: Tensor, sample_rate: int) -> Tensor:
    """Plays vinyl records: the RIAA curve, with gain 1 at 1000 Hz.

    Args:
        sample_rate: 44100, 48000, 88200 or 96000.
    """
    if sample_rate not in RIAA:
        raise ValueError("Sample rate must be 44.1k, 48k, 88.2k, or 96k")
    b, a = ((1.0, -(r + s), r * s) for r, s in RIAA[sample_rate])
    turn = [complex(math.cos(k * w), -math.sin(k * w)) for k in range(3)
            for w in [2 * math.pi * 1000 / sample_rate]]  # fmt: skip
    response = [abs(sum(c * z for c, z in zip(row, turn, strict=True))) for row in (b, a)]
    scale = response[1] / response[0]
    return biquad(waveform, *(number * scale for number in b), *a)
