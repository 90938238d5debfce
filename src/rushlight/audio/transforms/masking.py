"""Modules that hide parts of spectrograms."""

from __future__ import annotations

from rushlight import Tensor, nn
from rushlight.audio import functional as F


class _AxisMasking(nn.Module):
    """Hides a stretch along one axis. Abstract."""

    axis: int  # of a spectrogram with channels: 1 frequency, 2 time

    def __init__(self, mask_param: int, iid_masks: bool, p: float = 1.0) -> None:
        super().__init__()
        self.mask_param, self.iid_masks, self.p = mask_param, iid_masks, p

    def forward(self, specgram: Tensor, mask_value: float | Tensor = 0.0) -> Tensor:
        mask = F.mask_along_axis_iid if self.iid_masks else F.mask_along_axis
        return mask(specgram, self.mask_param, mask_value, self.axis + specgram.ndim - 3, p=self.p)


class FrequencyMasking(_AxisMasking):
    """Hides a band of frequencies.

    Args:
        freq_mask_param: it is narrower than this.
        iid_masks: another one for each spectrogram and channel.
    Shape:
        (*, frequency, time) to the same.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import transforms as T
        >>> _ = rl.manual_seed(0)
        >>> T.FrequencyMasking(4)(rl.ones(1, 8, 5)).shape
        torch.Size([1, 8, 5])
    """

    axis = 1

    def __init__(self, freq_mask_param: int, iid_masks: bool = False) -> None:
        super().__init__(freq_mask_param, iid_masks)


class TimeMasking(_AxisMasking):
    """Hides a stretch of time.

    Args:
        time_mask_param: it is shorter than this.
        iid_masks: another one for each spectrogram and channel.
        p: the largest part of the time that may be hidden.
    Shape:
        (*, frequency, time) to the same.
    """

    axis = 2

    def __init__(self, time_mask_param: int, iid_masks: bool = False, p: float = 1.0) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"The value of p must be between 0.0 and 1.0 ({p} given).")
        super().__init__(time_mask_param, iid_masks, p)


class SpecAugment(nn.Module):
    """Hides several stretches of time and bands of frequencies.

    Args:
        n_time_masks, time_mask_param: how many of time, and how long at most.
        n_freq_masks, freq_mask_param: how many of frequency, and how wide at most.
        iid_masks: others for each spectrogram and channel.
        p: the largest part of an axis that a mask may hide.
        zero_masking: fill with 0 rather than with the mean.
    Shape:
        (*, frequency, time) to the same.
    Reference:
        Park et al. 2019, "SpecAugment", arXiv:1904.08779.
    """

    def __init__(
        self, n_time_masks: int, time_mask_param: int, n_freq_masks: int, freq_mask_param: int,
        iid_masks: bool = True, p: float = 1.0, zero_masking: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_time_masks, self.time_mask_param = n_time_masks, time_mask_param
        self.n_freq_masks, self.freq_mask_param = n_freq_masks, freq_mask_param
        self.iid_masks, self.p, self.zero_masking = iid_masks, p, zero_masking

    def forward(self, specgram: Tensor) -> Tensor:
        fill = 0.0 if self.zero_masking else specgram.mean()
        each = self.iid_masks and specgram.ndim > 2
        mask = F.mask_along_axis_iid if each else F.mask_along_axis
        time = specgram.ndim - 1
        masks = [(self.time_mask_param, time)] * self.n_time_masks
        masks += [(self.freq_mask_param, time - 1)] * self.n_freq_masks
        for longest, axis in masks:
            specgram = mask(specgram, longest, fill, axis, p=self.p)
        return specgram
