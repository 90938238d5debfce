"""Window functions: weights that fade a stretch of a signal in and out.

All are symmetric, for filters, unless ``sym=False`` makes them periodic, for spectra. ``M`` is the
number of weights, and float32 or float64 their dtype, the default one when None.

Example:
    >>> import rushlight as rl
    >>> rl.signal.windows.hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from rushlight import (
    Tensor,
    cos,
    dtype,
    exp,
    float32,
    float64,
    get_default_dtype,
    i0,
    linspace,
    ones,
    sin,
    sqrt,
    strided,
    zeros,
)
from rushlight.base.errors import ArgTypeError, ArgValueError

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def _checked(name: str, M: int, kind: dtype | None, layout: Any) -> dtype:
    """The dtype of a window.

    Raises:
        ValueError: the length is negative, or layout or dtype are others than windows have.
    """
    if M < 0:
        raise ArgValueError(name, f"{name} requires non-negative window length, got M={M}")
    if layout is not strided:
        raise ArgValueError(name, f"{name} is implemented for strided tensors only, got: {layout}")
    kind = kind or get_default_dtype()
    if kind not in (float32, float64):
        raise ArgValueError(name, f"{name} expects float32 or float64 dtypes, got: {kind}")
    return kind


def _weights(
    M: int, kind: dtype, device: Any, requires_grad: bool, start: float, step: float,
    shape: Callable[[Tensor], Tensor], *, alone: bool = True,
) -> Tensor:  # fmt: skip
    """``shape`` at ``M`` places, ``step`` apart; a weight that stands ``alone`` is 1."""
    if M == 0:
        return zeros(0, dtype=kind, device=device, requires_grad=requires_grad)
    if M == 1 and alone:
        return ones(1, dtype=kind, device=device, requires_grad=requires_grad)
    places = linspace(start, start + (M - 1) * step, M, dtype=kind, device=device)
    return shape(places).requires_grad_(requires_grad)


def _period(M: int, sym: bool) -> int:
    """How many steps a window spans."""
    return max(1, M - 1 if sym else M)


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True,
    dtype: dtype | None = None, layout: Any = strided, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``exp(-abs(n - center) / tau)``, the Poisson window.

    Raises:
        ValueError: ``tau`` is not positive, or ``center`` is given for a symmetric window.
    """
    kind = _checked("exponential", M, dtype, layout)
    if tau <= 0:
        raise ArgValueError("exponential", f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ArgValueError("exponential", "Center must be None for symmetric windows")
    middle = _period(M, sym) / 2 if center is None else center
    alone = center is None
    return _weights(
        M, kind, device, requires_grad, -middle / tau, 1 / tau, lambda n: exp(-n.abs()), alone=alone
    )


def cosine(
    M: int, *, sym: bool = True, dtype: dtype | None = None, layout: Any = strided,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Half a wave of a sine."""
    kind = _checked("cosine", M, dtype, layout)
    step = math.pi / (_period(M, sym) + 1)
    return _weights(M, kind, device, requires_grad, step / 2, step, sin)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A normal density about the middle, 1 there, of standard deviation ``std``.

    Raises:
        ValueError: ``std`` is not positive.
    """
    kind = _checked("gaussian", M, dtype, layout)
    if std <= 0:
        raise ArgValueError("gaussian", f"Standard deviation must be positive, got: {std} instead.")
    step = 1 / (std * math.sqrt(2))
    start = -_period(M, sym) / 2 * step
    return _weights(M, kind, device, requires_grad, start, step, lambda n: exp(-n * n))


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``i0(beta sqrt(1 - x^2)) / i0(beta)`` with x from -1 to 1.

    Raises:
        ValueError: ``beta`` is negative.
    Reference:
        Kaiser & Schafer, "On the use of the I0-sinh window for spectrum analysis", 1980.
    """
    kind = _checked("kaiser", M, dtype, layout)
    if beta < 0:
        raise ArgValueError("kaiser", f"beta must be non-negative, got: {beta} instead.")
    step = 2 * beta / _period(M, sym)

    def shape(places: Tensor) -> Tensor:
        inside = (beta * beta - places * places).clamp_min(0)  # rounding may lead below
        return i0(sqrt(inside)) / i0(places.new_full((), beta))

    return _weights(M, kind, device, requires_grad, -beta, step, shape)


def bartlett(
    M: int, *, sym: bool = True, dtype: dtype | None = None, layout: Any = strided,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle."""
    kind = _checked("bartlett", M, dtype, layout)
    step = 2 / _period(M, sym)
    return _weights(M, kind, device, requires_grad, -1.0, step, lambda n: 1 - n.abs())


def general_cosine(
    M: int, *, a: Sequence[float], sym: bool = True, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The alternating sum of cosines of 0, 1, 2, ... periods, weighted by ``a``.

    Raises:
        TypeError: ``a`` is neither a list nor a tuple.
        ValueError: ``a`` is empty.
    """
    return _cosines("general_cosine", M, a, sym, dtype, layout, device, requires_grad)


def _cosines(
    name: str, M: int, a: Sequence[float], sym: bool, kind: dtype | None, layout: Any, device: Any,
    requires_grad: bool,
) -> Tensor:  # fmt: skip
    """A sum of cosines, for the window that a user asked for as ``name``."""
    kind = _checked(name, M, kind, layout)
    if not isinstance(a, (list, tuple)):
        raise ArgTypeError(name, "Coefficients must be a list/tuple")
    if not a:
        raise ArgValueError(name, "Coefficients cannot be empty")

    def shape(places: Tensor) -> Tensor:
        total = cos(0 * places) * a[0]
        for k, weight in enumerate(a[1:], 1):
            total = total + cos(k * places) * ((-1) ** k * weight)
        return total

    return _weights(M, kind, device, requires_grad, 0.0, 2 * math.pi / _period(M, sym), shape)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: dtype | None = None,
    layout: Any = strided, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``alpha - (1 - alpha) cos(x)`` over one period."""
    weights = (alpha, 1 - alpha)
    return _cosines("general_hamming", M, weights, sym, dtype, layout, device, requires_grad)


def _named(name: str, doc: str, a: Sequence[float]) -> Callable[..., Tensor]:
    def window(
        M: int, *, sym: bool = True, dtype: dtype | None = None, layout: Any = strided,
        device: Any = None, requires_grad: bool = False,
    ) -> Tensor:  # fmt: skip
        return _cosines(name, M, a, sym, dtype, layout, device, requires_grad)

    window.__name__ = window.__qualname__ = name
    window.__doc__ = doc
    return window


hamming = _named("hamming", "Hamming's window: a raised cosine that ends at 0.08.", (0.54, 0.46))
hann = _named("hann", "Hann's window: a raised cosine that ends at 0.", (0.5, 0.5))
blackman = _named("blackman", "Blackman's window of three cosines.", (0.42, 0.5, 0.08))
nuttall = _named(
    "nuttall",
    """Nuttall's window of four cosines, of least sidelobes.

    Reference:
        Nuttall, "Some Windows with Very Good Sidelobe Behavior", IEEE Trans. ASSP 29, 1981.
    """,
    (0.3635819, 0.4891775, 0.1365995, 0.0106411),
)
