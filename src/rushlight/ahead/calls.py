"""The functions that make a model's calls, one after the other, on memory that the caller brings.

For the values of the dynamic size whose plans need the same kernels in the same order there is one
function, a *variant*, in which sizes and offsets are computed from the size. ``NAME`` looks which
one a size belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rushlight.compiler.llvm.text import (
    I32,
    I64,
    PTR,
    VOID,
    Function,
    Module,
    Type,
    Value,
    const,
    i64,
)

from .integers import Integers, constant
from .laid import At, Blocks, Called, Copy, Laid, numbers_of
from .stored import LINE, aligned

GIVEN = ("inputs", "outputs", "weights", "state", "workspace")
FINE, WRONG_INDEX, UNKNOWN_SIZE, MISALIGNED = 0, 1, -1, -2
PIECES = 4  # for each thread: those that are done early take from the others' share
NULL = Value("null", PTR)

# What a piece of a call needs to know, as it lies in the workspace, 8 bytes each.
WORK = ("code", "table", "params", "extent", "grain", "scratch", "stride")


@dataclass
class Variant:
    """Sizes whose plans differ in nothing but integers.

    Attributes:
        batches: the values of the dynamic size.
        plans: for each of them.
        sizes: bytes of workspace for each of them.
    """

    batches: tuple[int, ...]
    plans: list[Laid]

    def __post_init__(self) -> None:
        first = self.plans[0]
        self.head = aligned(8 * (len(first.table) + len(WORK)))
        params = sum(len(call.params) for call in first.calls)
        self.memory = self.head + aligned(8 * params)
        self.sizes = [LINE + self.memory + plan.memory + plan.scratch for plan in self.plans]

    def many(self, of: Callable[[Laid], int]) -> tuple[int, ...]:
        """An integer for each of the sizes."""
        return tuple(of(plan) for plan in self.plans)


def variants(batches: Sequence[int], plans: Sequence[Laid]) -> list[Variant]:
    """The plans, those together that one function can do."""
    found: dict[object, tuple[list[int], list[Laid]]] = {}
    for batch, plan in zip(batches, plans, strict=True):
        sizes, alike = found.setdefault(numbers_of(plan), ([], []))
        sizes.append(batch)
        alike.append(plan)
    return [Variant(tuple(sizes), alike) for sizes, alike in found.values()]


def write(
    name: str, found: Sequence[Variant], blocks: Blocks, state: bool, threads: bool
) -> tuple[dict[str, str], list[str]]:
    """The module with a model's functions, and the names of those that others call."""
    return _Writing(name, found, blocks, state, threads).texts()


