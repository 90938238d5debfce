"""Effects, as in sox: overdrive, phaser, flanger, dither and others."""

from __future__ import annotations

import math

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F

from .filter import lfilter
from .taps import delayed, fed_back


def contrast(waveform: Tensor, enhancement_amount: float = 75.0) -> Tensor:
    """Louder without being clipped.

    Args:
        enhancement_amount: 0 to 100.
    """
    if not 0 <= enhancement_amount <= 100:
        raise ValueError("Allowed range of values for enhancement_amount : 0-100")
    turn = waveform * (math.pi / 2)
    return rl.sin(turn + enhancement_amount / 750.0 * rl.sin(turn * 4))


def dcshift(waveform: Tensor, shift: float, limiter_gain: float | None = None) -> Tensor:
    """A constant added; the result is in [-1, 1].

    Args:
        limiter_gain: how much of what comes near the edge is kept, such as 0.05, so that peaks are
            squeezed instead of clipped.
    """
    moved = (waveform + shift).clamp(-1, 1)
    if limiter_gain is None or shift == 0:
        return moved
    side = math.copysign(1.0, shift)  # the edge that the signal is moved to
    edge = 1.0 - (abs(shift) - limiter_gain)
    outer = waveform * side
    squeezed = (outer - edge) * limiter_gain / (1 - edge) + edge + abs(shift)
    return rl.where(outer > edge, side * squeezed.clamp(max=edge), moved)


def overdrive(waveform: Tensor, gain: float = 20, colour: float = 20) -> Tensor:
    """Distorts, with even harmonics.

    Args:
        gain: decibels of the distortion.
        colour: 0 to 100, how uneven it is.
    Shape:
        waveform (*, time); output the same.
    """
    driven = waveform * math.exp(gain * math.log(10) / 20) + colour / 200
    held = driven.clamp(-1, 1)
    bent = held - held**3 / 3
    a = rl.tensor([1.0, -0.995], dtype=waveform.dtype)
    b = rl.tensor([1.0, -1.0], dtype=waveform.dtype)
    without_offset = lfilter(bent, a, b, clamp=False)
    return (waveform * 0.5 + without_offset * 0.75).clamp(-1, 1)


def _wave(shape: str, size: int, low: float, high: float, phase: float) -> np.ndarray:
    """One period of a sine or triangle between two values, as float64."""
    point = (np.arange(size) + int(phase / math.pi / 2 * size + 0.5)) % size
    if shape == "sinusoidal":
        unit = (np.sin(point / size * 2 * math.pi) + 1) / 2
    else:
        ramp, quarter = point * 2 / size, 4 * point // size
        unit = np.choose(quarter, [ramp + 0.5, 1.5 - ramp, 1.5 - ramp, ramp - 1.5])
    return unit * (high - low) + low


def phaser(
    waveform: Tensor, sample_rate: int, gain_in: float = 0.4, gain_out: float = 0.74,
    delay_ms: float = 3.0, decay: float = 0.4, mod_speed: float = 0.5, sinusoidal: bool = True,
) -> Tensor:  # fmt: skip
    """Adds an echo whose delay goes up and down.

    Args:
        gain_in, gain_out: amplification before and after.
        delay_ms: the longest delay, milliseconds.
        decay: how strong the echo is.
        mod_speed: how often the delay changes, Hz; ``sinusoidal`` or in a triangle.
    Shape:
        waveform (channel, time); output the same.
    """
    signals = waveform.reshape(1, -1, waveform.shape[-1]) * gain_in
    longest, T = int(delay_ms * 0.001 * sample_rate + 0.5), waveform.shape[-1]
    shape = "sinusoidal" if sinusoidal else "triangular"
    table = _wave(shape, int(sample_rate / mod_speed + 0.5), 1.0, longest, math.pi / 2)
    places = np.floor(table + 0.5).astype(np.int64)[np.arange(T) % len(table)]
    delays = np.broadcast_to(longest + 1 - places, (1, signals.shape[1], T))
    y = fed_back(signals, delays, np.full(delays.shape, decay)) * gain_out
    return y.clamp(-1, 1).reshape(waveform.shape)


