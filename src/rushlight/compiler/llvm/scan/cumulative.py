"""Cumulative operations along one dimension of three: (outer, size, inner).

How vectors lie depends on the sizes:

- ``across``: along the inner dimension, several vectors side by side;
- ``rows``: if there is none, over as many rows as a vector has lanes, which are transposed square
  by square on the way in and out;
- ``line``: nowhere; a few rows are done number by number;
- ``blocks``: along a row, if runs of elements can be joined: each vector joins itself, moved by one
  lane, by two and so on, and then what came before.

A row is never cut between threads, and the way depends on sizes alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rushlight.base.dtypes import DType, bool_, float32, int32, int64, uint8
from rushlight.compiler.llvm import elementary
from rushlight.compiler.llvm.contract import Layout, Params
from rushlight.compiler.llvm.contract.pack import KERNEL
from rushlight.compiler.llvm.contract.transpose import transposed
from rushlight.compiler.llvm.machine import Machine
from rushlight.compiler.llvm.scan.chains import CHAINS, Chain
from rushlight.compiler.llvm.text import Function, Module, Type, Value, const, i64, vector

SIZES = ("outer", "size", "inner", "chunks")
SIDE_BY_SIDE = 4
"""Vectors whose chains run beside each other: each waits for its last step."""

FEW = 4
"""Rows that are sooner done one by one."""


@dataclass(frozen=True)
class Way:
    """What decides the code.

    Attributes:
        name: the operation.
        dtype: of the elements.
        how: ``across``, ``rows`` or ``line``.
        lanes: elements of a vector.
        vectors: vectors side by side.
        inputs: how many inputs there are.
    """

    name: str
    dtype: DType
    how: str
    lanes: int
    vectors: int
    inputs: int

    @property
    def chain(self) -> Chain:
        """The operation."""
        return CHAINS[self.name]

    @property
    def buffers(self) -> tuple[str, ...]:
        """The names of the buffers."""
        given = tuple(f"x{k}" for k in range(self.inputs))
        return (*given, "y", "places") if self.chain.places else (*given, "y")

    @property
    def layout(self) -> Layout:
        """The parameters of a call."""
        return Layout([*SIZES, *self.buffers])

    @property
    def computed(self) -> DType:
        """What is computed with."""
        return computed_with(self.dtype)


def computed_with(dtype: DType) -> DType:
    """The type in which elements are brought together."""
    if dtype.is_half:
        return float32
    return int32 if dtype.itemsize < 4 else dtype


def way_of(name: str, dtype: DType, shape: tuple[int, int, int], machine: Machine) -> Way:
    """How to compute an operation on elements of a shape (outer, size, inner)."""
    outer, _, inner = shape
    lanes = machine.lanes(computed_with(dtype).itemsize * 8)
    inputs = 2 if name == "linear_recurrence" else 1
    if inner > 1:
        vectors = min(SIDE_BY_SIDE, -(-inner // lanes))
        return Way(name, dtype, "across", lanes, vectors, inputs)
    chain = CHAINS[name]
    how = "line" if outer <= FEW else "rows"
    if chain.join and (chain.quick or how == "line"):
        how = "blocks"
    return Way(name, dtype, how, lanes, 1, inputs)


def extent_of(way: Way, shape: tuple[int, int, int]) -> tuple[int, int]:
    """The length of the parallel axis, and into how many chunks the inner dimension is cut."""
    outer, _, inner = shape
    if way.how == "across":
        chunks = -(-inner // (way.lanes * way.vectors))
        return outer * chunks, chunks
    return (-(-outer // way.lanes), 1) if way.how == "rows" else (outer, 1)


def scratch_of(way: Way) -> int:
    """Bytes of scratch memory: a square for each input and each result."""
    square = way.lanes * way.lanes * way.computed.itemsize
    return len(way.buffers) * square if way.how == "rows" else 0


def cumulative_module(way: Way, name: str, machine: Machine) -> Module:
    """The kernel."""
    module = Module(machine)
    f = module.function(name, KERNEL)
    writer = _Cumulative(way, f)
    with f.loop(f.arguments["begin"], f.arguments["end"]) as task:
        getattr(writer, way.how)(task)
    f.ret()
    return module


class _Cumulative:
    def __init__(self, way: Way, f: Function) -> None:
        self.way, self.f, self.chain = way, f, way.chain
        self.p = Params(f, way.layout)
        self.at = {name: self.p.pointer(name) for name in way.buffers}
        self.given = way.buffers[: way.inputs]
        self.results = way.buffers[way.inputs :]
        self.element = elementary.ELEMENTS[way.computed]
        wide = Type(self.element).bits
        self.elements = [self.element, f"i{wide}"][: len(self.results)]

    # The chain -------------------------------------------------------------------------------

    def _started(self, lanes: int) -> list[Value]:
        """Variables for the state."""
        start = self.chain.start(Type(self.element))
        kinds = [Type(element, lanes) for element in self.elements]
        return [self.f.variable(const(x, kind)) for x, kind in zip(start, kinds, strict=True)]

    def _stepped(self, k: Value, slots: list[Value], given: list[Value]) -> list[Value]:
        """One element more; gives the new state."""
        f, lanes = self.f, given[0].type.lanes
        kinds = [Type(element, lanes) for element in self.elements]
        state = [f.get(slot, kind) for slot, kind in zip(slots, kinds, strict=True)]
        new = self.chain.step(f, k, state, given)
        for slot, value in zip(slots, new, strict=True):
            f.set(slot, value)
        return new

    # Ways ------------------------------------------------------------------------------------

    def line(self, row: Value) -> None:
        """A row, number by number."""
        f, p = self.f, self.p
        slots = self._started(0)
        with f.loop(i64(0), p["size"]) as k:
            place = f.add(f.mul(row, p["size"]), k)
            given = [self._load(name, place, 0, None) for name in self.given]
            for name, value in zip(self.results, self._stepped(k, slots, given), strict=True):
                self._store(name, value, place, None)

    def blocks(self, row: Value) -> None:
        """A row, as many numbers at a time as a vector has lanes."""
        f, p, lanes = self.f, self.p, self.way.lanes
        slots = self._started(lanes)
        (name,) = self.given
        with f.loop(i64(0), p["size"], lanes) as k:
            mask = f.lanes_below(f.sub(p["size"], k), lanes)
            place = f.add(f.mul(row, p["size"]), k)
            state = [self._load(name, place, lanes, mask)]
            if self.chain.places:
                kind = Type(self.elements[1], lanes)
                first = k if kind.bits == 64 else f.convert("trunc", k, kind.element)
                state.append(f.add(f.splat(first, lanes), vector(range(lanes), kind.element)))
            done = self._prefixes(state, slots)
            for result, value in zip(self.results, done, strict=True):
                self._store(result, value, place, mask)

    def _prefixes(self, state: list[Value], slots: list[Value]) -> list[Value]:
        """The states up to each lane, with all that came before."""
        f, lanes, join = self.f, self.way.lanes, self.chain.join
        assert join is not None
        nothing = [
            const(x, part.type)
            for x, part in zip(self.chain.start(Type(self.element)), state, strict=True)
        ]
        by = 1
        while by < lanes:
            order = [lanes + j if j < by else j - by for j in range(lanes)]
            moved = [f.shuffle(x, y, order) for x, y in zip(state, nothing, strict=True)]
            state = join(f, moved, state)
            by *= 2
        before = [f.get(slot, part.type) for slot, part in zip(slots, state, strict=True)]
        state = join(f, before, state)
        for slot, part in zip(slots, state, strict=True):
            f.set(slot, f.shuffle(part, part, [lanes - 1] * lanes))
        return state

    def across(self, task: Value) -> None:
        """Several vectors of the inner dimension."""
        f, p, way = self.f, self.p, self.way
        outer = f.binary("udiv", task, p["chunks"])
        first = f.mul(f.binary("urem", task, p["chunks"]), i64(way.lanes * way.vectors))
        starts = [f.add(first, i64(v * way.lanes)) for v in range(way.vectors)]
        masks = [f.lanes_below(f.sub(p["inner"], start), way.lanes) for start in starts]
        slots = [self._started(way.lanes) for _ in starts]
        with f.loop(i64(0), p["size"]) as k:
            row = f.mul(f.add(f.mul(outer, p["size"]), k), p["inner"])
            for start, mask, own in zip(starts, masks, slots, strict=True):
                place = f.add(row, start)
                given = [self._load(name, place, way.lanes, mask) for name in self.given]
                new = self._stepped(k, own, given)
                for name, value in zip(self.results, new, strict=True):
                    self._store(name, value, place, mask)

    def rows(self, task: Value) -> None:
        """As many rows as a vector has lanes."""
        f, p, lanes = self.f, self.p, self.way.lanes
        first = f.mul(task, i64(lanes))
        slots = self._started(lanes)
        with f.loop(i64(0), p["size"], lanes) as start:
            masks = self._square_masks(first, start)
            places = [f.add(f.mul(f.add(first, i64(j)), p["size"]), start) for j in range(lanes)]
            for name in self.given:
                lines = [self._load(name, places[j], lanes, masks[j]) for j in range(lanes)]
                for j, column in enumerate(transposed(f, lines)):
                    f.store(column, self._column(name, i64(j)))
            count = f.intrinsic("smin", f.sub(p["size"], start), i64(lanes))
            kind = Type(self.element, lanes)
            with f.loop(i64(0), count) as at:
                given = [f.load(self._column(name, at), kind) for name in self.given]
                new = self._stepped(f.add(start, at), slots, given)
                for name, value in zip(self.results, new, strict=True):
                    f.store(value, self._column(name, at))
            for name, element in zip(self.results, self.elements, strict=True):
                columns = [
                    f.load(self._column(name, i64(j)), Type(element, lanes)) for j in range(lanes)
                ]
                for j, line in enumerate(transposed(f, columns)):
                    self._store(name, line, places[j], masks[j])

    def _square_masks(self, first: Value, start: Value) -> list[Value]:
        """Which elements of each row of a square exist."""
        f, p, lanes = self.f, self.p, self.way.lanes
        within = f.lanes_below(f.sub(p["size"], start), lanes)
        nothing = f.lanes_below(i64(0), lanes)
        left = f.sub(p["outer"], first)
        here = [f.compare("sgt", left, i64(j)) for j in range(lanes)]
        return [f.select(each, within, nothing) for each in here]

    def _column(self, name: str, j: Value) -> Value:
        """A column of a square in scratch memory."""
        f, lanes = self.f, self.way.lanes
        square = self.way.buffers.index(name) * lanes
        place = f.mul(f.add(j, i64(square)), i64(lanes))
        return f.at(f.arguments["scratch"], place, self.element)

    # Memory ----------------------------------------------------------------------------------

    def _load(self, name: str, place: Value, lanes: int, mask: Value | None) -> Value:
        f, dtype = self.f, self._stored(name)
        type = Type(elementary.MEMORY[dtype], lanes)
        at = f.at(self.at[name], place, type.element)
        if mask is None:
            found = f.load(at, type)
        else:
            found = f.masked_load(at, type, mask, const(0, type))
        return elementary.convert(f, found, dtype, self.way.computed)

    def _store(self, name: str, value: Value, place: Value, mask: Value | None) -> None:
        f, dtype = self.f, self._stored(name)
        if name == "places":
            value = value if value.type.bits == 64 else f.convert("sext", value, "i64")
        else:
            value = elementary.convert(f, value, self.way.computed, dtype)
        at = f.at(self.at[name], place, value.type.element)
        if mask is None:
            f.store(value, at)
        else:
            f.masked_store(value, at, mask)

    def _stored(self, name: str) -> DType:
        """What a buffer holds; truths are numbers here."""
        if name == "places":
            return int64
        return uint8 if self.way.dtype is bool_ else self.way.dtype


def cumulative_params(
    way: Way, shape: tuple[int, int, int], buffers: Mapping[str, int]
) -> dict[str, int]:
    """The parameters by name; buffers still by their numbers."""
    _, chunks = extent_of(way, shape)
    sizes = dict(zip(SIZES, (*shape, chunks), strict=True))
    return {**sizes, **{name: buffers[name] for name in way.buffers}}
