"""Older names of :mod:`rushlight.amp` for the processor."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight import amp
from rushlight.base.dtypes import DType, bfloat16

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):
    """Older name of ``rushlight.amp.autocast("cpu", ...)``."""

    def __init__(
        self, enabled: bool = True, dtype: DType = bfloat16, cache_enabled: bool = True
    ) -> None:
        warnings.warn(
            "`torch.cpu.amp.autocast(args...)` is deprecated. Please use"
            " `torch.amp.autocast('cpu', args...)` instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__("cpu", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """Older name of ``rushlight.amp.GradScaler("cpu", ...)``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            "`torch.cpu.amp.GradScaler(args...)` is deprecated. Please use"
            " `torch.amp.GradScaler('cpu', args...)` instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__("cpu", *args, **kwargs)
