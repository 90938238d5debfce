"""Observers: modules that see tensors pass and tell by which scale they would become bytes."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, ClassVar

import numpy as np

import rushlight as rl
from rushlight import nn
from rushlight.base.quantum import (
    QuantizedType,
    Scheme,
    per_channel_affine,
    per_channel_symmetric,
    per_tensor_affine,
    per_tensor_symmetric,
    qint8,
    quint8,
)
from rushlight.nn.quantized.arithmetic import EPS
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor

AFFINE = (per_tensor_affine, per_tensor_symmetric, per_channel_affine, per_channel_symmetric)


class Partial:
    """A class with some of its arguments, to be called for each layer; ``with_args`` adds more."""

    def __init__(self, made: partial[Any]) -> None:
        self.p = made

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.p(*args, **keywords)

    def with_args(self, **keywords: Any) -> Partial:
        """The same with more arguments."""
        return Partial(partial(self.p, **keywords))

    def __repr__(self) -> str:
        return repr(self.p)


class ObserverBase(nn.Module):
    """A module that hands tensors on and learns their range. Abstract.

    Attributes:
        dtype: what tensors are to become.
        where: the layer that it belongs to, for messages.
    """

    def __init__(self, dtype: Any, is_dynamic: bool = False) -> None:
        super().__init__()
        self.dtype = dtype
        self.is_dynamic = is_dynamic
        self.where = ""

    @classmethod
    def with_args(cls, **keywords: Any) -> Partial:
        """The class with some of its arguments, to be called for each layer."""
        return Partial(partial(cls, **keywords))

    def calculate_qparams(self, **keywords: Any) -> Any:
        """Scale and zero point."""
        raise NotImplementedError


class UniformQuantizationObserverBase(ObserverBase):
    """What observers of ranges share. Abstract.

    Args:
        dtype: ``torch.quint8`` or ``torch.qint8``.
        qscheme: whether each channel has a scale, and whether 0 is in the middle.
        reduce_range: whether one bit is left unused, as processors need whose sums saturate; ours
            do not.
        quant_min, quant_max: another range of bytes.
        eps: the least scale.
    Raises:
        ValueError: another type or scheme, or a range without 0.
    """

    def __init__(
        self, dtype: QuantizedType = quint8, qscheme: Scheme = per_tensor_affine,
        reduce_range: bool = False, quant_min: int | None = None, quant_max: int | None = None,
        eps: float = EPS, is_dynamic: bool = False, **keywords: Any,
    ) -> None:  # fmt: skip
        super().__init__(dtype, is_dynamic)
        if keywords:
            raise TypeError(f"{type(self).__name__} has no argument {sorted(keywords)[0]!r}")
        if dtype not in (qint8, quint8):
            raise ValueError(f"Default Observer only works for qint8 and quint8 here, not {dtype}")
        if qscheme not in AFFINE:
            raise ValueError(f"{qscheme} is no scheme of an observer")
        if reduce_range and dtype is quint8 and qscheme is per_tensor_symmetric:
            raise NotImplementedError("Cannot reduce range for symmetric quantization for quint8")
        self.qscheme, self.reduce_range, self.eps = qscheme, reduce_range, eps
        self.has_customized_qrange = quant_min is not None and quant_max is not None
        self.quant_min, self.quant_max = self._range(quant_min, quant_max)

    def _range(self, low: int | None, high: int | None) -> tuple[int, int]:
        if low is not None and high is not None:
            if low > 0 or high < 0:
                raise ValueError("Used-specified quantization range must include 0.")
            if low >= high:
                raise ValueError(
                    "qmin must be less than qmax for user-specified quantization range."
                )
            return low, high
        low, high = self.dtype.low, self.dtype.high
        return (low // 2, high // 2) if self.reduce_range else (low, high)

    def found(self, least: Tensor, most: Tensor) -> tuple[Tensor, Tensor]:
        """Scale (float32) and zero point (int32) for a range."""
        low, high = (np.atleast_1d(array_of(x)) for x in (least, most))
        place = f" at {self.where}" if self.where else ""
        if (low == np.inf).any():
            warnings.warn(
                f"must run observer before calling calculate_qparams{place}. Returning default"
                " values.",
                stacklevel=3,
            )
            return rl.ones(1), rl.zeros(1, dtype=rl.int32)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise ValueError(
                f"what was observed{place} has NaN or infinity in it ({low.min()} to {high.max()}),"
                " for which there is no scale. Look for it in the calibration data, or quantise"
                " without this layer."
            )
        scale, zero = self._scales(np.minimum(low, 0), np.maximum(high, 0))
        return rl.tensor(scale.astype(np.float32)), rl.tensor(zero.astype(np.int32))

    def _scales(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        steps, eps = np.float32(self.quant_max - self.quant_min), np.float32(self.eps)
        if self.qscheme.symmetric:
            scale = np.maximum(np.maximum(-low, high) / (steps / np.float32(2)), eps)
            middle = 128
            if self.has_customized_qrange:
                middle = (self.quant_min + self.quant_max) // 2
            zero = np.full(scale.shape, middle if self.dtype is quint8 else 0)
            return scale, zero
        with np.errstate(over="ignore"):
            scale = np.maximum((high - low) / steps, eps)
        scale = np.where(np.isfinite(scale), scale, high / steps - low / steps)
        zero = self.quant_min - np.rint(low / scale).astype(np.int64)
        return scale, np.clip(zero, self.quant_min, self.quant_max)

    def quantum(self) -> tuple[Tensor, Tensor]:
        """Scale and zero as layers hold them; the same tensors for all that ask."""
        if "known" not in self.__dict__:
            scale, zero = self.calculate_qparams()
            self.__dict__["known"] = scale.reshape(()), zero.reshape(()).to(self.dtype.bytes)
        return self.__dict__["known"]  # type: ignore[no-any-return]


class MinMaxObserver(UniformQuantizationObserverBase):
    """The least and the greatest number that passed.

    Shape:
        input (*) float32.
    Reference:
        Jacob et al. 2018, arXiv:1712.05877, section 3.
    Example:
        >>> import rushlight as rl
        >>> observer = rl.quantization.MinMaxObserver()
        >>> x = observer(rl.tensor([-1.0, 4.1]))
        >>> observer.calculate_qparams()
        (tensor([0.0200]), tensor([50], dtype=torch.int32))
    """

    per_channel: ClassVar[bool] = False
    min_val: Tensor
    max_val: Tensor

    def __init__(
        self, dtype: QuantizedType = quint8, qscheme: Scheme = per_tensor_affine,
        reduce_range: bool = False, quant_min: int | None = None, quant_max: int | None = None,
        eps: float = EPS, is_dynamic: bool = False, **keywords: Any,
    ) -> None:  # fmt: skip
        if qscheme.per_channel is not self.per_channel:
            kinds = "per_channel" if self.per_channel else "per_tensor"
            raise NotImplementedError(
                f"{type(self).__name__}'s qscheme only support torch.{kinds}_symmetric and"
                f" torch.{kinds}_affine."
            )
        super().__init__(
            dtype, qscheme, reduce_range, quant_min, quant_max, eps, is_dynamic, **keywords
        )
        self.reset_min_max_vals()

    def reset_min_max_vals(self) -> None:
        """Forgets what passed."""
        self.__dict__.pop("known", None)
        self.register_buffer("min_val", rl.tensor(float("inf")))
        self.register_buffer("max_val", rl.tensor(float("-inf")))

    def forward(self, x_orig: Tensor) -> Any:
        if x_orig.numel():
            self.__dict__.pop("known", None)
            with rl.no_grad():
                self._see(x_orig.detach().to(rl.float32))
        return x_orig

    def _see(self, x: Tensor) -> None:
        least, most = self._ends(x)
        self.min_val = rl.minimum(self.min_val, least)
        self.max_val = rl.maximum(self.max_val, most)

    def _ends(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return rl.aminmax(x)  # type: ignore[return-value]

    def calculate_qparams(self, **keywords: Any) -> tuple[Tensor, Tensor]:
        """Scale (float32) and zero point (int32), of one number or one for each channel."""
        return self.found(self.min_val, self.max_val)

    def extra_repr(self) -> str:
        return f"min_val={_shown(self.min_val)}, max_val={_shown(self.max_val)}"


def _shown(x: Tensor) -> Any:
    return x.item() if not x.ndim else x


class MovingAverageMinMaxObserver(MinMaxObserver):
    """Running means of the least and the greatest number.

    Args:
        averaging_constant: the part of each new range.
    """

    def __init__(
        self, averaging_constant: float = 0.01, dtype: QuantizedType = quint8,
        qscheme: Scheme = per_tensor_affine, reduce_range: bool = False,
        quant_min: int | None = None, quant_max: int | None = None, eps: float = EPS,
        is_dynamic: bool = False, **keywords: Any,
    ) -> None:  # fmt: skip
        self.averaging_constant = averaging_constant
        super().__init__(
            dtype, qscheme, reduce_range, quant_min, quant_max, eps, is_dynamic, **keywords
        )

    def _see(self, x: Tensor) -> None:
        least, most = self._ends(x)
        if self.min_val.shape != least.shape or self.min_val.isinf().all().item():
            self.min_val, self.max_val = least, most
            return
        part = self.averaging_constant
        self.min_val = self.min_val + part * (least - self.min_val)
        self.max_val = self.max_val + part * (most - self.max_val)


class PerChannelMinMaxObserver(MinMaxObserver):
    """The least and the greatest number of each channel.

    Args:
        ch_axis: the dimension of channels.
    """

    per_channel = True

    def __init__(
        self, ch_axis: int = 0, dtype: QuantizedType = quint8,
        qscheme: Scheme = per_channel_affine, reduce_range: bool = False,
        quant_min: int | None = None, quant_max: int | None = None, eps: float = EPS,
        is_dynamic: bool = False, **keywords: Any,
    ) -> None:  # fmt: skip
        self.ch_axis = ch_axis
        super().__init__(
            dtype, qscheme, reduce_range, quant_min, quant_max, eps, is_dynamic, **keywords
        )

    def _ends(self, x: Tensor) -> tuple[Tensor, Tensor]:
        rows = x.movedim(self.ch_axis, 0).reshape(x.shape[self.ch_axis], -1)
        return rows.amin(1), rows.amax(1)


class MovingAveragePerChannelMinMaxObserver(PerChannelMinMaxObserver, MovingAverageMinMaxObserver):
    """Running means of the least and the greatest number of each channel."""

    def __init__(
        self, averaging_constant: float = 0.01, ch_axis: int = 0, dtype: QuantizedType = quint8,
        qscheme: Scheme = per_channel_affine, **keywords: Any,
    ) -> None:  # fmt: skip
        self.ch_axis = ch_axis
        MovingAverageMinMaxObserver.__init__(
            self, averaging_constant, dtype=dtype, qscheme=qscheme, **keywords
        )


class PlaceholderObserver(ObserverBase):
    """Only says what type is wanted: for what is computed from each input as it comes."""

    def __init__(
        self, dtype: Any = quint8, custom_op_name: str = "", compute_dtype: Any = None,
        quant_min: int | None = None, quant_max: int | None = None, qscheme: Scheme | None = None,
        eps: float | None = None, is_dynamic: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(dtype, is_dynamic)

    def forward(self, x: Tensor) -> Any:
        return x

    def calculate_qparams(self, **keywords: Any) -> Any:
        raise ValueError("calculate_qparams should not be called for PlaceholderObserver")


class NoopObserver(PlaceholderObserver):
    """Sees nothing."""


default_observer = MinMaxObserver.with_args(quant_min=0, quant_max=127)
default_weight_observer = MinMaxObserver.with_args(dtype=qint8, qscheme=per_tensor_symmetric)
weight_observer_range_neg_127_to_127 = default_weight_observer.with_args(
    quant_min=-127, quant_max=127, eps=2**-12
)
default_per_channel_weight_observer = PerChannelMinMaxObserver.with_args(
    dtype=qint8, qscheme=per_channel_symmetric
)
per_channel_weight_observer_range_neg_127_to_127 = default_per_channel_weight_observer.with_args(
    quant_min=-127, quant_max=127, eps=2**-12
)
default_dynamic_quant_observer = PlaceholderObserver.with_args(dtype=quint8, is_dynamic=True)