class _Writing:
    def __init__(
        self, name: str, found: Sequence[Variant], blocks: Blocks, state: bool, threads: bool
    ) -> None:
        self.name, self.found, self.state, self.threads = name, found, state, threads
        self.module = Module()
        numbers = blocks.numbers.content()
        words = [int.from_bytes(numbers[k : k + 8], "little") for k in range(0, len(numbers), 8)]
        self.numbers = constant(self.module, words or [0])

    def texts(self) -> tuple[dict[str, str], list[str]]:
        for k, variant in enumerate(self.found):
            self._variant(k, variant)
        names = [self.name]
        if self.threads:
            self._task()
            names.append(f"{self.name}_parallel")
            self._function(names[1], True)
        self._function(self.name, False)
        return {self.name: str(self.module)}, names

    @property
    def _hands(self) -> list[tuple[str, Type]]:
        more = [("workers", I64), ("parallel", PTR), ("context", PTR)] if self.threads else []
        return [("batch", I64), *more]

    # What callers call -----------------------------------------------------------------------

    def _function(self, name: str, parallel: bool) -> None:
        """Checks what is given, and calls the variant of the size."""
        taken = [each for each in GIVEN if each != "state" or self.state]
        arguments = [(each, PTR) for each in taken]
        arguments += self._hands if parallel else [("batch", I64)]
        f = self.module.function(name, arguments, I32)
        given = dict(f.arguments)
        if not self.state:
            given["state"] = NULL
        if self.threads and not parallel:
            given |= {"workers": i64(1), "parallel": NULL, "context": NULL}
        self._refuse_misaligned(f, [given["weights"], given["state"]])
        low = f.emit(f"ptrtoint {given['workspace']} to i64", I64)
        skipped = f.binary("and", f.sub(i64(0), low), i64(LINE - 1))
        given["workspace"] = f.at(given["workspace"], skipped, "i8")
        passed = [given[each] for each in (*GIVEN, *(label for label, _ in self._hands))]
        cases = " ".join(
            f"i64 {n}, label %size{k}" for k, v in enumerate(self.found) for n in v.batches
        )
        f.line(f"switch {given['batch']}, label %unknown [ {cases} ]")
        for k in range(len(self.found)):
            f.label(f"size{k}")
            f.ret(f.invoke(f"{self.name}.{k}", I32, *passed))
        f.label("unknown")
        f.ret(const(UNKNOWN_SIZE, I32))

    def _refuse_misaligned(self, f: Function, blocks: Sequence[Value]) -> None:
        bits = [f.emit(f"ptrtoint {block} to i64", I64) for block in blocks]
        low = f.binary("and", f.binary("or", bits[0], bits[1]), i64(LINE - 1))
        with f.when(f.compare("ne", low, i64(0))):
            f.ret(const(MISALIGNED, I32))
            f.label(f.fresh("never"))

    # One variant -----------------------------------------------------------------------------

    def _variant(self, number: int, variant: Variant) -> None:
        arguments = [*((each, PTR) for each in GIVEN), *self._hands]
        f = self.module.function(f"{self.name}.{number}", arguments, I32, linkage="internal")
        self.f, self.variant = f, variant
        self.integers = Integers(self.module, f, variant.batches, f.arguments["batch"])
        workspace = f.arguments["workspace"]
        self.work = f.at(workspace, 8 * len(variant.plans[0].table), "i8")
        self.memory = f.at(workspace, variant.memory, "i8")
        self.scratch = f.at(self.memory, self._integer(lambda plan: plan.memory), "i8")
        self._fill_table()
        self.params = f.at(workspace, variant.head, "i8")
        self.used = 0
        for k, call in enumerate(variant.plans[0].calls):
            self._call(k, call)
        for k, copy in enumerate(variant.plans[0].copies):
            self._copy(copy, self._integer(lambda plan, k=k: plan.copies[k].size))  # type: ignore[misc]
        f.ret(const(FINE, I32))

    def _integer(self, of: Callable[[Laid], int]) -> Value:
        return self.integers.value(self.variant.many(of))

    def _fill_table(self) -> None:
        f = self.f
        for k, at in enumerate(self.variant.plans[0].table):
            if at.where:
                place = self._place(at, lambda plan, k=k: plan.table[k].number)  # type: ignore[misc]
                f.store(place, f.at(f.arguments["workspace"], k, "ptr"))

    def _place(self, at: At, number: Callable[[Laid], int]) -> Value:
        f = self.f
        if at.where in ("input", "output"):
            return f.load(f.at(f.arguments[f"{at.where}s"], at.number, "ptr"), PTR)
        if at.where == "place":
            return f.load(f.at(f.arguments["workspace"], at.number, "ptr"), PTR)
        known = {"memory": self.memory, "numbers": self.numbers}
        base = known.get(at.where) or f.arguments[at.where]
        return f.at(base, self._integer(number), "i8")

    def _call(self, k: int, call: Called) -> None:
        f = self.f
        extent = self._integer(lambda plan: plan.calls[k].extent)
        params = self._params(k, call)
        table = f.arguments["workspace"]
        if call.fault is not None:
            fault = self._place(At("place", call.fault), lambda plan: 0)
            f.store(const(0, I32), fault)
        if self.threads and max(self.variant.many(lambda plan: plan.calls[k].extent)) > 1:
            grain = self._integer(lambda plan: plan.calls[k].grain)
            self._shared(call, params, extent, grain)
        else:
            f.invoke(call.code.name, VOID, table, params, i64(0), extent, self.scratch)
        self.module.declare(call.code.name, VOID, [PTR, PTR, I64, I64, PTR])
        if call.fault is not None:
            wrong = f.compare("ne", f.load(fault, I32), const(0, I32))
            with f.when(wrong):
                f.ret(const(WRONG_INDEX, I32))
                f.label(f.fresh("never"))

    def _params(self, k: int, call: Called) -> Value:
        """The array of a call's integers; where some depend on the size, in the workspace."""
        if not call.params:
            return NULL
        rows = list(zip(*(plan.calls[k].params for plan in self.variant.plans), strict=True))
        if all(len(set(row)) == 1 for row in rows):
            return constant(self.module, call.params)
        f = self.f
        array = f.at(self.params, self.used, "i64")
        self.used += len(rows)
        for place, row in enumerate(rows):
            f.store(self.integers.value(row), f.at(array, place, "i64"))
        return array

    def _copy(self, copy: Copy, size: Value) -> None:
        f = self.f
        source = self._place(copy.source, lambda plan: 0)
        target = self._place(copy.target, lambda plan: copy.target.number)
        with f.loop(i64(0), size) as k:
            byte = f.load(f.at(source, k, "i8"), PTR.of("i8"))
            f.store(byte, f.at(target, k, "i8"))

    # Threads ---------------------------------------------------------------------------------

    def _shared(self, call: Called, params: Value, extent: Value, grain: Value) -> None:
        """One call, in pieces by the caller's threads if there are any, else in one."""
        f = self.f
        given = f.arguments
        alone, shared, done = f.fresh("alone"), f.fresh("shared"), f.fresh("called")
        more = f.compare("ne", given["parallel"], NULL)
        large = f.compare("sgt", extent, grain)
        f.branch(f.binary("and", more, large), shared, alone)
        f.label(shared)
        most = f.mul(given["workers"], i64(PIECES))
        even = f.binary("udiv", f.add(extent, f.sub(most, i64(1))), most)
        step = f.intrinsic("smax", even, grain)
        pieces = f.binary("udiv", f.add(extent, f.sub(step, i64(1))), step)
        scratch = i64(self.variant.plans[0].scratch)
        values = (Value(f"@{call.code.name}", PTR), given["workspace"], params, extent, step,
                  self.scratch, scratch)  # fmt: skip
        for k, value in enumerate(values):
            f.store(value, f.at(self.work, k, "i64"))
        task = Value(f"@{self.name}.task", PTR)
        f.invoke(given["parallel"].name, VOID, given["context"], task, self.work, pieces)
        f.jump(done)
        f.label(alone)
        f.invoke(call.code.name, VOID, given["workspace"], params, i64(0), extent, self.scratch)
        f.jump(done)
        f.label(done)

    def _task(self) -> None:
        """One piece of a call, done by the thread with a number."""
        arguments = [("work", PTR), ("piece", I64), ("worker", I64)]
        f = self.module.function(f"{self.name}.task", arguments, linkage="internal")
        pointers = ("code", "table", "params", "scratch")
        known = {
            label: f.load(f.at(f.arguments["work"], k, "i64"), PTR if label in pointers else I64)
            for k, label in enumerate(WORK)
        }
        begin = f.mul(f.arguments["piece"], known["grain"])
        end = f.intrinsic("smin", f.add(begin, known["grain"]), known["extent"])
        own = f.at(known["scratch"], f.mul(f.arguments["worker"], known["stride"]), "i8")
        f.invoke(known["code"].name, VOID, known["table"], known["params"], begin, end, own)
        f.ret()
