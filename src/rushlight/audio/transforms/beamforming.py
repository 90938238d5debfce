"""Modules that make one recording of several microphones'."""

from __future__ import annotations

import warnings

import rushlight as rl
from rushlight import Tensor, nn
from rushlight.audio import functional as F
from rushlight.audio.functional.beamforming import Channel


class PSD(nn.Module):
    """The channels' cross power; see :func:`~rushlight.audio.functional.psd`.

    Args:
        multi_mask: each channel has a mask of its own, of which the mean is taken.
        normalize, eps: by the mask's sum and this.
    Shape:
        (*, channel, frequency, time), and a mask, to (*, frequency, channel, channel).
    """

    def __init__(
        self, multi_mask: bool = False, normalize: bool = True, eps: float = 1e-15
    ) -> None:
        super().__init__()
        self.multi_mask, self.normalize, self.eps = multi_mask, normalize, eps

    def forward(self, specgram: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None and self.multi_mask:
            mask = mask.mean(-3)
        return F.psd(specgram, mask, self.normalize, self.eps)


class RTFMVDR(nn.Module):
    """Filters by :func:`~rushlight.audio.functional.mvdr_weights_rtf`.

    Shape:
        (*, channel, frequency, time) to (*, frequency, time).
    """

    def forward(
        self, specgram: Tensor, rtf: Tensor, psd_n: Tensor, reference_channel: Channel,
        diagonal_loading: bool = True, diag_eps: float = 1e-7, eps: float = 1e-8,
    ) -> Tensor:  # fmt: skip
        weights = F.mvdr_weights_rtf(rtf, psd_n, reference_channel, diagonal_loading, diag_eps, eps)
        return F.apply_beamforming(weights, specgram)


class SoudenMVDR(nn.Module):
    """Filters by :func:`~rushlight.audio.functional.mvdr_weights_souden`.

    Shape:
        (*, channel, frequency, time) to (*, frequency, time).
    """

    def forward(
        self, specgram: Tensor, psd_s: Tensor, psd_n: Tensor, reference_channel: Channel,
        diagonal_loading: bool = True, diag_eps: float = 1e-7, eps: float = 1e-8,
    ) -> Tensor:  # fmt: skip
        weights = F.mvdr_weights_souden(
            psd_s, psd_n, reference_channel, diagonal_loading, diag_eps, eps
        )
        return F.apply_beamforming(weights, specgram)


class MVDR(nn.Module):
    """Filters by masks of speech and noise, which a network may have made.

    Args:
        ref_channel: the microphone whose sound of speech is kept.
        solution: ``"ref_channel"`` from both cross powers, ``"stv_evd"`` or ``"stv_power"`` from
            the transfer function by eigenvectors or by the power method.
        multi_mask: each channel has a mask of its own.
        diag_loading, diag_eps: so that the noise's power can be inverted.
        online: remember the powers of what came before.
    Shape:
        specgram (*, channel, frequency, time) complex and masks (*, frequency, time), the noise's
        by default 1 less the speech's; output (*, frequency, time). Computed in complex128.
    """

    psd_s: Tensor
    psd_n: Tensor
    mask_sum_s: Tensor
    mask_sum_n: Tensor

    def __init__(
        self, ref_channel: int = 0, solution: str = "ref_channel", multi_mask: bool = False,
        diag_loading: bool = True, diag_eps: float = 1e-7, online: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if solution not in ("ref_channel", "stv_evd", "stv_power"):
            raise ValueError(
                '`solution` must be one of ["ref_channel", "stv_evd", "stv_power"]. Given'
                f" {solution}"
            )
        self.ref_channel, self.solution, self.multi_mask = ref_channel, solution, multi_mask
        self.diag_loading, self.diag_eps, self.online = diag_loading, diag_eps, online
        self.psd = PSD(multi_mask)
        for name in ("psd_s", "psd_n", "mask_sum_s", "mask_sum_n"):
            self.register_buffer(name, rl.zeros(1))

    def forward(self, specgram: Tensor, mask_s: Tensor, mask_n: Tensor | None = None) -> Tensor:
        if specgram.ndim < 3 or not specgram.is_complex():
            raise ValueError(
                "Expected a complex tensor (..., channel, freq, time). Found:"
                f" {specgram.dtype} {tuple(specgram.shape)}"
            )
        if mask_n is None:
            warnings.warn("``mask_n`` is not provided, use ``1 - mask_s`` as ``mask_n``.")
            mask_n = 1 - mask_s
        sound = specgram.to(rl.complex128)
        speech, noise = self.psd(sound, mask_s), self.psd(sound, mask_n)
        if self.online:
            speech = self._remembered("s", speech, mask_s)
            noise = self._remembered("n", noise, mask_n)
        channel = rl.zeros(specgram.shape[:-2], dtype=rl.complex128)  # (*, channel)
        channel[..., self.ref_channel] = 1
        weights = self._weights(speech, noise, channel)
        return F.apply_beamforming(weights, sound).to(specgram.dtype)

    def _weights(self, speech: Tensor, noise: Tensor, channel: Tensor) -> Tensor:
        loading = {"diagonal_loading": self.diag_loading, "diag_eps": self.diag_eps}
        if self.solution == "ref_channel":
            return F.mvdr_weights_souden(speech, noise, channel, **loading)
        if self.solution == "stv_evd":
            rtf = F.rtf_evd(speech)
        else:
            rtf = F.rtf_power(speech, noise, channel, **loading)
        return F.mvdr_weights_rtf(rtf, noise, channel, **loading)

    def _remembered(self, kind: str, power: Tensor, mask: Tensor) -> Tensor:
        """A cross power together with those before, weighed as torchaudio weighs them."""
        mask = mask.mean(-3) if self.multi_mask else mask
        now, before = mask.sum(-1), getattr(self, f"mask_sum_{kind}")
        if getattr(self, f"psd_{kind}").ndim > 1:
            total = (before + now)[..., None, None]
            power = (getattr(self, f"psd_{kind}") * before[..., None, None] + power) / total
            now = before + now
        setattr(self, f"psd_{kind}", power)
        setattr(self, f"mask_sum_{kind}", now)
        return power
