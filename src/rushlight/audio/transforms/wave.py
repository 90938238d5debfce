"""Modules on waves, and the small ones that only carry a function's arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.audio import functional as F
from rushlight.audio.functional import resampling as R

from .spectrum import Framed, WindowFunction


class Resample(nn.Module):
    """A wave at another sample rate; the filter is worked out once.

    Args:
        orig_freq, new_freq: rates in Hz.
        resampling_method, lowpass_filter_width, rolloff, beta: as for
            :func:`~rushlight.audio.functional.resample`.
        dtype: what the filter is computed in; float64, then float32, by default.
    Shape:
        (*, time) to (*, ceil(time * new_freq / orig_freq)).
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import transforms as T
        >>> T.Resample(44100, 16000)(rl.ones(2, 44100)).shape
        torch.Size([2, 16000])
    """

    kernel: Tensor

    def __init__(
        self, orig_freq: int = 16000, new_freq: int = 16000,
        resampling_method: str = "sinc_interp_hann", lowpass_filter_width: int = 6,
        rolloff: float = 0.99, beta: float | None = None, *, dtype: rl.dtype | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.orig_freq, self.new_freq = orig_freq, new_freq
        self.rates = R.Rates.of(orig_freq, new_freq)
        if self.rates.old != self.rates.new:
            kernel, self.width = R.sinc_kernel(
                self.rates, lowpass_filter_width, rolloff, resampling_method, beta, dtype
            )
            self.register_buffer("kernel", kernel)

    def forward(self, waveform: Tensor) -> Tensor:
        if self.rates.old == self.rates.new:
            return waveform
        return R.resampled(waveform, self.rates, R.Kernel(self.kernel, self.width))


class Speed(nn.Module):
    """A wave played ``factor`` times as fast, and its length.

    Shape:
        (*, time), and lengths (*) or None, to the same two.
    """

    def __init__(self, orig_freq: int, factor: float) -> None:
        super().__init__()
        self.orig_freq, self.factor = orig_freq, factor
        self.rates = R.Rates.of(int(factor * orig_freq), int(orig_freq))
        self.resampler = Resample(self.rates.old, self.rates.new)

    def forward(
        self, waveform: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        new_lengths = None if lengths is None else self.rates.length(lengths)
        return self.resampler(waveform), new_lengths


class SpeedPerturbation(nn.Module):
    """:class:`Speed` by one of several factors, drawn anew for every call."""

    def __init__(self, orig_freq: int, factors: Sequence[float]) -> None:
        super().__init__()
        self.speeders = nn.ModuleList(Speed(orig_freq, factor) for factor in factors)

    def forward(
        self, waveform: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return self.speeders[int(rl.randint(len(self.speeders), ()))](waveform, lengths)


class PitchShift(Framed):
    """A wave ``n_steps`` higher and as long as before.

    Args:
        bins_per_octave: steps of an octave.
        n_fft, win_length, hop_length, window_fn, wkwargs: of the spectrogram that is stretched;
            the hop is a quarter of the window by default.
    Shape:
        (*, time) to the same.
    """

    def __init__(
        self, sample_rate: int, n_steps: int, bins_per_octave: int = 12, n_fft: int = 512,
        win_length: int | None = None, hop_length: int | None = None,
        window_fn: WindowFunction = rl.hann_window, wkwargs: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs, hops=4)
        self.sample_rate, self.n_steps, self.bins_per_octave = sample_rate, n_steps, bins_per_octave
        self.rate = R.pitch_rate(n_steps, bins_per_octave)
        self.resampler = Resample(int(sample_rate / self.rate), sample_rate)

    def forward(self, waveform: Tensor) -> Tensor:
        slow = R.stretched(waveform, self.rate, *self.frame, self.window)
        return R.fitted(self.resampler(slow), waveform)


def _even(x: Tensor) -> Tensor:
    return x


# From silence at 0 to all of the sound at 1.
SHAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": _even,
    "exponential": lambda x: rl.pow(2.0, x - 1) * x,
    "logarithmic": lambda x: rl.log10(0.1 + x) + 1,
    "quarter_sine": lambda x: rl.sin(x * math.pi / 2),
    "half_sine": lambda x: rl.sin(x * math.pi - math.pi / 2) / 2 + 0.5,
}


class Fade(nn.Module):
    """Fades in and out.

    Args:
        fade_in_len, fade_out_len: samples.
        fade_shape: ``"linear"``, ``"exponential"``, ``"logarithmic"``, ``"quarter_sine"`` or
            ``"half_sine"``.
    Shape:
        (*, time) to the same.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import transforms as T
        >>> T.Fade(fade_in_len=3)(rl.ones(5))
        tensor([0.0000, 0.5000, 1.0000, 1.0000, 1.0000])
    """

    def __init__(
        self, fade_in_len: int = 0, fade_out_len: int = 0, fade_shape: str = "linear"
    ) -> None:
        super().__init__()
        if fade_shape not in SHAPES:
            raise ValueError(f"fade_shape must be one of {list(SHAPES)}, got {fade_shape!r}")
        self.fade_in_len, self.fade_out_len, self.fade_shape = fade_in_len, fade_out_len, fade_shape

    def forward(self, waveform: Tensor) -> Tensor:
        length = waveform.shape[-1]
        begin, end = (
            self._weights(length, self.fade_in_len),
            self._weights(length, self.fade_out_len),
        )
        return begin * end.flip(0) * waveform

    def _weights(self, length: int, fading: int) -> Tensor:
        rising = SHAPES[self.fade_shape](rl.linspace(0, 1, fading))
        return rl.cat([rising, rl.ones(length - fading)]).clamp(0, 1)


class Vol(nn.Module):
    """Another volume; the result is in [-1, 1].

    Args:
        gain: a factor of amplitudes or of energies, or decibels, as ``gain_type`` says:
            ``"amplitude"``, ``"power"`` or ``"db"``.
    Shape:
        (*) to the same.
    """

    def __init__(self, gain: float, gain_type: str = "amplitude") -> None:
        super().__init__()
        self.gain, self.gain_type = gain, gain_type
        if gain_type in ("amplitude", "power") and gain < 0:
            raise ValueError("If gain_type = amplitude or power, gain must be positive.")

    def forward(self, waveform: Tensor) -> Tensor:
        if self.gain_type == "amplitude":
            waveform = waveform * self.gain
        elif self.gain_type == "db":
            waveform = F.gain(waveform, self.gain)
        elif self.gain_type == "power":
            waveform = waveform * math.sqrt(self.gain)
        return waveform.clamp(-1, 1)
