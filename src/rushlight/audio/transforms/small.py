"""Modules that only carry a function's arguments."""

from __future__ import annotations

from inspect import signature

from rushlight import Tensor, nn
from rushlight.audio import functional as F
from rushlight.audio.functional.convolution import check_mode


class MuLawEncoding(nn.Module):
    """Samples in [-1, 1] as int64 below ``quantization_channels``, by the mu law."""

    def __init__(self, quantization_channels: int = 256) -> None:
        super().__init__()
        self.quantization_channels = quantization_channels

    def forward(self, x: Tensor) -> Tensor:
        return F.mu_law_encoding(x, self.quantization_channels)


class MuLawDecoding(nn.Module):
    """Undoes :class:`MuLawEncoding`."""

    def __init__(self, quantization_channels: int = 256) -> None:
        super().__init__()
        self.quantization_channels = quantization_channels

    def forward(self, x_mu: Tensor) -> Tensor:
        return F.mu_law_decoding(x_mu, self.quantization_channels)


class ComputeDeltas(nn.Module):
    """Slopes over time; see :func:`~rushlight.audio.functional.compute_deltas`."""

    def __init__(self, win_length: int = 5, mode: str = "replicate") -> None:
        super().__init__()
        self.win_length, self.mode = win_length, mode

    def forward(self, specgram: Tensor) -> Tensor:
        return F.compute_deltas(specgram, self.win_length, self.mode)


class SlidingWindowCmn(nn.Module):
    """Coefficients less their running means; see
    :func:`~rushlight.audio.functional.sliding_window_cmn`."""

    def __init__(
        self, cmn_window: int = 600, min_cmn_window: int = 100, center: bool = False,
        norm_vars: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.cmn_window, self.min_cmn_window = cmn_window, min_cmn_window
        self.center, self.norm_vars = center, norm_vars

    def forward(self, specgram: Tensor) -> Tensor:
        return F.sliding_window_cmn(
            specgram, self.cmn_window, self.min_cmn_window, self.center, self.norm_vars
        )


class Loudness(nn.Module):
    """Loudness in LKFS: (*, channel, time) to (*)."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def forward(self, waveform: Tensor) -> Tensor:
        return F.loudness(waveform, self.sample_rate)


class Preemphasis(nn.Module):
    """``y[t] = x[t] - coeff * x[t - 1]``."""

    def __init__(self, coeff: float = 0.97) -> None:
        super().__init__()
        self.coeff = coeff

    def forward(self, waveform: Tensor) -> Tensor:
        return F.preemphasis(waveform, self.coeff)


class Deemphasis(nn.Module):
    """``y[t] = x[t] + coeff * y[t - 1]``."""

    def __init__(self, coeff: float = 0.97) -> None:
        super().__init__()
        self.coeff = coeff

    def forward(self, waveform: Tensor) -> Tensor:
        return F.deemphasis(waveform, self.coeff)


class AddNoise(nn.Module):
    """A wave and noise, ``snr`` decibels apart: (*, time), (*, time) and (*) to (*, time)."""

    def forward(
        self, waveform: Tensor, noise: Tensor, snr: Tensor, lengths: Tensor | None = None
    ) -> Tensor:
        return F.add_noise(waveform, noise, snr, lengths)


class Convolve(nn.Module):
    """Two waves convolved, by definition.

    Args:
        mode: ``"full"``, ``"valid"`` or ``"same"``.
    """

    def __init__(self, mode: str = "full") -> None:
        check_mode(mode)
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return F.convolve(x, y, self.mode)


class FFTConvolve(nn.Module):
    """Two waves convolved, by spectra; see :class:`Convolve`."""

    def __init__(self, mode: str = "full") -> None:
        check_mode(mode)
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return F.fftconvolve(x, y, self.mode)


class RNNTLoss(nn.Module):
    """The loss of a transducer; see :func:`~rushlight.audio.functional.rnnt_loss`."""

    def __init__(
        self, blank: int = -1, clamp: float = -1.0, reduction: str = "mean",
        fused_log_softmax: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.blank, self.clamp, self.reduction = blank, clamp, reduction
        self.fused_log_softmax = fused_log_softmax

    def forward(
        self, logits: Tensor, targets: Tensor, logit_lengths: Tensor, target_lengths: Tensor
    ) -> Tensor:
        return F.rnnt_loss(
            logits, targets, logit_lengths, target_lengths, self.blank, self.clamp,
            self.reduction, self.fused_log_softmax,
        )  # fmt: skip


class Vad(nn.Module):
    """A recording from where somebody begins to speak.

    Args:
        kwargs: those of :func:`~rushlight.audio.functional.vad`.
    """

    def __init__(self, sample_rate: int, *args: float, **kwargs: float | None) -> None:
        super().__init__()
        bound = signature(F.vad).bind(None, sample_rate, *args, **kwargs)
        bound.apply_defaults()
        self.arguments = {k: v for k, v in bound.arguments.items() if k != "waveform"}

    def forward(self, waveform: Tensor) -> Tensor:
        return F.vad(waveform, **self.arguments)
