"""The windows that stand in ``torch`` itself: by length, periodic unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight import Tensor, dtype, float32, float64, get_default_dtype, strided
from rushlight.base.errors import OperationError

from . import windows


def _window(
    name: str, shape: Callable[..., Tensor], length: int, periodic: bool, kind: dtype | None,
    layout: Any, device: Any, requires_grad: bool, **parameters: Any,
) -> Tensor:  # fmt: skip
    """A window; half types are rounded from float32.

    Raises:
        RuntimeError: the length is negative or the dtype not floating.
    """
    if length < 0:
        raise OperationError(
            name, f"{name} requires non-negative window_length, got window_length={length}"
        )
    kind = kind or get_default_dtype()
    if not kind.is_floating_point:
        raise OperationError(name, f"{name} expects floating point dtypes, got: {kind}")
    computed = kind if kind is float64 else float32
    weights = shape(
        length, sym=not periodic, dtype=computed, layout=layout, device=device, **parameters
    )
    return weights.to(kind).requires_grad_(requires_grad)


def hann_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Hann's window, a raised cosine that begins at 0.

    Args:
        periodic: without the last point, as spectra want it; False for the symmetric window.
    Returns:
        (window_length,).
    Example:
        >>> import rushlight as rl
        >>> rl.hann_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window(
        "hann_window", windows.hann, window_length, periodic, dtype, layout, device, requires_grad
    )


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: dtype | None = None, layout: Any = strided, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``alpha - beta cos(x)`` over one period; see :func:`hann_window`."""
    return _window(
        "hamming_window", windows.general_cosine, window_length, periodic, dtype, layout, device,
        requires_grad, a=[alpha, beta],
    )  # fmt: skip


def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Blackman's window of three cosines; see :func:`hann_window`."""
    return _window(
        "blackman_window", windows.blackman, window_length, periodic, dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle; see :func:`hann_window`."""
    return _window(
        "bartlett_window", windows.bartlett, window_length, periodic, dtype, layout, device,
        requires_grad,
    )  # fmt: skip


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *,
    dtype: dtype | None = None, layout: Any = strided, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Kaiser's window, ``i0(beta sqrt(1 - x^2)) / i0(beta)``; see :func:`hann_window`."""
    return _window(
        "kaiser_window", windows.kaiser, window_length, periodic, dtype, layout, device,
        requires_grad, beta=beta,
    )  # fmt: skip
