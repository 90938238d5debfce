"""Integers that depend on a model's dynamic size, as code.

Every integer of a program (a size, a stride, an offset, a count of blocks) is known for each value
that the size may have, because each was planned. What is the same for all is a constant, what fits
``a * n + b`` for all is computed, and the rest is looked up in a table. So nothing is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from rushlight.compiler.llvm.text import I64, Function, Module, Value, i64

Many = tuple[int, ...]
"""One integer for each of the values of the size."""


class Integers:
    """Writes integers into a function.

    Args:
        sizes: the values of the size that the function is for.
        size: the value that it is called with.
    """

    def __init__(self, module: Module, f: Function, sizes: Sequence[int], size: Value) -> None:
        self.module, self.f = module, f
        self.sizes, self.size = tuple(sizes), size
        self._made: dict[Many, Value] = {}

    def value(self, many: Many) -> Value:
        """An integer. Every later use must come behind the first one."""
        if len(set(many)) == 1:
            return i64(many[0])
        if many not in self._made:
            self._made[many] = self._affine(many) or self._looked_up(many)
        return self._made[many]

    def _affine(self, many: Many) -> Value | None:
        sizes = self.sizes
        slope, rest = divmod(many[1] - many[0], sizes[1] - sizes[0])
        base = many[0] - slope * sizes[0]
        if rest or any(slope * n + base != x for n, x in zip(sizes, many, strict=True)):
            return None
        scaled = self.size if slope == 1 else self.f.mul(self.size, i64(slope))
        return self.f.add(scaled, i64(base)) if base else scaled

    def _looked_up(self, many: Many) -> Value:
        first, last = self.sizes[0], self.sizes[-1]
        known = dict(zip(self.sizes, many, strict=True))
        table = constant(self.module, [known.get(n, 0) for n in range(first, last + 1)])
        place = self.f.sub(self.size, i64(first)) if first else self.size
        return self.f.load(self.f.at(table, place, "i64"), I64)


def constant(module: Module, numbers: Sequence[int]) -> Value:
    """A constant array; equal ones are one, since they have their name from what is in them."""
    words = ", ".join(f"i64 {number}" for number in numbers)
    name = f"integers.{blake2b(words.encode(), digest_size=12).hexdigest()}"
    return module.constant(name, f"private constant [{len(numbers)} x i64] [{words}], align 8")
