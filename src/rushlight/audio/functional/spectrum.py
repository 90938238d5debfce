"""Spectrograms: to them, back from them, and stretched in time."""

from __future__ import annotations

import math
import warnings

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F

DEPRECATED = (
    "`return_complex` argument is now deprecated and is not effective. A spectrogram with"
    " power=None is always complex. Please remove the argument in the function call."
)


def spectrogram(
    waveform: Tensor, pad: int, window: Tensor, n_fft: int, hop_length: int, win_length: int,
    power: float | None, normalized: bool | str, center: bool = True, pad_mode: str = "reflect",
    onesided: bool = True, return_complex: bool | None = None,
) -> Tensor:  # fmt: skip
    r"""The magnitudes of the short-time Fourier transform, ``|STFT| ** power``.

    Args:
        pad: zeros put on both sides of the signal first.
        power: 1 for magnitudes, 2 for energies, None for the complex transform itself.
        normalized: ``"window"`` or True divides by the root of the window's energy,
            ``"frame_length"`` by the root of ``n_fft``.
        center, pad_mode, onesided: as for :func:`rushlight.stft`.
    Shape:
        waveform (*, time); output (*, n_fft // 2 + 1, frames), or ``n_fft`` rows when not onesided.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.spectrogram(rl.ones(8), 0, rl.ones(4), 4, 4, 4, 2.0, False)[:, 1]
        tensor([16.,  0.,  0.])
    """
    if return_complex is not None:
        warnings.warn(DEPRECATED, stacklevel=2)
    by_length, by_window = _norms(normalized)
    if pad > 0:
        waveform = F.pad(waveform, (pad, pad))
    columns = rl.stft(
        waveform.reshape(-1, waveform.shape[-1]), n_fft, hop_length, win_length, window=window,
        center=center, pad_mode=pad_mode, normalized=by_length, onesided=onesided,
        return_complex=True,
    )  # fmt: skip
    columns = columns.reshape(waveform.shape[:-1] + columns.shape[-2:])
    if by_window:
        columns = columns / window.pow(2.0).sum().sqrt()
    if power is None:
        return columns
    if power == 2.0:  # no root to be squared again
        return rl.view_as_real(columns).square().sum(-1)
    return columns.abs() if power == 1.0 else columns.abs().pow(power)


def inverse_spectrogram(
    spectrogram: Tensor, length: int | None, pad: int, window: Tensor, n_fft: int,
    hop_length: int, win_length: int, normalized: bool | str, center: bool = True,
    pad_mode: str = "reflect", onesided: bool = True,
) -> Tensor:  # fmt: skip
    """The signal of a complex spectrogram; undoes :func:`spectrogram` with ``power=None``.

    Args:
        length: samples of the signal, without its padding; None for what the frames give.
    Shape:
        spectrogram (*, frequency, frames) complex; output (*, time).
    Raises:
        ValueError: the spectrogram is not complex.
    """
    by_length, by_window = _norms(normalized)
    if not spectrogram.is_complex():
        raise ValueError("Expected `spectrogram` to be complex dtype.")
    if by_window:
        spectrogram = spectrogram * window.pow(2.0).sum().sqrt()
    signal = rl.istft(
        spectrogram.reshape(-1, *spectrogram.shape[-2:]), n_fft, hop_length, win_length,
        window=window, center=center, normalized=by_length, onesided=onesided,
        length=None if length is None else length + 2 * pad,
    )  # fmt: skip
    if length is not None and pad > 0:
        signal = signal[:, pad:-pad]
    return signal.reshape(spectrogram.shape[:-2] + signal.shape[-1:])


def _norms(normalized: bool | str) -> tuple[bool, bool]:
    """Whether to divide by the root of the frame's length, and by that of the window's energy."""
    if isinstance(normalized, bool):
        return False, normalized
    if not isinstance(normalized, str):
        raise TypeError("Input type not supported")
    if normalized not in ("frame_length", "window"):
        raise ValueError(f"Invalid normalized parameter: {normalized}")
    return normalized == "frame_length", normalized == "window"


