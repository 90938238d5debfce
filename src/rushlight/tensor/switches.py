"""Switches that PyTorch programs set, with what they mean here."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight.base.errors import ArgTypeError, OperationError
from rushlight.execute import tier
from rushlight.runtime import threads

from .unset import memory

_PRECISIONS = ("highest", "high", "medium")


class _Switches:
    """The settings.

    Attributes:
        interop: how many programs may run beside each other.
        deterministic: whether the user asked for the same bits whenever the same is done.
        warn_only: given along with it.
        precision: of float32 matrix products; they are always computed in float32.
        always_warn: whether warnings that come once were asked for every time.
    """

    def __init__(self) -> None:
        self.interop = 1
        self.deterministic = False
        self.warn_only = False
        self.precision = "highest"
        self.always_warn = False


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
    """Asks for the same bits whenever the same is done.

    No operation of this library depends on the order in which threads get on, so none is refused,
    with or without ``warn_only``, where PyTorch refuses some of its own (``put_``, backward passes
    on other devices): sums are split by shape and not by threads, elements that an index names
    more than once are written in order, and random numbers are functions of a seed and an offset.
    Decompositions are NumPy's and LAPACK's, whose bits may differ between machines.

    What changes when this is on:

    - A graph that is new is compiled at once. Otherwise it runs by its operations' references the
      first time, which agree with the kernels to rounding and not to the bit.
    - What nobody has written is filled: :mod:`rushlight.utils.deterministic`.

    Args:
        mode: whether to ask for it.
        warn_only: whether to warn instead of refusing, where there is something to refuse.
    Raises:
        TypeError: one of them is no bool.
    """
    for name, value in (("mode' (position 1)", mode), ("warn_only'", warn_only)):
        if not isinstance(value, bool):
            raise ArgTypeError(
                "use_deterministic_algorithms",
                f"_set_deterministic_algorithms(): argument '{name} must be bool, not"
                f" {type(value).__name__}",
            )
    _switches.deterministic = memory.deterministic = mode
    _switches.warn_only = warn_only
    tier.repeat(mode)


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


_MODES = ("default", "warn", "error")


def get_deterministic_debug_mode() -> int:
    """What was asked for: 0 for nothing, 1 for warnings, 2 for errors where bits may differ."""
    if not _switches.deterministic:
        return 0
    return 1 if _switches.warn_only else 2


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Asks for the same bits in every run, as :func:`use_deterministic_algorithms` does.

    Args:
        debug_mode: 0 or ``"default"``, 1 or ``"warn"``, 2 or ``"error"``.
    Raises:
        TypeError: it is neither a number nor a string.
        RuntimeError: it is none of these.
    """
    if not isinstance(debug_mode, int | str):
        raise ArgTypeError(
            "set_deterministic_debug_mode",
            f"debug_mode must be str or int, but got {type(debug_mode)}",
        )
    known = _MODES if isinstance(debug_mode, str) else range(len(_MODES))
    if debug_mode not in known:
        word = isinstance(debug_mode, str)
        names = "one of `default`, `warn`, `error`," if word else "0, 1, or 2,"
        raise OperationError(
            "set_deterministic_debug_mode",
            f"invalid value of debug_mode, expected {names} but got {debug_mode}",
        )
    level = _MODES.index(debug_mode) if isinstance(debug_mode, str) else debug_mode
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def set_warn_always(b: bool) -> None:
    """Asks for every warning each time; Python's own filters decide that here."""
    _switches.always_warn = bool(b)


def is_warn_always_enabled() -> bool:
    """What :func:`set_warn_always` was told."""
    return _switches.always_warn
