"""Memory that holds the value of a tensor."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np

from .device import CPU, device
from .dtypes import DType
from .half import narrow, widen

NOTHING: dict[str, Any] = {}
"""What has been derived of a Buffer that nothing was derived of yet; it stays empty."""


class Buffer:
    """Contiguous memory on one device, holding the elements of one value in row-major order.

    Nobody writes into a Buffer after it is made: a changed tensor gets another one. (A compiled
    program may reuse the memory of a Buffer that nothing else can see.)

    Args:
        stored: the elements as memory holds them (``dtype.storage``), C-contiguous.

    Attributes:
        derived: what programs made of the elements and keep as long as those stay; None for memory
            that others can write to.
    """

    __slots__ = ("_address", "_bounds", "derived", "device", "dtype", "shape", "stored")

    announce: ClassVar[Callable[[int], None]] = staticmethod(lambda nbytes: None)
    """Told the size of every Buffer that is made; what keeps memory flat listens here."""

    def __init__(self, stored: np.ndarray, dtype: DType, place: device = CPU) -> None:
        self.stored = stored
        self.dtype = dtype
        self.shape: tuple[int, ...] = stored.shape
        self.device = place
        self._address = 0
        self._bounds: tuple[int, int] | None = None
        self.derived: dict[str, Any] | None = NOTHING
        Buffer.announce(stored.nbytes)

    @classmethod
    def of(cls, values: np.ndarray, dtype: DType) -> Buffer:
        """A Buffer of its own for computed ``values`` (float32 for the half types)."""
        stored = narrow(values, dtype)
        if not stored.flags.c_contiguous or not stored.flags.writeable or stored.base is not None:
            stored = stored.copy(order="C")
        return cls(stored, dtype)

    def renewed(self) -> Buffer:
        """The same memory, about to hold another value: what is known of the old one is dropped."""
        self._bounds = None
        self.derived = NOTHING
        return self

    @property
    def values(self) -> np.ndarray:
        """The elements as numbers to compute with. Not to be written to."""
        return widen(self.stored, self.dtype)

    @property
    def address(self) -> int:
        """Where the first element is."""
        if not self._address:
            self._address = _address_of(self.stored)
        return self._address

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.stored.nbytes

    def bounds(self) -> tuple[int, int]:
        """The smallest and the largest element of an integer buffer; (0, -1) when it is empty."""
        if self._bounds is None:
            full = self.stored.size > 0
            self._bounds = (int(self.stored.min()), int(self.stored.max())) if full else (0, -1)
        return self._bounds


class Kept:
    """Memory that a program fills again once nobody else has it.

    The program's reference is none by which anybody reads or writes, so whoever asks who else has
    an array leaves it out.

    Attributes:
        array: the memory.
    """

    __slots__ = ("__weakref__", "array")

    _known: ClassVar[WeakValueDictionary[int, Kept]] = WeakValueDictionary()

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        Kept._known[id(array)] = self

    @staticmethod
    def references(array: np.ndarray) -> int:
        """How many references to an array are a program's, which only keeps it."""
        kept = Kept._known.get(id(array))
        return int(kept is not None and kept.array is array)


def _address_of(array: np.ndarray) -> int:
    """Where an array's elements are: a field right behind the object's header.

    NumPy's binary interface has it there, and CPython's id is the object's address. To ask for
    ``__array_interface__`` takes four times as long.
    """
    return _Address.from_address(id(array) + _HEADER).value


_Address, _HEADER = ctypes.c_size_t, object.__basicsize__
