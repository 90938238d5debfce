"""Modules between waves and spectrograms."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.audio import functional as F

WindowFunction = Callable[..., Tensor]


class Framed(nn.Module):
    """What looks at a wave through a window, or at what such a look gave. Abstract.

    Args:
        n_fft: samples of a frame.
        win_length: samples of the window in its middle; all by default.
        hop_length: samples from one frame to the next; half a window by default.
        window_fn, wkwargs: what makes the window, and its arguments by name.
    """

    window: Tensor

    def __init__(
        self, n_fft: int, win_length: int | None, hop_length: int | None,
        window_fn: WindowFunction, wkwargs: Mapping[str, Any] | None, hops: int = 2,
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_fft = n_fft
        self.win_length = n_fft if win_length is None else win_length
        self.hop_length = self.win_length // hops if hop_length is None else hop_length
        self.register_buffer("window", window_fn(self.win_length, **(wkwargs or {})))

    @property
    def frame(self) -> tuple[int, int, int]:
        """The three lengths in the order in which functions take them."""
        return self.n_fft, self.hop_length, self.win_length


class Spectrogram(Framed):
    """A wave's spectrogram; see :func:`~rushlight.audio.functional.spectrogram`.

    Shape:
        (*, time) to (*, n_fft // 2 + 1, frames).
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import transforms as T
        >>> T.Spectrogram(n_fft=64)(rl.ones(2, 256)).shape
        torch.Size([2, 33, 9])
    """

    def __init__(
        self, n_fft: int = 400, win_length: int | None = None, hop_length: int | None = None,
        pad: int = 0, window_fn: WindowFunction = rl.hann_window, power: float | None = 2.0,
        normalized: bool | str = False, wkwargs: Mapping[str, Any] | None = None,
        center: bool = True, pad_mode: str = "reflect", onesided: bool = True,
        return_complex: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.pad, self.power, self.normalized = pad, power, normalized
        self.center, self.pad_mode, self.onesided = center, pad_mode, onesided
        if return_complex is not None:
            warnings.warn(F.spectrum.DEPRECATED, stacklevel=2)

    def forward(self, waveform: Tensor) -> Tensor:
        return F.spectrogram(
            waveform, self.pad, self.window, *self.frame, self.power, self.normalized,
            self.center, self.pad_mode, self.onesided,
        )  # fmt: skip


class InverseSpectrogram(Framed):
    """The wave of a complex spectrogram.

    Shape:
        (*, n_fft // 2 + 1, frames) complex, and optionally the length wanted, to (*, time).
    """

    def __init__(
        self, n_fft: int = 400, win_length: int | None = None, hop_length: int | None = None,
        pad: int = 0, window_fn: WindowFunction = rl.hann_window, normalized: bool | str = False,
        wkwargs: Mapping[str, Any] | None = None, center: bool = True,
        pad_mode: str = "reflect", onesided: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.pad, self.normalized = pad, normalized
        self.center, self.pad_mode, self.onesided = center, pad_mode, onesided

    def forward(self, spectrogram: Tensor, length: int | None = None) -> Tensor:
        return F.inverse_spectrogram(
            spectrogram, length, self.pad, self.window, *self.frame, self.normalized,
            self.center, self.pad_mode, self.onesided,
        )  # fmt: skip


class GriffinLim(Framed):
    """A wave from magnitudes alone; see :func:`~rushlight.audio.functional.griffinlim`.

    Shape:
        (*, n_fft // 2 + 1, frames) to (*, time).
    """

    def __init__(
        self, n_fft: int = 400, n_iter: int = 32, win_length: int | None = None,
        hop_length: int | None = None, window_fn: WindowFunction = rl.hann_window,
        power: float = 2.0, wkwargs: Mapping[str, Any] | None = None, momentum: float = 0.99,
        length: int | None = None, rand_init: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in the range [0, 1). Found: {momentum}")
        self.n_iter, self.power, self.momentum = n_iter, power, momentum
        self.length, self.rand_init = length, rand_init

    def forward(self, specgram: Tensor) -> Tensor:
        return F.griffinlim(
            specgram, self.window, *self.frame, self.power, self.n_iter, self.momentum,
            self.length, self.rand_init,
        )  # fmt: skip


class SpectralCentroid(Framed):
    """The mean frequency of each frame in Hz.

    Shape:
        (*, time) to (*, frames).
    """

    def __init__(
        self, sample_rate: int, n_fft: int = 400, win_length: int | None = None,
        hop_length: int | None = None, pad: int = 0,
        window_fn: WindowFunction = rl.hann_window, wkwargs: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(n_fft, win_length, hop_length, window_fn, wkwargs)
        self.sample_rate, self.pad = sample_rate, pad

    def forward(self, waveform: Tensor) -> Tensor:
        return F.spectral_centroid(waveform, self.sample_rate, self.pad, self.window, *self.frame)


class TimeStretch(nn.Module):
    """A complex spectrogram played faster or slower at its pitch.

    Args:
        hop_length: of the spectrogram; ``n_freq - 1`` by default.
        n_freq: its bins.
        fixed_rate: how many times as fast; None to say so at each call.
    """

    phase_advance: Tensor

    def __init__(
        self, hop_length: int | None = None, n_freq: int = 201, fixed_rate: float | None = None
    ) -> None:
        super().__init__()
        self.fixed_rate = fixed_rate
        hop = n_freq - 1 if hop_length is None else hop_length
        self.register_buffer("phase_advance", rl.linspace(0, math.pi * hop, n_freq)[:, None])

    def forward(self, complex_specgrams: Tensor, overriding_rate: float | None = None) -> Tensor:
        if not complex_specgrams.is_complex():
            raise TypeError("TimeStretch takes complex spectrograms: Spectrogram(power=None)")
        rate = self.fixed_rate if overriding_rate is None else overriding_rate
        if rate is None:
            raise ValueError(
                "If no fixed_rate is specified, must pass a valid rate to the forward method."
            )
        return F.phase_vocoder(complex_specgrams, rate, self.phase_advance)