def flanger(
    waveform: Tensor, sample_rate: int, delay: float = 0.0, depth: float = 2.0,
    regen: float = 0.0, width: float = 71.0, speed: float = 0.5, phase: float = 25.0,
    modulation: str = "sinusoidal", interpolation: str = "linear",
) -> Tensor:  # fmt: skip
    """Mixes a signal with itself a little later, by a delay that goes up and down.

    Args:
        delay, depth: the shortest delay and by how much it grows, milliseconds.
        regen, width: percent of the delayed signal that is fed back, and mixed in.
        speed: how often the delay changes, Hz.
        phase: percent of a period between one channel and the next.
        modulation: ``"sinusoidal"`` or ``"triangular"``.
        interpolation: between samples, ``"linear"`` or ``"quadratic"``.
    Shape:
        waveform (*, channel, time), up to 4 channels; output the same.
    """
    if modulation not in ("sinusoidal", "triangular"):
        raise ValueError('Only "sinusoidal" or "triangular" modulation allowed')
    if interpolation not in ("linear", "quadratic"):
        raise ValueError('Only "linear" or "quadratic" interpolation allowed')
    if waveform.shape[-2] > 4:
        raise ValueError("Max 4 channels allowed")
    x = waveform.reshape(-1, *waveform.shape[-2:])
    C, T = x.shape[1:]
    size = int((delay + depth) / 1000 * sample_rate + 0.5) + 2
    low = math.floor(delay / 1000 * sample_rate + 0.5)
    table = _wave(modulation, int(sample_rate / speed), low, size - 2.0, 3 * math.pi / 2)
    offset = (np.arange(C) * len(table) * phase / 100 + 0.5).astype(np.int64)
    time = table.astype(np.float32)[(np.arange(T) + offset[:, None]) % len(table)]  # (C, T)
    whole, part = np.floor(time).astype(np.int64), (time % 1).astype(np.float64)
    weights = _between(part, interpolation)
    delays = np.stack([(whole + k) % size for k in range(len(weights))])
    kept, mixed = regen / 100, width / 100
    heard = x
    if kept:
        before = ((0, 0), (0, 0), (1, 0))
        heard = fed_back(
            x, np.pad(delays[..., :-1] + 1, before, constant_values=T + 1),
            np.pad(kept * weights[..., :-1], before),
        )  # fmt: skip
    late = delayed(heard, delays, weights)
    y = x / (1 + mixed) + late * (mixed / (1 + mixed) * (1 - abs(kept)))
    return y.clamp(-1, 1).reshape(waveform.shape)


def _between(part: np.ndarray, interpolation: str) -> np.ndarray:
    """The weights of the two or three samples around a place between them."""
    if interpolation == "linear":
        return np.stack([1 - part, part])
    square = part * part
    second = 0.5 * square - 0.5 * part
    first = 2 * part - square
    return np.stack([1 - first - second, first, second])


DITHER_BITS = 16


def dither(waveform: Tensor, density_function: str = "TPDF", noise_shaping: bool = False) -> Tensor:
    """Rounds a signal to 16 bits with noise, so that what is lost is heard less.

    Args:
        density_function: ``"TPDF"`` adds a triangle, ``"RPDF"`` a sample, ``"GPDF"`` the sum of
            seven samples, each drawn from the signal.
        noise_shaping: move the error to higher frequencies.
    Shape:
        waveform (*, time); output the same.
    """
    steps = 2 ** (DITHER_BITS - 1)
    flat = waveform.reshape(-1)
    if density_function == "TPDF":
        noise = rl.bartlett_window(waveform.shape[-1], dtype=waveform.dtype)
    else:
        drawn = flat[rl.randint(len(flat), (7 if density_function == "GPDF" else 1,))]
        noise = drawn.sum() if density_function == "GPDF" else drawn[0] - 0.5
    rounded = rl.round(waveform * (steps - 2) + noise) / steps
    if noise_shaping:
        error = rounded - waveform
        rounded = rounded + F.pad(error, (1, 0))[..., :-1]
    return rounded