def griffinlim(
    specgram: Tensor, window: Tensor, n_fft: int, hop_length: int, win_length: int, power: float,
    n_iter: int, momentum: float, length: int | None, rand_init: bool,
) -> Tensor:  # fmt: skip
    """A signal whose magnitudes are nearly those given: phases are guessed, again and again.

    Args:
        power: what the magnitudes were raised to.
        momentum: how far each guess goes on in the direction of the last; 0 is Griffin and Lim's.
        rand_init: begin with random phases rather than with 0.
    Shape:
        specgram (*, n_fft // 2 + 1, frames); output (*, time).
    Reference:
        Griffin & Lim 1984, "Signal estimation from modified short-time Fourier transform";
        Perraudin et al. 2013, "A fast Griffin-Lim algorithm", for the momentum.
    """
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be in range [0, 1). Found: {momentum}")
    lead = specgram.shape[:-2]
    magnitudes = specgram.reshape(-1, *specgram.shape[-2:]).pow(1 / power)
    kind = rl.complex128 if magnitudes.dtype == rl.float64 else rl.complex64
    start = rl.rand if rand_init else rl.ones
    phases = start(magnitudes.shape, dtype=kind, device=specgram.device)

    def signal(phases: Tensor) -> Tensor:
        return rl.istft(
            magnitudes * phases, n_fft, hop_length, win_length, window=window, length=length
        )

    before: Tensor | float = 0.0
    for _ in range(n_iter):
        rebuilt = rl.stft(
            signal(phases), n_fft, hop_length, win_length, window=window, return_complex=True
        )
        guess = rebuilt - before * (momentum / (1 + momentum)) if momentum else rebuilt
        phases = guess / (guess.abs() + 1e-16)
        before = rebuilt
    result = signal(phases)
    return result.reshape(lead + result.shape[-1:])


def phase_vocoder(complex_specgrams: Tensor, rate: float, phase_advance: Tensor) -> Tensor:
    """A spectrogram played ``rate`` times as fast with the pitch that it has.

    Args:
        phase_advance: (frequency, 1), by how much each bin's phase is expected to turn in a hop.
    Shape:
        complex_specgrams (*, frequency, frames); output (*, frequency, ceil(frames / rate)).
    Reference:
        Flanagan & Golden 1966, "Phase vocoder".
    """
    if rate == 1.0:
        return complex_specgrams
    frames = complex_specgrams.shape[-1]
    real = rl.view_as_real(complex_specgrams[..., :1]).dtype
    times = rl.arange(0, frames, rate, dtype=real, device=complex_specgrams.device)
    part = times % 1.0
    padded = F.pad(complex_specgrams, (0, 2))
    here = padded.index_select(-1, times.long())
    next_ = padded.index_select(-1, (times + 1).long())
    turn = next_.angle() - here.angle() - phase_advance
    turn = turn - 2 * math.pi * rl.round(turn / (2 * math.pi)) + phase_advance
    phase = rl.cat([complex_specgrams[..., :1].angle(), turn[..., :-1]], dim=-1).cumsum(-1)
    return rl.polar(part * next_.abs() + (1 - part) * here.abs(), phase)


def spectral_centroid(
    waveform: Tensor, sample_rate: int, pad: int, window: Tensor, n_fft: int, hop_length: int,
    win_length: int,
) -> Tensor:  # fmt: skip
    """The mean frequency of each frame in Hz, weighted by the magnitudes.

    Shape:
        waveform (*, time); output (*, frames).
    """
    magnitudes = spectrogram(
        waveform, pad, window, n_fft, hop_length, win_length, power=1.0, normalized=False
    )
    hertz = rl.linspace(0, sample_rate // 2, 1 + n_fft // 2, device=magnitudes.device)
    return (hertz[:, None] * magnitudes).sum(-2) / magnitudes.sum(-2)
