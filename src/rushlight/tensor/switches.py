"""Switches that PyTorch programs set, with what they mean here."""

from __future__ import annotations

import warnings
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
