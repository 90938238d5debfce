"""What is set about autocast, by kind of device. Only the processor's has an effect."""

from __future__ import annotations

import threading
import warnings

from rushlight.base.device import device
from rushlight.base.dtypes import DType, bfloat16, float16
from rushlight.base.errors import OperationError
from rushlight.ops.autocast import install, mode

DEFAULTS = {"cpu": bfloat16, "cuda": float16, "mps": float16, "xpu": float16}
"""The lower type of each kind of device until another one is set."""


class _Settings(threading.local):
    """What is set in this thread.

    Attributes:
        enabled: the kinds of devices that are in a region.
        dtypes: the lower types that were set.
        depth: how many regions are open.
    """

    def __init__(self) -> None:
        self.enabled: set[str] = set()
        self.dtypes: dict[str, DType] = dict(DEFAULTS)
        self.depth = 0


_settings = _Settings()


def _kind(device_type: str | None) -> str:
    """A kind of device by its name; None is PyTorch's oldest use, which meant CUDA."""
    return "cuda" if device_type is None else device(device_type).type


def _applied() -> None:
    """Brings the mode that recording looks at up to date."""
    mode.region = _settings.dtypes["cpu"] if "cpu" in _settings.enabled else None
    mode.dtype = mode.region
    if mode.region is not None:
        install()


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether this thread is in an autocast region for a kind of device.

    Args:
        device_type: such as ``"cpu"``; ``"cuda"`` when None.
    Raises:
        RuntimeError: there is no such kind.
    """
    return _kind(device_type) in _settings.enabled


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Begins or ends a region without a block; ``set_autocast_enabled(enabled)`` is for CUDA."""
    if enabled is None:
        device_type, enabled = "cuda", bool(device_type)
    kind = _kind(str(device_type))
    (_settings.enabled.add if enabled else _settings.enabled.discard)(kind)
    _applied()


def get_autocast_dtype(device_type: str) -> DType:
    """The lower type of a kind of device.

    Raises:
        RuntimeError: there is no such kind, or it has none.
    """
    kind = _kind(device_type)
    if kind not in _settings.dtypes:
        raise OperationError("get_autocast_dtype", "unsupported scalarType")
    return _settings.dtypes[kind]


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Sets the lower type of a kind of device."""
    _settings.dtypes[_kind(device_type)] = dtype
    _applied()


def is_autocast_available(device_type: str) -> bool:
    """Whether there are regions for a kind of device.

    Raises:
        RuntimeError: there is no such kind.
    """
    return _kind(device_type) in DEFAULTS


def is_autocast_cache_enabled() -> bool:
    """Whether a parameter is converted once in a region, however many operations use it."""
    return mode.keeps


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Says whether a parameter is converted once in a region."""
    mode.keeps = bool(enabled)


def clear_autocast_cache() -> None:
    """Forgets the parameters that were converted."""
    mode.kept.clear()


def autocast_increment_nesting() -> int:
    """Counts a region that begins; returns how many are open."""
    _settings.depth += 1
    return _settings.depth


def autocast_decrement_nesting() -> int:
    """Counts a region that ends; returns how many are open."""
    _settings.depth -= 1
    return _settings.depth


# Older names --------------------------------------------------------------------------------------


def _older(name: str, instead: str) -> None:
    warnings.warn(
        f"torch.{name} is deprecated. Please use torch.{instead} instead.",
        DeprecationWarning,
        stacklevel=3,
    )


def is_autocast_cpu_enabled() -> bool:
    """Older name of ``is_autocast_enabled("cpu")``."""
    _older("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Older name of ``set_autocast_enabled("cpu", enabled)``."""
    _older("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> DType:
    """Older name of ``get_autocast_dtype("cpu")``."""
    _older("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: DType) -> None:
    """Older name of ``set_autocast_dtype("cpu", dtype)``."""
    _older("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> DType:
    """Older name of ``get_autocast_dtype("cuda")``."""
    _older("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: DType) -> None:
    """Older name of ``set_autocast_dtype("cuda", dtype)``."""
    _older("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)
