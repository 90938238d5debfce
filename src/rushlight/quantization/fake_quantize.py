"""Rounding in training: numbers become those that bytes stand for, and gradients pass through."""

from __future__ import annotations

from functools import partial
from typing import Any

import rushlight as rl
from rushlight import nn
from rushlight.base.quantum import (
    per_channel_symmetric,
    per_tensor_affine,
    per_tensor_symmetric,
    qint8,
    quint8,
)
from rushlight.tensor.tensor import Tensor

from .observer import (
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    ObserverBase,
    Partial,
)


def rounded(x: Tensor, scale: Tensor, zero: Tensor, low: int, high: int) -> Tensor:
    """``x`` on the grid of bytes; its gradient is 1 where it is within the range, else 0.

    Reference:
        Jacob et al. 2018, arXiv:1712.05877, section 3; the straight-through estimator of Bengio et
        al. 2013, arXiv:1308.3432.
    """
    inside = x.clamp((low - zero) * scale, (high - zero) * scale)  # where gradients end
    grid = (inside / scale).round() * scale
    return inside + (grid - inside).detach()


class FakeQuantizeBase(nn.Module):
    """A module that rounds what passes. Abstract."""

    @classmethod
    def with_args(cls, **keywords: Any) -> Partial:
        """The class with some of its arguments, to be called for each layer."""
        return Partial(partial(cls, **keywords))


class FakeQuantize(FakeQuantizeBase):
    """Observes what passes and rounds it to what bytes would hold.

    Args:
        observer: the class that learns the range.
        quant_min, quant_max: the range of bytes, that of the observer by default.
        observer_kwargs: the observer's other arguments.
    Shape:
        input (*) float32; output (*).
    Reference:
        Jacob et al. 2018, arXiv:1712.05877, section 3.
    Example:
        >>> import rushlight as rl
        >>> rl.quantization.FakeQuantize()(rl.tensor([0.0, 0.1234, 255.0]))
        tensor([  0.,   0., 255.])
    """

    def __init__(
        self, observer: Any = MovingAverageMinMaxObserver, quant_min: int | None = None,
        quant_max: int | None = None, is_dynamic: bool = False, **observer_kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        if quant_min is not None and quant_max is not None:
            if quant_min > quant_max:
                raise AssertionError("quant_min must be less than or equal to quant_max")
            if not observer_kwargs.get("reduce_range", False):
                observer_kwargs |= {"quant_min": quant_min, "quant_max": quant_max}
        self.is_dynamic = is_dynamic
        self.activation_post_process = observer(**observer_kwargs)
        seen = self.activation_post_process
        self.quant_min, self.quant_max = seen.quant_min, seen.quant_max
        self.dtype, self.qscheme = seen.dtype, seen.qscheme
        self.ch_axis = getattr(seen, "ch_axis", -1)
        self.fake_quant_enabled = self.observer_enabled = True

    def enable_fake_quant(self, enabled: bool = True) -> FakeQuantize:
        """Turns rounding on or off."""
        self.fake_quant_enabled = enabled
        return self

    def disable_fake_quant(self) -> FakeQuantize:
        """Turns rounding off."""
        return self.enable_fake_quant(False)

    def enable_observer(self, enabled: bool = True) -> FakeQuantize:
        """Turns observing on or off."""
        self.observer_enabled = enabled
        return self

    def disable_observer(self) -> FakeQuantize:
        """Turns observing off."""
        return self.enable_observer(False)

    def calculate_qparams(self, **keywords: Any) -> Any:
        """Scale and zero point, as observed."""
        return self.activation_post_process.calculate_qparams()

    def forward(self, X: Tensor) -> Any:
        if self.observer_enabled:
            self.activation_post_process(X.detach())
        if not self.fake_quant_enabled:
            return X
        scale, zero = self.calculate_qparams()
        if self.qscheme.per_channel:
            shape = [1] * X.ndim
            shape[self.ch_axis] = -1
        else:
            shape = []
        return rounded(
            X, scale.reshape(shape), zero.reshape(shape).to(rl.float32), self.quant_min,
            self.quant_max,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return (
            f"fake_quant_enabled={self.fake_quant_enabled}, observer_enabled="
            f"{self.observer_enabled}, quant_min={self.quant_min}, quant_max={self.quant_max},"
            f" dtype={self.dtype}, qscheme={self.qscheme}, ch_axis={self.ch_axis}"
        )


def observer_of(module: nn.Module) -> ObserverBase:
    """The observer of a module that observes, or that rounds what it observes."""
    return getattr(module, "activation_post_process", module)  # type: ignore[return-value]


moving_fake_quant = FakeQuantize.with_args(observer=MovingAverageMinMaxObserver)
default_fake_quant = moving_fake_quant.with_args(
    quant_min=0, quant_max=255, dtype=quint8, qscheme=per_tensor_affine, reduce_range=True
)
default_weight_fake_quant = moving_fake_quant.with_args(
    quant_min=-128, quant_max=127, dtype=qint8, qscheme=per_tensor_symmetric, reduce_range=False
)
default_per_channel_weight_fake_quant = FakeQuantize.with_args(
    observer=MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127, dtype=qint8,
    qscheme=per_channel_symmetric, reduce_range=False, ch_axis=0,
)  # fmt: skip
fused_per_channel_wt_fake_quant_range_neg_127_to_127 = (
    default_per_channel_weight_fake_quant.with_args(quant_min=-127, quant_max=127, eps=2**-12)
)


def _each(module: nn.Module, name: str) -> None:
    if isinstance(module, FakeQuantize):
        getattr(module, name)()


def enable_fake_quant(mod: nn.Module) -> None:
    """Turns rounding on: ``model.apply(enable_fake_quant)``."""
    _each(mod, "enable_fake_quant")


def disable_fake_quant(mod: nn.Module) -> None:
    """Turns rounding off: ``model.apply(disable_fake_quant)``."""
    _each(mod, "disable_fake_quant")


def enable_observer(mod: nn.Module) -> None:
    """Turns observing on: ``model.apply(enable_observer)``."""
    _each(mod, "enable_observer")


def disable_observer(mod: nn.Module) -> None:
    """Turns observing off: ``model.apply(disable_observer)``."""
    _each(mod, "disable_observer")
