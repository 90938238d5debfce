"""Discrete Fourier transforms, under the names of ``torch.fft``.

The transforms come from the operations' own signatures and are made when they are first asked for.

Example:
    >>> import rushlight as rl
    >>> rl.fft.rfft(rl.ones(4)).real
    tensor([4., 0., 0.])
"""

from __future__ import annotations

from typing import Any

import rushlight as _rl
from rushlight.base.errors import OperationError as _OperationError
from rushlight.tensor.functions import public as _public


def fftfreq(n: int, d: float = 1.0, *, out: Any = None, **options: Any) -> _rl.Tensor:
    """The frequencies that :func:`fft` of ``n`` samples, ``d`` apart, gives: 0 and up, then below.

    Args:
        options: ``dtype``, ``device`` and ``requires_grad`` as of other creating functions.
    Example:
        >>> import rushlight as rl
        >>> rl.fft.fftfreq(5)
        tensor([ 0.0000,  0.2000,  0.4000, -0.4000, -0.2000])
    """
    order = (_rl.arange(n, device=options.get("device")) + n // 2) % max(n, 1) - n // 2
    return _frequencies("fftfreq", order, n, d, out, options)


def rfftfreq(n: int, d: float = 1.0, *, out: Any = None, **options: Any) -> _rl.Tensor:
    """The frequencies that :func:`rfft` of ``n`` samples, ``d`` apart, gives.

    Example:
        >>> import rushlight as rl
        >>> rl.fft.rfftfreq(4)
        tensor([0.0000, 0.2500, 0.5000])
    """
    return _frequencies("rfftfreq", _rl.arange(n // 2 + 1), n, d, out, options)


def _frequencies(
    name: str, order: _rl.Tensor, n: int, d: float, out: Any, options: dict[str, Any]
) -> _rl.Tensor:
    dtype = options.get("dtype") or _rl.get_default_dtype()
    if not (dtype.is_floating_point or dtype.is_complex):
        raise _OperationError(
            f"fft.{name}", f"{name} requires a floating point or complex dtype, not {dtype}"
        )
    result = order.to(dtype) * (1.0 / (n * d)) if n * d else order.to(dtype) / 0.0
    if out is not None:
        out.resize_(result.shape)
        return out.copy_(result)
    return result.requires_grad_(options.get("requires_grad", False))


def __getattr__(name: str) -> Any:
    if name in _public["fft"]:
        return globals().setdefault(name, _public["fft"][name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({"fftfreq", "rfftfreq", *_public["fft"]})
