"""Contraction: a matrix product with what is done with its elements while they are in registers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from rushlight.base.dtypes import DType, float32, float64

from .expr import Expr, parts
from .fuse import loads
from .index import Axis, Index
from .kernel import Change, Root
from .llvm.code import Code, Part
from .llvm.contract import Layout, Memory, Params, Plan, plan_product, tile_of
from .llvm.contract.micro import micro_module, micro_name
from .llvm.contract.tile import Tile
from .llvm.emit import Arguments, Emitter, stride_along
from .llvm.machine import Machine
from .llvm.text import Function, Module, Value
from .value import Value as Tensor

TYPES = {float32: "float", float64: "double"}
MOST_WORK = 200


@dataclass(frozen=True)
class Operand:
    """A matrix in memory, or many.

    Attributes:
        buffer: where it is.
        offset: of its first element, in elements.
        batch, strides: elements from one matrix, row and column to the next.
    """

    buffer: int
    offset: int
    batch: tuple[int, ...]
    strides: tuple[int, int]

    @staticmethod
    def of(value: Tensor, extents: tuple[int, ...]) -> Operand | None:
        """How a value lies in memory, if that is simple; its batch dimensions are broadcast."""
        own = value.shape[:-2]
        lead = tuple(Axis(n) for n in extents)
        last = (Axis(value.shape[-2]), Axis(value.shape[-1]))
        shown = lead[len(lead) - len(own) :]
        places = [Index() if n == 1 else Index.of(x) for n, x in zip(own, shown, strict=True)]
        x = value.at(*places, *last)
        if x.op != "load" or x.args:
            return None
        buffer, index = x.attrs
        if not all(isinstance(atom, Axis) for atom, _ in index.terms):
            return None
        batch = tuple(index.factor(axis) for axis in lead)
        strides = (index.factor(last[0]), index.factor(last[1]))
        return Operand(buffer, index.constant, batch, strides)

    def memory(self, place: int, element: str) -> Memory:
        """The same for the template."""
        size = 8 if element == "double" else 4
        batch = (*((0,) * (3 - len(self.batch))), *(step * size for step in self.batch))
        rows, columns = self.strides
        return Memory(place, (rows * size, columns * size), batch, self.offset * size, element)  # type: ignore[arg-type]


@dataclass
class Contraction:
    """``C[batch, m, n] = sum over k of A[batch, m, k] * B[batch, k, n]``, and what follows.

    Attributes:
        extents: the batch dimensions, at most three.
        sizes: m, n and k.
        roots: what is made of the products: C itself first.
        kept: the buffers that are written.
    """

    a: Operand
    b: Operand
    extents: tuple[int, ...]
    sizes: tuple[int, int, int]
    dtype: DType
    result: int
    roots: list[Root] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        m, n, _ = self.sizes
        self.batch, self.m, self.n = Axis(prod(self.extents)), Axis(m), Axis(n)
        self.place = Index()  # an axis with one place has no part in it, as in those that join
        for axis, step in ((self.batch, m * n), (self.m, n), (self.n, 1)):
            if axis.extent > 1:
                self.place = self.place + Index.of(axis) * step
        self.product = Expr.of("product", self.dtype, (), (self.place,))
        axes = (self.batch, self.m, self.n)
        self.roots.append(Root(self.result, self.dtype, axes, (), self.place, self.product))
        self.reads = {self.a.buffer, self.b.buffer}
        self.size = 1

    @property
    def writes(self) -> set[int]:
        """The buffers that it makes."""
        return {root.buffer for root in self.roots}

    @property
    def operands(self) -> set[int]:
        """The buffers of the matrices."""
        return {self.a.buffer, self.b.buffer}

    def joined(self, root: Root, reads: set[int]) -> Root | None:
        """A result in the axes of the product, if it can be computed from registers."""
        if self.n.extent == 1 or root.reductions() or self.size + root.body.size > MOST_WORK:
            return None
        if not reads & self.writes or prod(axis.extent for axis in root.axes) != self._count():
            return None
        linear, change = self._turned(root.axes)
        own = self.writes
        for x in parts(root.body):
            if x.op == "load" and x.attrs[0] in own and (x.attrs[1] != linear or x.args):
                return None
        renamed = root.changed(change)
        for index in renamed.indices():
            if stride_along(index, self.n) not in (0, 1):
                return None
        if stride_along(renamed.place, self.n) != 1:
            return None
        return replace(renamed, rows=(self.batch, self.m, self.n), inner=())

    def _count(self) -> int:
        return self.batch.extent * self.m.extent * self.n.extent

    def _turned(self, axes: tuple[Axis, ...]) -> tuple[Index, Change]:
        """Where an element of a result with these axes is in C, and the axes by C's own."""
        linear, step = Index(), 1
        new: dict[Axis, Index] = {}
        for axis in reversed(axes):
            linear = linear + Index.of(axis) * step
            new[axis] = self.place // step % axis.extent
            step *= axis.extent
        return linear, Change(new, dict.fromkeys(axes, ()))

    # Code ------------------------------------------------------------------------------------

    def codes(self, machine: Machine, spare: Callable[[int], int]) -> list[Code]:
        """The calls. ``spare`` gives a buffer of some bytes for B as it is packed."""
        tile = tile_of(machine, TYPES[self.dtype])
        epilogue = Epilogue(self, tile) if len(self.roots) > 1 else None
        plan = self._planned(tile, epilogue, {b: b for b in self._touched()})
        packed = spare(plan.packed) if plan.packed else None
        found = []
        for k, call in enumerate(plan.calls):
            last = call is plan.calls[-1]

            def params(place: Mapping[int, int], k: int = k) -> tuple[int, ...]:
                placed = self._planned(tile, epilogue, place)
                placed.packed_place = -1 if packed is None else place[packed]
                return tuple(placed.calls[k].params.tolist())

            touched = self._touched() if last else {self.b.buffer}
            if packed is not None:
                touched.add(packed)
            found.append(Code(
                name=call.name, text=lambda call=call: str(call.module()),  # type: ignore[misc]
                params=params, buffers=tuple(sorted(touched)), extent=call.extent,
                work=self._work(last) / max(1, call.extent), scratch=call.scratch,
                needs=tuple(part_of(tile, form) for form in call.needs),
            ))  # fmt: skip
        return found

    def _planned(self, tile: Tile, epilogue: Epilogue | None, place: Mapping[int, int]) -> Plan:
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

    def _work(self, last: bool) -> float:
        """Nanoseconds: of the products, or of packing B."""
        count = prod(self.sizes) * self.batch.extent
        return count / 30 if last else 0.5 * count / max(1, self.sizes[0])

    def _touched(self) -> set[int]:
        """The buffers that are read or written."""
        inner = self.writes - self.kept
        return self.reads | self.kept | {b for r in self.roots for b in loads(r.body)} - inner

    def _batch_steps(self, matrix: int) -> tuple[int, ...]:
        steps: list[int] = []
        for extent in reversed(self.extents):
            steps.append(matrix)
            matrix *= extent
        return tuple(reversed(steps))


