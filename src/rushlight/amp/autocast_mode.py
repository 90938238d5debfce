"""autocast: a region of code in which operations choose the types that they compute in."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from rushlight.base.dtypes import DType, bfloat16, float16, float64
from rushlight.base.errors import OperationError
from rushlight.tensor.tensor import Tensor

from .state import (
    autocast_decrement_nesting,
    autocast_increment_nesting,
    clear_autocast_cache,
    get_autocast_dtype,
    is_autocast_available,
    is_autocast_cache_enabled,
    is_autocast_enabled,
    set_autocast_cache_enabled,
    set_autocast_dtype,
    set_autocast_enabled,
)  # fmt: skip

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

F = TypeVar("F", bound=Callable[..., Any])
_LOWER = (bfloat16, float16)


class autocast:
    """A region in which matrix products and convolutions are of a lower type, and losses are not.

    Works as a context manager and as a decorator; regions nest, and ``enabled=False`` makes a hole.
    On entering an operation its floating inputs, float64 apart, are converted as that operation
    says: matrix products, convolutions, attention and ``prelu`` take ``dtype``; losses, Fourier
    transforms, decompositions, three-dimensional pooling and such take float32; ``cat``, ``stack``
    and ``index_copy`` take the wider of the two; all others take what they are given. These are
    PyTorch's lists for the processor. In-place operations and ``out=`` are left alone.

    Gradients have the types of what they are gradients of: a float32 parameter's is float32.

    Args:
        device_type: ``"cpu"``; regions of other kinds of devices have no effect here.
        dtype: bfloat16 or float16; the kind's own when None, which is bfloat16 for the processor.
        enabled: whether the region does anything.
        cache_enabled: whether a parameter is converted once for all operations in the region, so
            that their gradients are added in the lower type.
    Raises:
        ValueError: ``device_type`` is no string.
        RuntimeError: there is no such kind of device, or no regions for it.
    Example:
        >>> import rushlight as rl
        >>> a = rl.ones(2, 2)
        >>> with rl.autocast("cpu", dtype=rl.bfloat16):
        ...     print((a @ a).dtype, (a + a).dtype)
        ...     with rl.autocast("cpu", enabled=False):
        ...         print((a @ a).dtype)
        torch.bfloat16 torch.float32
        torch.float32
    """

    def __init__(
        self, device_type: str, dtype: DType | None = None, enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:  # fmt: skip
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self.device = device_type
        if not is_autocast_available(device_type):
            raise OperationError(
                "autocast", f"User specified an unsupported autocast device_type '{device_type}'"
            )
        self._cache = is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        self._enabled = enabled and self._possible()
        self._before: list[tuple[bool, DType, bool]] = []

    def _possible(self) -> bool:
        """Whether there can be such a region; warns if not."""
        if self.device == "cuda":
            said = "CUDA is not available or torch_xla is imported. Disabling autocast."
        elif self.fast_dtype not in _LOWER:
            kind = self.device.upper()
            said = (
                f"In {kind} autocast, but the target dtype is not supported. Disabling autocast.\n"
                f"{kind} Autocast only supports dtypes of torch.bfloat16, torch.float16 currently."
            )
        else:
            return True
        warnings.warn(said, stacklevel=3)
        return False

    def __enter__(self) -> autocast:
        kind = self.device
        before = is_autocast_enabled(kind), get_autocast_dtype(kind), is_autocast_cache_enabled()
        self._before.append(before)
        autocast_increment_nesting()
        set_autocast_dtype(kind, self.fast_dtype)
        set_autocast_enabled(kind, self._enabled)
        set_autocast_cache_enabled(self._cache)
        return self

    def __exit__(self, *error: object) -> None:
        if not autocast_decrement_nesting():
            clear_autocast_cache()
        enabled, dtype, cache = self._before.pop()
        set_autocast_dtype(self.device, dtype)
        set_autocast_enabled(self.device, enabled)
        set_autocast_cache_enabled(cache)

    def __call__(self, func: F) -> F:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean"
                " to use autocast as a context manager? For example:\n"
                "    with torch.autocast(device_type=...):\n        output = model(input)"
            )

        @functools.wraps(func)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return decorated  # type: ignore[return-value]


# Functions of the user's own --------------------------------------------------------------------


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: DType | None = None) -> Any:
    """Decorates ``forward`` of a Function for use in regions.

    Args:
        cast_inputs: the type that floating tensors, float64 apart, are converted to; ``forward``
            then runs as outside of a region. With None it runs in the region.
    Raises:
        ValueError: ``device_type`` is no string.
    """
    _check_kind(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        inside = is_autocast_enabled(device_type)
        context = args[0]
        context._dtype = get_autocast_dtype(device_type)
        context._fwd_used_autocast = inside and cast_inputs is None
        if not inside or cast_inputs is None:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_in_type(args, cast_inputs), **_in_type(kwargs, cast_inputs))

    return decorated


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """Decorates ``backward`` of a Function, which then runs in the region that ``forward`` ran in.

    Raises:
        ValueError: ``device_type`` is no string.
    """
    _check_kind(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        with autocast(device_type, context._dtype, enabled=context._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return decorated


def _check_kind(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _in_type(value: Any, dtype: DType) -> Any:
    """A value with the tensors in it converted, float64 and what is no float left alone."""
    if isinstance(value, Tensor):
        takes_part = value.is_floating_point() and value.dtype is not float64
        return value.to(dtype) if takes_part else value
    if isinstance(value, (str, bytes, np.ndarray)):
        return value
    if isinstance(value, Mapping):
        return {_in_type(k, dtype): _in_type(v, dtype) for k, v in value.items()}
    if isinstance(value, Iterable):
        values = (_in_type(each, dtype) for each in value)
        return type(value)(values) if isinstance(value, (list, tuple)) else values  # type: ignore[call-arg]
    return value
