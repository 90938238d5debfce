"""Memory that holds the value of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from .device import CPU, device
from .dtypes import DType
from .half import narrow, widen


class Buffer:
    """Contiguous memory on one device, holding the elements of one value in row-major order.

    Nobody writes into a Buffer after it is made: a changed tensor gets another one. (A compiled
    program may reuse the memory of a Buffer that nothing else can see.)

    Args:
        stored: the elements as memory holds them (``dtype.storage``), C-contiguous.
    """

    __slots__ = ("_address", "_bounds", "device", "dtype", "shape", "stored")

    announce: ClassVar[Callable[[int], None]] = staticmethod(lambda nbytes: None)
    """Told the size of every Buffer that is made; what keeps memory flat listens here."""

    def __init__(self, stored: np.ndarray, dtype: DType, place: device = CPU) -> None:
        self.stored = stored
        self.dtype = dtype
        self.shape: tuple[int, ...] = stored.shape
        self.device = place
        self._address = 0
        self._bounds: tuple[int, int] | None = None
        Buffer.announce(stored.nbytes)

    @classmethod
    def of(cls, values: np.ndarray, dtype: DType) -> Buffer:
        """A Buffer of its own for computed ``values`` (float32 for the half types)."""
        stored = narrow(values, dtype)
        if not stored.flags.c_contiguous or not stored.flags.writeable or stored.base is not None:
            stored = stored.copy(order="C")
        return cls(stored, dtype)

    @property
    def values(self) -> np.ndarray:
        """The elements as numbers to compute with. Not to be written to."""
        return widen(self.stored, self.dtype)

    @property
    def address(self) -> int:
        """Where the first element is."""
        if not self._address:
            self._address = self.stored.__array_interface__["data"][0]
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
