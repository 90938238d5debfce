"""Packed operands that are kept from one run of a program to the next.

A product reads an operand in another order than that in which it lies, so a call before it packs
it. While an input is the same Buffer, what was packed of it is the same, too: from the second time
on it is packed into memory of its own, which the Buffer keeps (:attr:`Buffer.derived`), and later
runs of any program leave the call out. A Buffer that takes another value, as a parameter does that
is updated in place, drops it; so does a Buffer that ends.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import numpy as np

from rushlight.base.buffer import NOTHING, Buffer
from rushlight.compiler.plain import Packing, Program, Referred

MOST = 256 << 20
"""Bytes that all Buffers together keep; what is beyond is packed at each run, as before."""

_LINE = 64


class Packed:
    """Memory that holds a packed operand."""

    __slots__ = ("__weakref__", "_memory", "address", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._memory = np.empty(size + _LINE, np.uint8)
        self.address = -(-self._memory.ctypes.data // _LINE) * _LINE
        _all.add(self)


_all: WeakSet[Packed] = WeakSet()


def kept() -> int:
    """Bytes of packed operands in memory."""
    return sum(packed.size for packed in list(_all))


class Packings:
    """The calls of a program that may be left out.

    Attributes:
        fresh: operands that this run packs into memory of their own.
    """

    def __init__(self, program: Program, pieces: list[Any], table: Any) -> None:
        self._each = [_Switch(one, program, pieces, table) for one in program.packings]
        self.fresh: list[tuple[Packing, Packed]] = []

    def settle(self, given: list[Buffer]) -> None:
        """Before a run: the table shows what is kept of its inputs, and those calls are out."""
        self.fresh.clear()
        for switch in self._each:
            one = switch.packing
            derived = given[one.given].derived
            if derived is None:  # others can write to this memory
                switch.turn(None, False)
                continue
            found = derived.get(one.key, self)
            if found is not None and found is not self:
                if switch.address != found.address:
                    switch.turn(found, True)
            elif found is None and kept() + one.size <= MOST:
                packed = Packed(one.size)
                self.fresh.append((one, packed))
                switch.turn(packed, False)
            else:
                if derived is NOTHING:
                    derived = given[one.given].derived = {}
                derived[one.key] = None  # seen once: it may come back
                switch.turn(None, False)

    def done(self, given: list[Buffer]) -> None:
        """After a run: what it packed into memory of its own may be used again."""
        for one, packed in self.fresh:
            derived = given[one.given].derived
            if derived:
                derived[one.key] = packed
        self.fresh.clear()

    def moved(self) -> None:
        """The program's own memory is elsewhere, and the table says so."""
        for switch in self._each:
            switch.moved()


class _Switch:
    """One call, and where the table says that its operand is packed.

    Attributes:
        address: of what is kept, while the call is left out; else 0.
    """

    def __init__(self, packing: Packing, program: Program, pieces: list[Any], table: Any) -> None:
        self.packing = packing
        self.address = 0
        self._table = table
        self._usual = self._shown = 0
        call = program.calls[packing.call]
        self._piece, self._number = next(
            (piece, number)
            for piece in pieces
            if not isinstance(piece, Referred)
            for number, native in enumerate(piece.natives)
            if native is call
        )

    def turn(self, packed: Packed | None, out: bool) -> None:
        """Shows the memory, or else the program's own, and leaves the call out or not."""
        shown = 0 if packed is None else packed.address
        if shown != self._shown:
            self._table[self.packing.packed] = shown or self._usual
            self._shown = shown
        if out is not bool(self.address):
            self._piece.leave_out(self._number, out)
        self.address = shown if out else 0

    def moved(self) -> None:
        """The program's own memory is elsewhere."""
        self._usual = self._table[self.packing.packed]
        self._shown = 0
        self.turn(None, False)
