"""Functions along the frames of a spectrogram or a wave: slopes, running means, pitch."""

from __future__ import annotations

import math

import rushlight as rl
from rushlight import Tensor
from rushlight.nn import functional as F

TINY = 1e-9


def compute_deltas(specgram: Tensor, win_length: int = 5, mode: str = "replicate") -> Tensor:
    r"""The slope of each coefficient over time, :math:`\sum_n n c_{t+n} / \sum_n n^2`.

    Args:
        win_length: frames that the slope is fitted to.
        mode: how the ends are padded, as for :func:`rushlight.nn.functional.pad`.
    Shape:
        specgram (*, time); output the same.
    Example:
        >>> import rushlight as rl
        >>> from rushlight.audio import functional as F
        >>> F.compute_deltas(rl.tensor([[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]]))
        tensor([[1.0000, 1.6000, 2.0000, 2.0000, 1.6000, 1.0000]])
    """
    if win_length < 3:
        raise ValueError(
            f"Window length should be greater than or equal to 3. Found win_length {win_length}"
        )
    n = (win_length - 1) // 2
    rows = F.pad(specgram.reshape(1, -1, specgram.shape[-1]), (n, n), mode=mode).transpose(0, 1)
    slope = rl.arange(-n, n + 1, dtype=specgram.dtype)[None, None]
    return (F.conv1d(rows, slope) / (n * (n + 1) * (2 * n + 1) / 3)).reshape(specgram.shape)


def sliding_window_cmn(
    specgram: Tensor, cmn_window: int = 600, min_cmn_window: int = 100, center: bool = False,
    norm_vars: bool = False,
) -> Tensor:  # fmt: skip
    """Each coefficient less its mean over the frames around or before it.

    Args:
        cmn_window: frames of the mean.
        min_cmn_window: how many at least at the beginning, when not ``center``.
        center: the window lies around the frame rather than before it.
        norm_vars: divide by the standard deviation, too.
    Shape:
        specgram (*, time, frequency); output the same.
    """
    frames = specgram.shape[-2]
    first, last = _windows(frames, cmn_window, min_cmn_window, center)
    count = (last - first)[:, None]

    def mean(values: Tensor) -> Tensor:  # by differences of running sums, in float64
        sums = F.pad(values.to(rl.float64).cumsum(-2), (0, 0, 1, 0))
        return (sums.index_select(-2, last) - sums.index_select(-2, first)) / count

    centre = mean(specgram)
    result = specgram - centre.to(specgram.dtype)
    if norm_vars:
        spread = (mean(specgram.square()) - centre.square()).rsqrt().to(specgram.dtype)
        result = rl.where(count == 1, 0.0, result * spread)
    return result


def _windows(frames: int, window: int, least: int, center: bool) -> tuple[Tensor, Tensor]:
    """The first frame of each frame's window and the one after its last."""
    here = rl.arange(frames)
    if center:
        first = (here - window // 2).clamp(min=0)
        last = first + window
    else:
        first = (here - window).clamp(min=0)
        last = (here + 1).clamp(min=least)
    beyond = (last - frames).clamp(min=0)  # at the end windows keep their length if they can
    return (first - beyond).clamp(min=0), last - beyond


def detect_pitch_frequency(
    waveform: Tensor, sample_rate: int, frame_time: float = 10 ** (-2), win_length: int = 30,
    freq_low: int = 85, freq_high: int = 3400,
) -> Tensor:  # fmt: skip
    """The pitch of each frame in Hz: where the signal is most like itself, a little later.

    Args:
        frame_time: seconds of a frame.
        win_length: frames of the median that smooths the result.
        freq_low, freq_high: the pitches looked for.
    Shape:
        waveform (*, time); output (*, frames).
    """
    likeness = _likeness(waveform, sample_rate, frame_time, freq_low)
    shortest = math.ceil(sample_rate / freq_high)
    lags = _best_lag(likeness, shortest)
    pad = (win_length - 1) // 2
    lags = rl.cat([lags[..., :1].expand(*lags.shape[:-1], pad), lags], -1)
    smooth = lags.unfold(-1, win_length, 1).median(-1).values
    return sample_rate / (TINY + smooth.to(rl.float32))


def _likeness(waveform: Tensor, sample_rate: int, frame_time: float, lowest: int) -> Tensor:
    """(*, frame, lag): the normalised correlation with what is 1, 2, ... samples later."""
    lags, size = math.ceil(sample_rate / lowest), math.ceil(sample_rate * frame_time)
    frames = math.ceil(waveform.shape[-1] / size)
    padded = F.pad(waveform, (0, lags + frames * size - waveform.shape[-1]))
    shifted = padded.unfold(-1, size + lags, size).unfold(-1, size, 1)  # (*, frame, lag, sample)
    here, later = shifted[..., :1, :], shifted[..., 1:, :]

    def power(part: Tensor) -> Tensor:
        return (TINY + rl.linalg.vector_norm(part, dim=-1)).square()

    return (here * later).sum(-1) / power(here) / power(later)


def _best_lag(likeness: Tensor, shortest: int) -> Tensor:
    """The most alike lag; a shorter one, if nearly as good, since twice a period is one, too."""
    best, at = likeness[..., shortest:].max(-1)
    short, short_at = likeness[..., shortest : likeness.shape[-1] // 2].max(-1)
    return rl.where(short > 0.99 * best, short_at, at) + shortest + 1
