"""Place: where a step of the parallel axis stands in the axes that it counts."""

from __future__ import annotations

from .emit import Arguments
from .text import I64, Function, Value, i64


class Place:
    """The digits of a step, the last of which moves fastest.

    Only the first step is divided; the others are counted on from there.

    Args:
        begin: the first step.
        extents: how far each digit goes.
    """

    def __init__(
        self, f: Function, arguments: Arguments, begin: Value, extents: list[int]
    ) -> None:  # fmt: skip
        self.f, self._count = f, len(extents)
        self._moving = [k for k, extent in enumerate(extents) if extent > 1]
        self._limits = {k: arguments.integer(extents[k], ("digit", k)) for k in self._moving[1:]}
        self._slots: dict[int, Value] = {}
        if len(self._moving) > 1:
            for k in reversed(self._moving):
                limit = self._limits.get(k)
                digit = begin if limit is None else f.binary("urem", begin, limit)
                begin = begin if limit is None else f.binary("udiv", begin, limit)
                self._slots[k] = f.variable(digit)

    def at(self, step: Value) -> list[Value]:
        """The digits now."""
        found = [i64(0)] * self._count
        if len(self._moving) == 1:
            found[self._moving[0]] = step
        for k, slot in self._slots.items():
            found[k] = self.f.get(slot, I64)
        return found

    def move(self) -> None:
        """Goes on by one step."""
        f, carry = self.f, i64(1)
        for k, slot in self._slots.items():  # the fastest first
            digit = f.add(f.get(slot, I64), carry)
            limit = self._limits.get(k)
            if limit is not None:
                full = f.compare("eq", digit, limit)
                carry = f.convert("zext", full, "i64")
                digit = f.select(full, i64(0), digit)
            f.set(slot, digit)