def part_of(tile: Tile, form: str) -> Part:
    """A micro-kernel as a part of code."""
    return Part(micro_name(tile, form), lambda: str(micro_module(tile, form)))


class Epilogue:
    """What is done with the products, for the template: it calls :meth:`write` with each vector."""

    def __init__(self, contraction: Contraction, tile: Tile) -> None:
        self.contraction, self.tile = contraction, tile
        self.places: Mapping[int, int] = {}
        self._emit: Emitter | None = None
        self.key, self._values, self._buffers = self._tried()
        self.layout = Layout([f"p{k}" for k in range(len(self._values))])

    def _tried(self) -> tuple[str, list[int], set[int]]:
        """Writes the code once by itself, to know which integers it asks for."""
        import hashlib

        from .llvm.loops import ARGUMENTS
        from .llvm.text import I64, Type

        tile = self.tile
        mask, value = Type("i1", tile.lanes), tile.vector
        given = [("batch", I64), ("m", I64), ("n", I64), ("value", value), ("mask", mask)]
        f = Module().function("epilogue", [*ARGUMENTS, *given])
        self._start(f, 0)
        at = f.arguments
        self.write(f, at["batch"], at["m"], at["n"], at["value"], at["mask"])
        assert self._emit is not None
        arguments = self._emit.arguments
        name = hashlib.sha256(str(f).encode()).hexdigest()[:16]
        return f"epilogue_{name}", list(arguments.values), set(arguments.buffers)

    def values(self) -> Mapping[str, int]:
        """The parameters of one call."""
        return {
            f"p{k}": self.places[v] if k in self._buffers else v
            for k, v in enumerate(self._values)
        }

    def begin(self, f: Function, params: Params) -> None:
        """Called once, at the kernel's beginning."""
        self._start(f, params.first)

    def _start(self, f: Function, first: int) -> None:
        table, params = f.arguments["table"], f.arguments["params"]
        self._emit = emit = Emitter(f, Arguments(f, params, table, first), self.tile.lanes)
        own = self.contraction.writes
        for root in self.contraction.roots:
            for x in parts(root.body):  # what is the same everywhere is read once
                plain = x.op not in ("product", "const") and not x.axes
                if plain and not loads(x) & own and not has_product(x):
                    emit(x)

    def write(
        self, f: Function, batch: Value, m: Value, n: Value, value: Value, mask: Value
    ) -> None:
        """Takes the sums of row ``m``, columns ``n`` and on."""
        emit, c = self._emit, self.contraction
        assert emit is not None
        emit.along, emit.mask = c.n, mask
        emit.axes.update({c.batch: batch, c.m: m, c.n: n})
        with emit.scope():
            emit.know(c.product, value)
            for root in c.roots:
                found = emit(root.body)
                emit.forwarded[root.buffer, root.place] = found
                if root.buffer in c.kept:
                    emit.store(found, root.dtype, root.buffer, root.place)


def has_product(x: Expr) -> bool:
    """Whether an expression depends on the product."""
    return any(part.op == "product" for part in parts(x))
