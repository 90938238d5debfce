"""Where the functions are that compiled code calls and does not hold."""

from __future__ import annotations

import ctypes
import functools

from rushlight.base.errors import InternalError

defined: dict[str, int] = {}
"""Functions of ours, by name. They come before those of the system's libraries."""

_LIBRARIES = (None, "libm.so.6", "libgcc_s.so.1")  # None is the process as it is


def define(name: str, address: int) -> None:
    """Makes a function known to all code that is loaded from now on."""
    defined[name] = address


def find(name: str) -> int:
    """The address of a function.

    Raises:
        InternalError: there is none of this name.
    """
    return defined.get(name) or _in_process(name)


@functools.cache
def _in_process(name: str) -> int:
    for library in _LIBRARIES:
        try:
            function = getattr(ctypes.CDLL(library), name)
        except (OSError, AttributeError):
            continue
        return ctypes.cast(function, ctypes.c_void_p).value or 0
    raise InternalError(f"compiled code calls {name}, which is nowhere in this process")
