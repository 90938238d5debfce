"""Modules that make features of spectrograms: mel bands, decibels, cepstra."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.audio import functional as F

from .spectrum import Spectrogram, WindowFunction


def _along_frequency(specgram: Tensor, matrix: Tensor) -> Tensor:
    """(*, frequency, time) by (frequency, result) is (*, result, time)."""
    return (specgram.transpose(-1, -2) @ matrix).transpose(-1, -2)


class AmplitudeToDB(nn.Module):
    """Decibels of energies or amplitudes.

    Args:
        stype: ``"power"`` for energies, ``"magnitude"`` for amplitudes.
        top_db: how far below a spectrogram's largest value others may be.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import transforms as T
        >>> T.AmplitudeToDB()(rl.tensor([[1.0, 0.1]]))
        tensor([[  0., -10.]])
    """

    def __init__(self, stype: str = "power", top_db: float | None = None) -> None:
        super().__init__()
        if top_db is not None and top_db < 0:
            raise ValueError("top_db must be positive value")
        self.stype, self.top_db = stype, top_db
        self.multiplier = 10.0 if stype == "power" else 20.0
        self.amin, self.ref_value = 1e-10, 1.0
        self.db_multiplier = math.log10(max(self.amin, self.ref_value))

    def forward(self, x: Tensor) -> Tensor:
        return F.amplitude_to_DB(x, self.multiplier, self.amin, self.db_multiplier, self.top_db)


class MelScale(nn.Module):
    """A spectrogram's bins gathered into mel bands.

    Args:
        n_mels: bands.
        f_min, f_max: from where to where they reach, in Hz; half the sample rate by default.
        n_stft: bins of the spectrogram.
        norm, mel_scale: as for :func:`~rushlight.audio.functional.melscale_fbanks`.
    Shape:
        (*, n_stft, frames) to (*, n_mels, frames).
    """

    fb: Tensor

    def __init__(
        self, n_mels: int = 128, sample_rate: int = 16000, f_min: float = 0.0,
        f_max: float | None = None, n_stft: int = 201, norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_mels, self.sample_rate, self.n_stft = n_mels, sample_rate, n_stft
        self.f_min, self.f_max = f_min, float(sample_rate // 2) if f_max is None else f_max
        self.norm, self.mel_scale = norm, mel_scale
        if f_min > self.f_max:
            raise ValueError(f"Require f_min: {f_min} <= f_max: {self.f_max}")
        bank = F.melscale_fbanks(n_stft, f_min, self.f_max, n_mels, sample_rate, norm, mel_scale)
        self.register_buffer("fb", bank)

    def forward(self, specgram: Tensor) -> Tensor:
        return _along_frequency(specgram, self.fb)


class InverseMelScale(MelScale):
    """The spectrogram that comes nearest to given mel bands, negative values made 0.

    Args:
        n_stft: bins of the spectrogram.
        driver: what LAPACK solves it with: gels, gelsy, gelsd, gelss.
    Shape:
        (*, n_mels, frames) to (*, n_stft, frames).
    """

    def __init__(
        self, n_stft: int, n_mels: int = 128, sample_rate: int = 16000, f_min: float = 0.0,
        f_max: float | None = None, norm: str | None = None, mel_scale: str = "htk",
        driver: str = "gels",
    ) -> None:  # fmt: skip
        super().__init__(n_mels, sample_rate, f_min, f_max or None, n_stft, norm, mel_scale)
        if driver not in ("gels", "gelsy", "gelsd", "gelss"):
            raise ValueError(
                f'driver must be one of ["gels", "gelsy", "gelsd", "gelss"]. Found {driver}.'
            )
        self.driver = driver

    def forward(self, melspec: Tensor) -> Tensor:
        *lead, bands, frames = melspec.shape
        if bands != self.n_mels:
            raise ValueError(f"Expected an input with {self.n_mels} mel bins. Found: {bands}")
        columns = melspec.reshape(-1, bands, frames)
        bank = self.fb.t().expand(len(columns), -1, -1)
        nearest = rl.linalg.lstsq(bank, columns, driver=self.driver).solution
        return nearest.relu().reshape(*lead, self.n_stft, frames)


class MelSpectrogram(nn.Module):
    """A wave's spectrogram in mel bands.

    Args:
        sample_rate: samples a second.
        n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs, center,
            pad_mode: as for :class:`Spectrogram`.
        n_mels, f_min, f_max, norm, mel_scale: as for :class:`MelScale`.
    Shape:
        (*, time) to (*, n_mels, frames).
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import transforms as T
        >>> T.MelSpectrogram(8000, n_fft=256, n_mels=20)(rl.ones(1, 2000)).shape
        torch.Size([1, 20, 16])
    """

    def __init__(
        self, sample_rate: int = 16000, n_fft: int = 400, win_length: int | None = None,
        hop_length: int | None = None, f_min: float = 0.0, f_max: float | None = None,
        pad: int = 0, n_mels: int = 128, window_fn: WindowFunction = rl.hann_window,
        power: float = 2.0, normalized: bool | str = False,
        wkwargs: Mapping[str, Any] | None = None, center: bool = True,
        pad_mode: str = "reflect", onesided: bool | None = None, norm: str | None = None,
        mel_scale: str = "htk",
    ) -> None:  # fmt: skip
        super().__init__()
        if onesided is not None:
            warnings.warn(
                "Argument 'onesided' has been deprecated and has no influence on the behavior of"
                " this module.",
                stacklevel=2,
            )
        self.spectrogram = Spectrogram(
            n_fft, win_length, hop_length, pad, window_fn, power, normalized, wkwargs, center,
            pad_mode,
        )  # fmt: skip
        self.mel_scale = MelScale(
            n_mels, sample_rate, f_min, f_max, n_fft // 2 + 1, norm, mel_scale
        )
        self.sample_rate, self.n_mels, self.n_fft = sample_rate, n_mels, n_fft
        self.win_length, self.hop_length = self.spectrogram.win_length, self.spectrogram.hop_length
        self.pad, self.power, self.normalized = pad, power, normalized
        self.f_min, self.f_max = f_min, f_max

    def forward(self, waveform: Tensor) -> Tensor:
        return self.mel_scale(self.spectrogram(waveform))


class _Cepstrum(nn.Module):
    """The cosine transform of the logarithms of bands. Abstract.

    Args:
        log: plain logarithms rather than decibels within 80 of the largest.
    """

    dct_mat: Tensor

    def __init__(
        self, coefficients: int, bands: int, dct_type: int, norm: str | None, log: bool
    ) -> None:
        super().__init__()
        if dct_type != 2:
            raise ValueError(f"DCT type not supported: {dct_type}")
        self.dct_type, self.norm, self.top_db, self._log = dct_type, norm, 80.0, log
        self.amplitude_to_DB = AmplitudeToDB("power", self.top_db)
        self.register_buffer("dct_mat", F.create_dct(coefficients, bands, norm))

    def bands(self, waveform: Tensor) -> Tensor:
        """The energies (*, band, frames)."""
        raise NotImplementedError

    def forward(self, waveform: Tensor) -> Tensor:
        energies = self.bands(waveform)
        logs = rl.log(energies + 1e-6) if self._log else self.amplitude_to_DB(energies)
        return _along_frequency(logs, self.dct_mat)


class MFCC(_Cepstrum):
    """Mel-frequency cepstral coefficients.

    Args:
        n_mfcc: coefficients kept.
        norm: of the cosine transform, ``"ortho"`` or None.
        log_mels: plain logarithms rather than decibels.
        melkwargs: arguments of :class:`MelSpectrogram` by name.
    Shape:
        (*, time) to (*, n_mfcc, frames).
    Reference:
        Davis & Mermelstein 1980, "Comparison of parametric representations for monosyllabic word
        recognition".
    """

    def __init__(
        self, sample_rate: int = 16000, n_mfcc: int = 40, dct_type: int = 2,
        norm: str | None = "ortho", log_mels: bool = False,
        melkwargs: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        mel = MelSpectrogram(sample_rate=sample_rate, **(melkwargs or {}))
        if n_mfcc > mel.n_mels:
            raise ValueError("Cannot select more MFCC coefficients than # mel bins")
        super().__init__(n_mfcc, mel.n_mels, dct_type, norm, log_mels)
        self.sample_rate, self.n_mfcc, self.log_mels = sample_rate, n_mfcc, log_mels
        self.MelSpectrogram = mel

    def bands(self, waveform: Tensor) -> Tensor:
        return self.MelSpectrogram(waveform)


class LFCC(_Cepstrum):
    """Cepstral coefficients of bands that are evenly spaced in Hz.

    Args:
        n_filter: bands, from ``f_min`` to ``f_max`` Hz.
        n_lfcc: coefficients kept.
        norm, log_lf: as for :class:`MFCC`.
        speckwargs: arguments of :class:`Spectrogram` by name.
    Shape:
        (*, time) to (*, n_lfcc, frames).
    """

    filter_mat: Tensor

    def __init__(
        self, sample_rate: int = 16000, n_filter: int = 128, f_min: float = 0.0,
        f_max: float | None = None, n_lfcc: int = 40, dct_type: int = 2,
        norm: str | None = "ortho", log_lf: bool = False,
        speckwargs: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        spectrogram = Spectrogram(**(speckwargs or {}))
        if n_lfcc > spectrogram.n_fft:
            raise ValueError("Cannot select more LFCC coefficients than # fft bins")
        super().__init__(n_lfcc, n_filter, dct_type, norm, log_lf)
        self.sample_rate, self.n_filter, self.n_lfcc = sample_rate, n_filter, n_lfcc
        self.f_min, self.f_max = f_min, float(sample_rate // 2) if f_max is None else f_max
        self.log_lf = log_lf
        self.Spectrogram = spectrogram
        bank = F.linear_fbanks(spectrogram.n_fft // 2 + 1, f_min, self.f_max, n_filter, sample_rate)
        self.register_buffer("filter_mat", bank)

    def bands(self, waveform: Tensor) -> Tensor:
        return _along_frequency(self.Spectrogram(waveform), self.filter_mat)
