"""Products: sums that the template ``contract`` takes, and what is done with them in registers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import prod
from typing import Any

from rushlight.base.dtypes import DType, float32, float64, int32

from .expr import Expr, parts
from .fuse import Joinable, loads
from .index import Axis, Index
from .kernel import Change, Kernel, Root
from .llvm.code import Code, Part
from .llvm.contract import Layout, Params, Plan, tile_of
from .llvm.contract.micro import micro_module, micro_name
from .llvm.contract.tile import Tile
from .llvm.elementary import MEMORY
from .llvm.emit import Arguments, Emitter, stride_along
from .llvm.loops import ARGUMENTS
from .llvm.machine import Machine
from .llvm.text import I64, Function, Module, Type, Value, i64

TYPES = {float32: "float", float64: "double"}
SUMMED = {**TYPES, int32: "i32"}
"""What sums are taken in; integers are those of bytes."""
MOST_WORK = 200
MANY = 6
"""Arrays that what follows a product reads and writes, from which it is a kernel of its own."""


class Products(Joinable):
    """Sums ``C[batch, m, n]`` of products, and what follows. Abstract.

    Attributes:
        batch, m, n: the axes of the sums.
        place: where an element of C is in its buffer, which has no gaps.
        product: an element of C in a register.
        roots: what is made of the sums: C itself first.
        kept: the buffers that are written.
        reads: the buffers that are read.
        size: how many functions are computed.
    """

    def __init__(
        self, result: int, dtype: DType, axes: tuple[Axis, Axis, Axis], steps: tuple[int, int, int],
        reads: set[int],
    ) -> None:  # fmt: skip
        self.result, self.dtype = result, dtype
        self.batch, self.m, self.n = axes
        self.place = Index()  # an axis with one place has no part in it, as in those that join
        for axis, step in zip(axes, steps, strict=True):
            if axis.extent > 1:
                self.place = self.place + Index.of(axis) * step
        self.product = Expr.of("product", dtype, (), (self.place,))
        self.roots = [Root(result, dtype, axes, (), self.place, self.product)]
        self.kept: set[int] = set()
        self.operands, self.reads = reads, set(reads)
        self.size = 1

    def planned(self, tile: Tile, epilogue: Epilogue | None, place: Mapping[int, int]) -> Plan:
        """The kernels. ``place`` tells where in the table a buffer is."""
        raise NotImplementedError

    def work(self, last: bool) -> float:
        """About how many nanoseconds the last call, or one before it, takes."""
        raise NotImplementedError

    def touched(self, last: bool) -> set[int]:
        """The buffers that the last call, or one before it, reads or writes."""
        inner = self.writes - self.kept
        read = {b for root in self.roots for b in loads(root.body)} - inner
        return self.operands | self.kept | read

    @property
    def writes(self) -> set[int]:
        """The buffers that it makes."""
        return {root.buffer for root in self.roots}

    def joined(self, root: Root, reads: set[int]) -> Root | None:
        """A result in the axes of the sums, if it can be computed from registers."""
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

    def parted(self) -> list[Any]:
        """The call; and a kernel for its results, if they read and write too much memory for it.

        A tile of rows far from each other is a bad way through memory, and with few arrays the
        sums hide that. An optimizer's step of a parameter is quicker from one end to the other.
        """
        read = {x.attrs[0] for root in self.roots for x in self._streams(root)}
        if len(read) + len(self.kept) < MANY:
            return [self]
        first, *others = self.roots
        wanted = {b for root in others for b in loads(root.body)} & {first.buffer}
        kernel = Kernel((self.batch, self.m, self.n), others, self.kept - {first.buffer})
        self.roots, self.kept = [first], (self.kept & {first.buffer}) | wanted
        self.reads = set(self.operands)
        return [self, kernel]

    def _streams(self, root: Root) -> Iterator[Expr]:
        """What a result reads of arrays as large as the product, and not of its own."""
        own = self.writes
        for x in parts(root.body):
            if x.op == "load" and x.attrs[0] not in own and {self.m, self.n} <= set(x.axes):
                yield x

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
        """The calls. ``spare`` gives a buffer of some bytes for an operand as it is packed."""
        tile = tile_of(machine, SUMMED[self.dtype])
        epilogue = Epilogue(self, tile) if len(self.roots) > 1 else None
        everything = self.touched(True) | self.touched(False)
        plan = self.planned(tile, epilogue, {b: b for b in everything})
        packed = spare(plan.packed) if plan.packed else None
        found = []
        for k, call in enumerate(plan.calls):
            last = call is plan.calls[-1]

            def params(place: Mapping[int, int], k: int = k) -> tuple[int, ...]:
                placed = self.planned(tile, epilogue, place)
                placed.packed_place = -1 if packed is None else place[packed]
                return tuple(placed.calls[k].params.tolist())

            touched = self.touched(last) | (set() if packed is None else {packed})
            packs = None
            if k < plan.packing and packed is not None:
                (source,) = self.touched(False)
                packs = source, packed
            found.append(Code(
                name=call.name, text=lambda call=call: str(call.module()),  # type: ignore[misc]
                params=params, buffers=tuple(sorted(touched)), extent=call.extent,
                work=self.work(last) / max(1, call.extent), scratch=call.scratch,
                needs=tuple(part_of(tile, form) for form in call.needs),
                packs=packs,
                level=1,  # the template's loops are written out; measured to be as good
            ))  # fmt: skip
        return found


def part_of(tile: Tile, form: str) -> Part:
    """A micro-kernel as a part of code."""
    return Part(micro_name(tile, form), lambda: str(micro_module(tile, form)))


class Epilogue:
    """What is done with the products, for the template: it calls :meth:`write` with each vector."""

    def __init__(self, products: Products, tile: Tile) -> None:
        self.products, self.tile = products, tile
        self.places: Mapping[int, int] = {}
        self._emit: Emitter | None = None
        self._order: Mapping[object, int] | None = None
        self.key, self._values, self._buffers = self._tried()
        self.layout = Layout([f"p{k}" for k in range(len(self._values))])

    def _tried(self) -> tuple[str, list[int], set[int]]:
        """Writes the code once by itself, to know which integers it asks for."""
        tile = self.tile
        mask, value = Type("i1", tile.lanes), tile.vector
        given = [("batch", I64), ("m", I64), ("n", I64), ("value", value), ("mask", mask)]
        f = Module(tile.machine).function("epilogue", [*ARGUMENTS, *given])
        self._start(f, 0)
        at = f.arguments
        self.expect(f, at["batch"], at["m"], at["n"])
        self.write(f, at["batch"], at["m"], at["n"], at["value"], at["mask"])
        assert self._emit is not None
        arguments = self._emit.arguments
        self._order = arguments.order  # templates that never call expect ask in another order
        name = hashlib.sha256(str(f).encode()).hexdigest()[:16]
        return f"epilogue_{name}", list(arguments.values), set(arguments.buffers)

    def values(self) -> Mapping[str, int]:
        """The parameters of one call."""
        return {
            f"p{k}": self.places[v] if k in self._buffers else v for k, v in enumerate(self._values)
        }

    def begin(self, f: Function, params: Params) -> None:
        """Called once, at the kernel's beginning."""
        self._start(f, params.first)

    def _start(self, f: Function, first: int) -> None:
        table, params = f.arguments["table"], f.arguments["params"]
        arguments = Arguments(f, params, table, first, self._order)
        self._emit = emit = Emitter(f, arguments, self.tile.lanes)
        own = self.products.writes
        for root in self.products.roots:
            for x in parts(root.body):  # what is the same everywhere is read once
                plain = x.op not in ("product", "const") and not x.axes
                if plain and not loads(x) & own and not has_product(x):
                    emit(x)

    def expect(self, f: Function, batch: Value, m: Value, n: Value) -> None:
        """Has the memory fetched that :meth:`write` will read for one row of a tile."""
        emit, c = self._emit, self.products
        assert emit is not None
        emit.along, emit.mask = c.n, None
        emit.axes.update({c.batch: batch, c.m: m, c.n: n})
        own = c.writes
        loads = [x for root in c.roots for x in parts(root.body) if x.op == "load" and not x.args]
        with emit.scope():
            for x in dict.fromkeys(loads):
                buffer, index = x.attrs
                if buffer not in own and stride_along(index, c.n) == 1:
                    pointer, place = emit.arguments.pointer(buffer), emit.index(index, first=True)
                    for v in range(self.tile.vectors):
                        at = f.add(place, i64(v * self.tile.lanes)) if v else place
                        f.prefetch(f.at(pointer, at, MEMORY[x.dtype]))

    def write(
        self, f: Function, batch: Value, m: Value, n: Value, value: Value, mask: Value
    ) -> None:
        """Takes the sums of row ``m``, columns ``n`` and on."""
        emit, c = self._emit, self.products
        assert emit is not None
        emit.along, emit.mask = c.n, mask
        emit.axes.update({c.batch: batch, c.m: m, c.n: n})
        with emit.scope():
            emit.know(c.product, value)
            for root in c.roots:
                found = emit(root.body)
                emit.forward(found, root.dtype, root.buffer, root.place)
                if root.buffer in c.kept:
                    emit.store(found, root.dtype, root.buffer, root.place)


def has_product(x: Expr) -> bool:
    """Whether an expression depends on the product."""
    return any(part.op == "product" for part in parts(x))
