"""Other sample rates: by a windowed sinc, and what is made of it."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F

from .spectrum import phase_vocoder

OLDER = {"sinc_interpolation": "sinc_interp_hann", "kaiser_window": "sinc_interp_kaiser"}
KAISER_BETA = 14.769656459379492  # a stop band of 140 dB, as kaiser_best in resampy


class Rates(NamedTuple):
    """Two sample rates without their common divisor."""

    old: int
    new: int

    @classmethod
    def of(cls, old: float, new: float) -> Rates:
        """Rates in Hz.

        Raises:
            ValueError: one is not a positive whole number.
        """
        if old <= 0 or new <= 0:
            raise ValueError("Original frequency and desired frequency should be positive")
        if int(old) != old or int(new) != new:
            raise ValueError(
                f"Frequencies must be whole numbers, got {old} and {new}: keep their ratio and"
                " multiply both, such as 44100 and 5512.5 to 88200 and 11025"
            )
        common = math.gcd(int(old), int(new))
        return cls(int(old) // common, int(new) // common)

    def length(self, samples: Tensor) -> Tensor:
        """How many samples there are at the new rate."""
        return rl.ceil(samples * self.new / self.old).to(samples.dtype)


class Kernel(NamedTuple):
    """The filters (new, 1, taps), one for each place between two old samples, and their reach."""

    taps: Tensor
    reach: int


def sinc_kernel(
    rates: Rates, lowpass_filter_width: int = 6, rolloff: float = 0.99,
    resampling_method: str = "sinc_interp_hann", beta: float | None = None,
    dtype: rl.dtype | None = None,
) -> Kernel:  # fmt: skip
    """The filters that :func:`resample` uses.

    Args:
        dtype: what they are computed in; None for float64, rounded to float32 in the end.
    Reference:
        Smith 1984, "Digital audio resampling", ccrma.stanford.edu/~jos/resample.
    """
    if resampling_method in OLDER:
        better = OLDER[resampling_method]
        warnings.warn(f'"{resampling_method}" is now called "{better}"', stacklevel=3)
        resampling_method = better
    if resampling_method not in OLDER.values():
        raise ValueError(f"Invalid resampling method: {resampling_method}")
    if lowpass_filter_width <= 0:
        raise ValueError("Low pass filter width should be positive.")
    width, cutoff = lowpass_filter_width, min(rates) * rolloff
    reach = math.ceil(width * rates.old / cutoff)
    kind = dtype or rl.float64
    places = rl.arange(-reach, reach + rates.old, dtype=kind)[None, None] / rates.old
    starts = rl.arange(0, -rates.new, -1, dtype=kind)[:, None, None] / rates.new
    t = ((starts + places) * cutoff).clamp(-width, width)
    if resampling_method == "sinc_interp_hann":
        window = rl.cos(t * math.pi / width / 2) ** 2
    else:
        b = rl.tensor(KAISER_BETA if beta is None else float(beta), dtype=kind)
        window = rl.i0(b * rl.sqrt(1 - (t / width) ** 2)) / rl.i0(b)
    taps = rl.sinc(t) * window * (cutoff / rates.old)
    return Kernel(taps if dtype else taps.to(rl.float32), reach)


def resampled(waveform: Tensor, rates: Rates, kernel: Kernel) -> Tensor:
    """A signal through :func:`sinc_kernel`'s filters."""
    if not waveform.is_floating_point():
        raise TypeError(
            f"Expected floating point type for waveform tensor, but received {waveform.dtype}."
        )
    length = waveform.shape[-1]
    signals = waveform.reshape(math.prod(waveform.shape[:-1]), 1, length)
    padded = F.pad(signals, (kernel.reach, kernel.reach + rates.old))
    new = F.conv1d(padded, kernel.taps, stride=rates.old)  # (signal, place, step)
    wanted = -(-rates.new * length // rates.old)
    new = new.transpose(1, 2).reshape(len(signals), -1)[:, :wanted]
    return new.reshape(*waveform.shape[:-1], wanted)


def resample(
    waveform: Tensor, orig_freq: int, new_freq: int, lowpass_filter_width: int = 6,
    rolloff: float = 0.99, resampling_method: str = "sinc_interp_hann",
    beta: float | None = None,
) -> Tensor:  # fmt: skip
    """A signal at another sample rate.

    Args:
        lowpass_filter_width: zeros of the sinc on each side; more is sharper.
        rolloff: where the filter ends, in parts of the highest frequency that is possible.
        resampling_method: ``"sinc_interp_hann"`` or ``"sinc_interp_kaiser"``.
        beta: of Kaiser's window.
    Shape:
        waveform (*, time); output (*, ceil(time * new_freq / orig_freq)).
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.resample(rl.ones(1, 16000), 16000, 8000).shape
        torch.Size([1, 8000])
    """
    rates = Rates.of(orig_freq, new_freq)
    if rates.old == rates.new:
        return waveform
    kernel = sinc_kernel(
        rates, lowpass_filter_width, rolloff, resampling_method, beta, waveform.dtype
    )
    return resampled(waveform, rates, kernel)


def speed(
    waveform: Tensor, orig_freq: int, factor: float, lengths: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """A signal played ``factor`` times as fast, its pitch with it.

    Args:
        lengths: (*), samples of each signal that count.
    Returns:
        The signals and their lengths, None for None.
    Reference:
        Ko et al. 2015, "Audio augmentation for speech recognition".
    """
    rates = Rates.of(int(factor * orig_freq), int(orig_freq))
    new_lengths = None if lengths is None else rates.length(lengths)
    return resample(waveform, rates.old, rates.new), new_lengths


def pitch_shift(
    waveform: Tensor, sample_rate: int, n_steps: int, bins_per_octave: int = 12,
    n_fft: int = 512, win_length: int | None = None, hop_length: int | None = None,
    window: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A signal ``n_steps`` higher and as long as before: stretched in time, then resampled.

    Shape:
        waveform (*, time); output the same.
    """
    if window is None:
        window = rl.hann_window(win_length or n_fft, device=waveform.device)
    rate = pitch_rate(n_steps, bins_per_octave)
    slow = stretched(waveform, rate, n_fft, hop_length or n_fft // 4, win_length or n_fft, window)
    return fitted(resample(slow, int(sample_rate / rate), sample_rate), waveform)


def pitch_rate(n_steps: int, bins_per_octave: int) -> float:
    """How many times as fast is that many steps lower."""
    return 2.0 ** (-float(n_steps) / bins_per_octave)


def stretched(
    waveform: Tensor, rate: float, n_fft: int, hop_length: int, win_length: int, window: Tensor
) -> Tensor:
    """A signal ``rate`` times as fast at its pitch: (*, time) to (signals, time / rate)."""
    signals = waveform.reshape(-1, waveform.shape[-1])
    columns = rl.stft(signals, n_fft, hop_length, win_length, window=window, return_complex=True)
    advance = rl.linspace(0, math.pi * hop_length, columns.shape[-2])[:, None]
    return rl.istft(
        phase_vocoder(columns, rate, advance), n_fft, hop_length, win_length, window=window,
        length=round(waveform.shape[-1] / rate),
    )  # fmt: skip


def fitted(signals: Tensor, like: Tensor) -> Tensor:
    """Signals cut or padded at the end to another's length, in its shape."""
    length = like.shape[-1]
    return F.pad(signals[..., :length], (0, max(0, length - signals.shape[-1]))).reshape(like.shape)
