"""Contraction: a matrix product with what is done with its elements while they are in registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from rushlight.base.dtypes import DType, bfloat16, int64

from .epilogue import Epilogue, Products
from .expr import Expr
from .index import Atom, Axis, Index, Looked
from .llvm.contract import Memory, Plan, plan_product
from .llvm.contract.tile import Tile
from .value import Value as Tensor


@dataclass(frozen=True)
class Operand:
    """A matrix in memory, or many.

    Attributes:
        buffer: where it is.
        offset: of its first element, in elements.
        batch, strides: elements from one matrix, row and column to the next.
        shift: the buffer of an integer and how many elements further each of its units is, where
            only that tells the first element's place.
        half: whether memory holds bfloat16, of which float32 is made where it is read.
    """

    buffer: int
    offset: int
    batch: tuple[int, ...]
    strides: tuple[int, int]
    shift: tuple[int, int] | None = None
    half: bool = False

    @staticmethod
    def of(
        value: Tensor, extents: tuple[int, ...], shifts: bool = False, halves: bool = False
    ) -> Operand | None:
        """How a value lies in memory, if that is simple; its batch dimensions are broadcast.

        Args:
            shifts: whether its place may depend on an integer in memory.
            halves: whether it may be float32 that is made of bfloat16 in memory.
        """
        own = value.shape[:-2]
        lead = tuple(Axis(n) for n in extents)
        last = (Axis(value.shape[-2]), Axis(value.shape[-1]))
        shown = lead[len(lead) - len(own) :]
        places = [Index() if n == 1 else Index.of(x) for n, x in zip(own, shown, strict=True)]
        x = value.at(*places, *last)
        half = halves and made_of_half(x)
        if half:
            (x,) = x.args
        if x.op != "load" or x.args:
            return None
        buffer, index = x.attrs
        others = [(atom, factor) for atom, factor in index.terms if not isinstance(atom, Axis)]
        shift = _shift(*others[0]) if shifts and len(others) == 1 else None
        if others and shift is None:
            return None
        batch = tuple(index.factor(axis) for axis in lead)
        strides = (index.factor(last[0]), index.factor(last[1]))
        return Operand(buffer, index.constant, batch, strides, shift, half)

    def memory(self, place: int, element: str) -> Memory:
        """The same for the template."""
        if self.half:
            element = "bfloat"
        size = {"double": 8, "float": 4, "bfloat": 2}[element]
        batch = (*((0,) * (3 - len(self.batch))), *(step * size for step in self.batch))
        rows, columns = self.strides
        return Memory(place, (rows * size, columns * size), batch, self.offset * size, element)  # type: ignore[arg-type]


def made_of_half(x: Expr) -> bool:
    """Whether it is an element of memory that holds bfloat16, as float32."""
    return x.op == "cast" and x.args[0].op == "load" and x.args[0].dtype is bfloat16


def _shift(atom: Atom, factor: int) -> tuple[int, int] | None:
    """The buffer of what is looked up, if that is just one integer, and the factor."""
    if not isinstance(atom, Looked):
        return None
    x = atom.value
    if x.op != "load" or x.args or x.dtype is not int64 or x.attrs[1] != Index():
        return None
    return x.attrs[0], factor


class Contraction(Products):
    """``C[batch, m, n] = sum over k of A[batch, m, k] * B[batch, k, n]``, and what follows.

    Attributes:
        extents: the batch dimensions, at most three.
        sizes: m, n and k.
    """

    def __init__(
        self, a: Operand, b: Operand, extents: tuple[int, ...], sizes: tuple[int, int, int],
        dtype: DType, result: int,
    ) -> None:  # fmt: skip
        a, b, extents, sizes = _as_one(a, b, extents, sizes)
        self.a, self.b, self.extents, self.sizes = a, b, extents, sizes
        m, n, _ = sizes
        axes = (Axis(prod(extents)), Axis(m), Axis(n))
        super().__init__(result, dtype, axes, (m * n, n, 1), {a.buffer, b.buffer})

    def planned(self, tile: Tile, epilogue: Epilogue | None, place: Mapping[int, int]) -> Plan:
        """The kernels of a product."""
        m, n, _ = self.sizes
        element = tile.element
        a = self.a.memory(place[self.a.buffer], element)
        b = self.b.memory(place[self.b.buffer], element)
        c: Any = epilogue
        if epilogue is None:
            c = Operand(self.result, 0, self._batch_steps(m * n), (n, 1))
            c = c.memory(place[self.result], element)
        else:
            epilogue.places = place
        extents: Any = (*((1,) * (3 - len(self.extents))), *self.extents)
        return plan_product(tile, self.sizes, a, b, c, extents)

    def work(self, last: bool) -> float:
        """Nanoseconds: of the products, or of packing B."""
        count = prod(self.sizes) * self.batch.extent
        return count / 30 if last else 0.5 * count / max(1, self.sizes[0])

    def touched(self, last: bool) -> set[int]:
        """The buffers that are read or written."""
        return super().touched(last) if last else {self.b.buffer}

    def _batch_steps(self, matrix: int) -> tuple[int, ...]:
        steps: list[int] = []
        for extent in reversed(self.extents):
            steps.append(matrix)
            matrix *= extent
        return tuple(reversed(steps))


def _as_one(
    a: Operand, b: Operand, extents: tuple[int, ...], sizes: tuple[int, int, int]
) -> tuple[Operand, Operand, tuple[int, ...], tuple[int, int, int]]:
    """Products by the same B, whose rows of A follow each other, as one product of more rows."""
    while extents and (extents[-1] == 1 or b.batch[-1] == 0):
        m, n, k = sizes
        row = a.strides[0] if m > 1 or extents[-1] == 1 else a.batch[-1]
        if extents[-1] > 1 and a.batch[-1] != m * row:
            break
        a = replace(a, batch=a.batch[:-1], strides=(row, a.strides[1]))
        b = replace(b, batch=b.batch[:-1])
        extents, sizes = extents[:-1], (m * extents[-1], n, k)
    return a, b, extents, sizes
