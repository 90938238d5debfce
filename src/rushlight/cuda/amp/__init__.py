"""Older names of :mod:`rushlight.amp` for CUDA devices: there are none, so nothing is scaled."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from rushlight import amp
from rushlight.base.dtypes import DType, float16

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _older(name: str) -> None:
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use"
        f" `torch.amp.{name}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


class autocast(amp.autocast):
    """Older name of ``rushlight.amp.autocast("cuda", ...)``."""

    def __init__(
        self, enabled: bool = True, dtype: DType = float16, cache_enabled: bool = True
    ) -> None:
        _older("autocast")
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """Older name of ``rushlight.amp.GradScaler("cuda", ...)``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _older("GradScaler")
        super().__init__("cuda", *args, **kwargs)


def custom_fwd(fwd: Any = None, *, cast_inputs: DType | None = None) -> Any:
    """Older name of ``rushlight.amp.custom_fwd(device_type="cuda", ...)``."""
    _older("custom_fwd")
    decorate = functools.partial(amp.custom_fwd, device_type="cuda", cast_inputs=cast_inputs)
    return decorate if fwd is None else decorate(fwd)


def custom_bwd(bwd: Any) -> Any:
    """Older name of ``rushlight.amp.custom_bwd(device_type="cuda")``."""
    _older("custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda")
