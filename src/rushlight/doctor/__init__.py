"""The training doctor: named mistakes, told early, with the line and the cure.

A finding is a :class:`DoctorWarning`, told once for each line that makes the mistake. Its code
silences it, here or in the environment: ``RUSHLIGHT_DOCTOR=softmax-before-loss,never-zeroed``, or
``RUSHLIGHT_DOCTOR=off`` for all. ``rushlight doctor`` lists the codes.

The module itself is called to choose what becomes of findings, from now on or for a block:
``"warn"``, ``"strict"`` (they are raised) or ``"off"``.

Example:
    >>> import rushlight as rl
    >>> probabilities = rl.tensor([[0.0, 2.0]]).softmax(1)
    >>> with rl.doctor("strict"):
    ...     try:
    ...         rl.nn.functional.cross_entropy(probabilities, rl.tensor([1]))
    ...     except rl.doctor.DoctorWarning as finding:
    ...         print(finding.code)
    softmax-before-loss
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from rushlight.base.errors import ArgValueError
from rushlight.base.findings import CODES, MODES, DoctorWarning, check
from rushlight.base.findings import doctor as _doctor

# These look at graphs from now on.
from . import columns as _columns
from . import finite as _finite

__all__ = ["CODES", "DoctorWarning", "silence", "silenced"]


class _Mode:
    """A mode, until the end of a ``with`` block if there is one."""

    def __init__(self, mode: str) -> None:
        self._before = _doctor.mode
        _doctor.mode = mode

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        _doctor.mode = self._before


def silence(*codes: str) -> None:
    """Says nothing of these mistakes from now on.

    Args:
        codes: as a finding names them; see :data:`CODES`.
    Raises:
        ValueError: there is no such code.
    Example:
        >>> import rushlight as rl
        >>> rl.doctor.silence("training-mode")  # dropout at evaluation is meant
    """
    check(frozenset(codes), "silence")
    _doctor.silenced |= frozenset(codes)


@contextmanager
def silenced(*codes: str) -> Iterator[None]:
    """Says nothing of these mistakes inside of a ``with`` block.

    Raises:
        ValueError: there is no such code.
    Example:
        >>> import rushlight as rl
        >>> with rl.doctor.silenced("softmax-before-loss"):
        ...     loss = rl.nn.functional.cross_entropy(rl.zeros(1, 2).softmax(1), rl.tensor([0]))
    """
    before = _doctor.silenced
    silence(*codes)
    try:
        yield
    finally:
        _doctor.silenced = before


def choose(mode: str = "warn") -> Any:
    """Chooses what becomes of findings, and forgets which were told; what calling the module does.

    Args:
        mode: ``"warn"``, ``"strict"`` or ``"off"``.
    Returns:
        A context manager that goes back at the end of its block.
    Raises:
        ValueError: another mode.
    """
    if mode not in MODES:
        raise ArgValueError("doctor", f"{mode!r} is no mode", rule=f"Modes are {', '.join(MODES)}.")
    _doctor.forget()
    return _Mode(mode)


class _Callable(ModuleType):
    """A module that can be called."""

    def __call__(self, mode: str = "warn") -> Any:
        return choose(mode)


sys.modules[__name__].__class__ = _Callable
