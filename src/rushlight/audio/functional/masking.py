"""Parts of spectrograms hidden, so that a model learns to do without them.

Reference:
    Park et al. 2019, "SpecAugment", arXiv:1904.08779.
"""

from __future__ import annotations

import rushlight as rl
from rushlight import Tensor


def mask_along_axis_iid(
    specgrams: Tensor, mask_param: int, mask_value: float | Tensor, axis: int, p: float = 1.0
) -> Tensor:
    """Hides a stretch of each spectrogram and channel, drawn for each by itself.

    Args:
        mask_param: the stretch is shorter than this.
        mask_value: what it is filled with.
        axis: frequency or time, one of the last two dimensions.
        p: the largest part of the axis that may be hidden.
    Shape:
        specgrams (*, frequency, time) of at least 3 dimensions; output the same.
    """
    _check(specgrams, axis, p, least=3)
    return _masked(specgrams, mask_param, mask_value, axis, p, specgrams.shape[:-2])


def mask_along_axis(
    specgram: Tensor, mask_param: int, mask_value: float | Tensor, axis: int, p: float = 1.0
) -> Tensor:
    """Hides one stretch, the same in all spectrograms and channels.

    Args:
        mask_param, mask_value, axis, p: as for :func:`mask_along_axis_iid`.
    Shape:
        specgram (*, frequency, time); output the same.
    """
    _check(specgram, axis, p, least=2)
    return _masked(specgram, mask_param, mask_value, axis, p, (1,) * (specgram.ndim - 2))


def _check(specgrams: Tensor, axis: int, p: float, least: int) -> None:
    dim = specgrams.ndim
    if dim < least:
        count = {2: "two", 3: "three"}[least]
        raise ValueError(f"Spectrogram must have at least {count} dimensions ({dim} given).")
    if axis not in (dim - 2, dim - 1):
        raise ValueError(
            "Only Frequency and Time masking are supported"
            f" (axis {dim - 2} and axis {dim - 1} supported; {axis} given)."
        )
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"The value of p must be between 0.0 and 1.0 ({p} given).")


def _masked(
    specgrams: Tensor, longest: int, fill: float | Tensor, axis: int, p: float,
    drawn: tuple[int, ...],
) -> Tensor:  # fmt: skip
    size = specgrams.shape[axis]
    longest = longest if p == 1.0 else min(longest, int(size * p))
    if longest < 1:
        return specgrams
    length = rl.rand(drawn) * longest
    start = (rl.rand(drawn) * (size - length)).long()[..., None, None]
    end = start + length.long()[..., None, None]
    places = rl.arange(size)
    places = places[:, None] if axis == specgrams.ndim - 2 else places
    return rl.where((places >= start) & (places < end), fill, specgrams)
