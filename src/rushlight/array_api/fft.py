"""Fourier transforms: the standard's extension."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl

Array = rl.Tensor
_ALONG_ONE = "fft ifft rfft irfft hfft ihfft"
_ALONG_SEVERAL = "fftn ifftn rfftn irfftn"


def _along_one(name: str) -> Callable[..., Array]:
    theirs = getattr(rl.fft, name)

    def function(
        x: Array, /, *, n: int | None = None, axis: int = -1, norm: str = "backward"
    ) -> Array:
        found: Array = theirs(x, n=n, dim=axis, norm=norm)
        return found

    return _named(function, name)


def _along_several(name: str) -> Callable[..., Array]:
    theirs = getattr(rl.fft, name)

    def function(
        x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
        norm: str = "backward",
    ) -> Array:  # fmt: skip
        found: Array = theirs(x, s=s, dim=axes, norm=norm)
        return found

    return _named(function, name)


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"As ``rushlight.fft.{name}``."
    return function


globals().update({name: _along_one(name) for name in _ALONG_ONE.split()})
globals().update({name: _along_several(name) for name in _ALONG_SEVERAL.split()})


def fftfreq(
    n: int, /, *, d: float = 1.0, dtype: rl.dtype | None = None, device: Any = None
) -> Array:
    """The frequencies that ``fft`` of ``n`` samples, ``d`` apart, gives."""
    return rl.fft.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(
    n: int, /, *, d: float = 1.0, dtype: rl.dtype | None = None, device: Any = None
) -> Array:
    """The frequencies that ``rfft`` of ``n`` samples, ``d`` apart, gives."""
    return rl.fft.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """Frequency zero moved into the middle."""
    return rl.fft.fftshift(x, axes)


def ifftshift(x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """Frequency zero moved back to the start."""
    return rl.fft.ifftshift(x, axes)


__all__ = [
    *_ALONG_ONE.split(), *_ALONG_SEVERAL.split(), "fftfreq", "fftshift", "ifftshift", "rfftfreq",
]  # fmt: skip
