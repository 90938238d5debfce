"""Switches that PyTorch programs set, with what they mean here."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from rushlight.base.errors import OperationError
from rushlight.runtime import threads

_PRECISIONS = ("highest", "high", "medium")


class _Switches:
    """The settings.

    Attributes:
        interop: how many programs may run beside each other.
        deterministic: whether the user asked for the same bits; results always have them.
        warn_only: given along with it.
        precision: of float32 matrix products; they are always computed in float32.
    """

    def __init__(self) -> None:
        self.interop = 1
        self.deterministic = False
        self.warn_only = False
        self.precision = "highest"


_switches = _Switches()


def get_num_threads() -> int:
    """How many threads a program may use.

    That is what :func:`set_num_threads` said, or else ``RUSHLIGHT_NUM_THREADS`` or
    ``OMP_NUM_THREADS``, or else the processors that this process may keep busy: those of its
    affinity, or its container's share of them if that is less.
    """
    return threads.get_num_threads()


def set_num_threads(int: int) -> None:
    """Sets how many threads a program may use, from the next one on. Results do not depend on it.

    Raises:
        RuntimeError: no positive whole number.
    """
    threads.set_num_threads(_count("set_num_threads", int))


def get_num_interop_threads() -> int:
    """How many programs may run beside each other."""
    return _switches.interop


def set_num_interop_threads(int: int) -> None:
    """Sets how many programs may run beside each other."""
    _switches.interop = _count("set_num_interop_threads", int)


def _count(function: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise OperationError(function, f"{function} expects an int, but got {type(value).__name__}")
    if value <= 0:
        raise OperationError(function, f"{function} expects a positive integer")
    return value


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Asks for the same bits in every run, which is what always happens here."""
    _switches.deterministic, _switches.warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether :func:`use_deterministic_algorithms` was asked for."""
    return _switches.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether that was asked for with ``warn_only``."""
    return _switches.deterministic and _switches.warn_only


def get_float32_matmul_precision() -> str:
    """What :func:`set_float32_matmul_precision` was told."""
    return _switches.precision


def set_float32_matmul_precision(precision: str) -> None:
    """Allows matrix products of less than float32 precision; they are float32 all the same.

    Args:
        precision: ``"highest"``, ``"high"`` or ``"medium"``; anything else changes nothing.
    """
    if precision in _PRECISIONS:
        _switches.precision = precision
        return
    warnings.warn(
        f"{precision} is not one of 'highest', 'high', or 'medium'; the current"
        "setFloat32MatmulPrecision call has no effect.",
        UserWarning,
        stacklevel=2,
    )


def set_flush_denormal(mode: bool) -> bool:
    """Whether numbers below the smallest normal one could be made to count as zero: they cannot."""
    return False


def compile(
    model: Callable[..., Any] | None = None, *, fullgraph: bool = False,
    dynamic: bool | None = None, backend: Any = "inductor", mode: str | None = None,
    options: dict[str, Any] | None = None, disable: bool = False,
) -> Any:  # fmt: skip
    """The model or function itself: everything that runs is compiled here, with no asking.

    Args:
        model: a module or function; used as a decorator with options when None.
        fullgraph, dynamic, backend, mode, options, disable: as PyTorch's, without effect.
    Raises:
        RuntimeError: both ``mode`` and ``options`` are given.
    Example:
        >>> import rushlight as rl
        >>> @rl.compile
        ... def double(x):
        ...     return 2 * x
        >>> double(rl.ones(2))
        tensor([2., 2.])
    """
    if mode is not None and options is not None:
        raise OperationError(
            "compile",
            "Either mode or options can be specified, but both can't be specified at the same"
            " time.",
        )
    return (lambda wrapped: wrapped) if model is None else model
