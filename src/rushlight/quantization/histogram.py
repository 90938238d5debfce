"""The observer that cuts off what costs more in resolution than it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np

import rushlight as rl
from rushlight.base.quantum import QuantizedType, Scheme, per_tensor_affine, quint8
from rushlight.nn.quantized.arithmetic import EPS
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor

from .observer import Partial, UniformQuantizationObserverBase

STEP = 1e-5
"""The share of numbers by which the ends move inward."""


class HistogramObserver(UniformQuantizationObserverBase):
    """Counts numbers in bins, and finds the range whose bytes are least wrong in the square.

    Args:
        bins: how many.
        upsample_rate: taken for PyTorch's sake; bins are divided exactly here.
    Shape:
        input (*) float32.
    Reference:
        The search is that of Caffe2 and PyTorch: from both ends inward, by equal shares of what
        was counted, for as long as the squared error falls. Where a wider range comes, what was
        counted is spread evenly over the new bins.
    Example:
        >>> import rushlight as rl
        >>> observer = rl.quantization.HistogramObserver()
        >>> x = observer(rl.linspace(-1, 1, 1000))
        >>> observer.calculate_qparams()[1]
        tensor([128], dtype=torch.int32)
    """

    def __init__(
        self, bins: int = 2048, dtype: QuantizedType = quint8, qscheme: Scheme = per_tensor_affine,
        reduce_range: bool = False, quant_min: int | None = None, quant_max: int | None = None,
        eps: float = EPS, is_dynamic: bool = False, upsample_rate: int = 16, **keywords: Any,
    ) -> None:  # fmt: skip
        if qscheme.per_channel:
            raise NotImplementedError(
                "HistogramObserver's qscheme only support torch.per_tensor_symmetric and"
                " torch.per_tensor_affine."
            )
        super().__init__(
            dtype, qscheme, reduce_range, quant_min, quant_max, eps, is_dynamic, **keywords
        )
        self.bins = bins
        self.register_buffer("histogram", rl.zeros(bins))
        self.register_buffer("min_val", rl.tensor(float("inf")))
        self.register_buffer("max_val", rl.tensor(float("-inf")))

    def forward(self, x_orig: Tensor) -> Any:
        if x_orig.numel():
            self.__dict__.pop("known", None)
            self._see(array_of(x_orig).astype(np.float32, copy=False).ravel())
        return x_orig

    def _see(self, x: np.ndarray) -> None:
        low, high = float(x.min()), float(x.max())
        old_low, old_high = self.min_val.item(), self.max_val.item()
        if (old_low, old_high) == (np.inf, -np.inf):  # nothing has passed before
            old_low, old_high = low, high
        if not np.isfinite([low, high, old_low, old_high]).all():
            self._hold(np.zeros(self.bins), float("nan"), float("nan"))
            return
        whole_low, whole_high = min(low, old_low), max(high, old_high)
        counts = array_of(self.histogram).astype(np.float64)
        if (whole_low, whole_high) != (old_low, old_high):
            counts = self._spread(counts, (old_low, old_high), (whole_low, whole_high))
        if whole_low == whole_high:
            counts[0] += x.size
        else:
            counts = counts + self._counted(x, whole_low, whole_high)
        self._hold(counts, whole_low, whole_high)

    def _counted(self, x: np.ndarray, low: float, high: float) -> np.ndarray:
        """How many numbers lie in each bin. In float64, where any range of float32 has bins."""
        places = (x.astype(np.float64) - low) * (self.bins / (high - low))
        return np.bincount(np.minimum(places.astype(np.int64), self.bins - 1), minlength=self.bins)

    def _hold(self, counts: np.ndarray, low: float, high: float) -> None:
        self.histogram = rl.tensor(counts.astype(np.float32))
        self.min_val, self.max_val = rl.tensor(low), rl.tensor(high)

    def _spread(
        self, counts: np.ndarray, old: tuple[float, float], new: tuple[float, float]
    ) -> np.ndarray:
        """Counts in the bins of a wider range, taken to lie evenly in their old ones."""
        if old[0] == old[1]:
            return counts.sum() * self._counted(np.array(old[:1]), *new)
        edges = np.linspace(*new, self.bins + 1)
        below = np.interp(
            edges, np.linspace(*old, self.bins + 1), np.concatenate([[0], np.cumsum(counts)])
        )
        return np.diff(below)

    def calculate_qparams(self, **keywords: Any) -> tuple[Tensor, Tensor]:
        """Scale (float32) and zero point (int32), one number each."""
        least, most = self.min_val, self.max_val
        low, high = least.item(), most.item()
        if low < high:
            low, high = self._searched(array_of(self.histogram).astype(np.float64), low, high)
            least, most = rl.tensor(low), rl.tensor(high)
        return self.found(least, most)

    def _searched(self, counts: np.ndarray, low: float, high: float) -> tuple[float, float]:
        """The best range."""
        width = (high - low) / self.bins
        share = np.cumsum(counts) / counts.sum()
        alpha, beta, start, end = 0.0, 1.0, 0, self.bins - 1
        least = np.inf
        while alpha < beta:
            left = max(start, int(np.searchsorted(share, alpha + STEP)))
            right = min(end, int(np.searchsorted(share, beta - STEP, "right")) - 1)
            if left - start > end - right:
                next_start, next_end, alpha = left, end, alpha + STEP
            else:
                next_start, next_end, beta = start, right, beta - STEP
            if (next_start, next_end) == (start, end):
                # Nothing moves before the share at the end has been passed.
                beta = min(beta, float(share[end]))
                continue
            if next_start >= next_end:
                break
            error = self._error(counts, next_start, next_end, width)
            if error > least:
                break
            least, start, end = error, next_start, next_end
        return low + width * start, low + width * (end + 1)

    def _error(self, counts: np.ndarray, start: int, end: int, width: float) -> float:
        """The squared error of all that was counted if bytes cover the bins from start to end."""
        top = self.quant_max - self.quant_min
        step = width * (end - start + 1) / top
        if step == 0:
            return 0.0
        begin = (np.arange(self.bins) - start) * width
        return float((counts / width * _squares(begin, begin + width, step, top)).sum())


def _squares(begin: np.ndarray, end: np.ndarray, step: float, top: int) -> np.ndarray:
    """The integral of the squared distance to the nearest of ``0, step, ..., top * step``."""

    def up_to(x: np.ndarray) -> np.ndarray:
        nearest = np.clip(np.rint(x / step), 0, top)
        # Whole cells below each take step**3 / 12; below the first level there is one side only.
        cells = nearest * step**3 / 12
        return cells + (x - nearest * step) ** 3 / 3

    return up_to(end) - up_to(begin)


default_histogram_observer: Partial = HistogramObserver.with_args(quant_min=0, quant_max=127)
