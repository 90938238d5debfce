"""LLVM IR as text: typed values, and the functions and modules that they are written into.

Text is printed directly because it is short, readable and a hundred times quicker to make than
through an object for every instruction. A variable that changes in a loop is a slot on the stack
(:meth:`Function.variable`), which LLVM's ``sroa`` pass turns into registers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .machine import Machine

FLOATS = ("half", "float", "double")
BITS = {
    "i1": 1, "i8": 8, "i16": 16, "i32": 32, "i64": 64, "half": 16, "float": 32, "double": 64,
    "ptr": 64,
}  # fmt: skip


class Type(NamedTuple):
    """An LLVM type: a scalar when ``lanes`` is 0, else a vector."""

    element: str
    lanes: int = 0

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating point."""
        return self.element in FLOATS

    @property
    def bits(self) -> int:
        """Bits of one element."""
        return BITS[self.element]

    def __str__(self) -> str:
        return f"<{self.lanes} x {self.element}>" if self.lanes else self.element

    @property
    def suffix(self) -> str:
        """The type in the name of an intrinsic: ``v16f32``."""
        short = {"float": "f32", "double": "f64", "half": "f16", "ptr": "p0"}
        return f"v{self.lanes}" * bool(self.lanes) + short.get(self.element, self.element)

    def of(self, element: str) -> Type:
        """As many lanes of another element."""
        return Type(element, self.lanes)


class Value(NamedTuple):
    """A value of a function: a register or a constant, with its type."""

    name: str
    type: Type

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


VOID, PTR, I1, I8, I32, I64 = (Type(name) for name in ("void", "ptr", "i1", "i8", "i32", "i64"))
FLOAT, DOUBLE = Type("float"), Type("double")


def literal(number: float | int | bool, element: str) -> str:
    """A constant as LLVM writes it; floating point as the exact bits."""
    if element in FLOATS:
        if element == "half":
            return f"0xH{struct.unpack('<H', struct.pack('<e', number))[0]:04X}"
        if element == "float":
            number = struct.unpack("<f", struct.pack("<f", number))[0]
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if element == "i1":
        return "true" if number else "false"
    return str(int(number))


def const(number: float | int | bool, type: Type) -> Value:
    """A constant; the same in every lane of a vector."""
    text = literal(number, type.element)
    return Value(f"splat ({type.element} {text})" if type.lanes else text, type)


def vector(numbers: Sequence[float | int | bool], element: str) -> Value:
    """A constant vector of these numbers."""
    parts = ", ".join(f"{element} {literal(number, element)}" for number in numbers)
    return Value(f"<{parts}>", Type(element, len(numbers)))


def i64(number: int) -> Value:
    """A constant 64-bit integer."""
    return Value(str(number), I64)


class Module:
    """Functions that are compiled together, with what they declare.

    Args:
        machine: what they will run on, where that lets them use more than LLVM's common language.
    """

    def __init__(self, machine: Machine | None = None) -> None:
        self.machine = machine
        self._declared: dict[str, str] = {}
        self._globals: dict[str, str] = {}
        self._functions: list[Function] = []

    def has(self, name: str) -> bool:
        """Whether a function of this name has been written."""
        return any(function.name == name for function in self._functions)

    def declare(self, name: str, result: Type, arguments: Sequence[Type]) -> None:
        """Notes an intrinsic or a C function that is called."""
        self._declared[name] = f"declare {result} @{name}({', '.join(map(str, arguments))})"

    def constant(self, name: str, text: str) -> Value:
        """A global; ``text`` is what follows its name, such as ``constant i32 0, align 64``."""
        self._globals[name] = f"@{name} = {text}"
        return Value(f"@{name}", PTR)

    def function(
        self, name: str, arguments: Sequence[tuple[str, Type]], result: Type = VOID,
        attributes: str = "nounwind", linkage: str = "",
    ) -> Function:  # fmt: skip
        """A new function; write its body, and end it with :meth:`Function.ret`."""
        made = Function(self, name, arguments, result, attributes, linkage)
        self._functions.append(made)
        return made

    def __str__(self) -> str:
        parts = [*self._globals.values(), *map(str, self._functions), *self._declared.values()]
        return "\n".join(parts) + "\n"


class Function:
    """The body of one function, written instruction by instruction.

    Attributes:
        arguments: the values of the arguments, by name.
    """

    def __init__(
        self, module: Module, name: str, arguments: Sequence[tuple[str, Type]], result: Type,
        attributes: str, linkage: str,
    ) -> None:  # fmt: skip
        self.module = module
        self.name = name
        self.result = result
        self.arguments = {label: Value(f"%{label}", type) for label, type in arguments}
        # No two pointers of a kernel show the same memory unless its plan says so.
        listed = ", ".join(f"{type} %{label}" for label, type in arguments)
        self._head = f"define {linkage} {result} @{name}({listed}) {attributes} {{"
        self._slots: list[str] = []
        self._start: list[str] = []  # instructions that dominate everything else
        self._lines: list[str] = []
        self._count = 0
        self.block = "entry"

    def __str__(self) -> str:
        return "\n".join([self._head, "entry:", *self._slots, *self._start, *self._lines, "}"])

    # Plain text ------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """One instruction without a result."""
        self._lines.append("  " + text)

    def comment(self, text: str) -> None:
        """A remark for whoever reads the text."""
        self._lines.append("  ; " + text)

    @contextmanager
    def at_entry(self) -> Iterator[None]:
        """Writes the block's instructions at the start of the function."""
        lines, self._lines = self._lines, self._start
        yield
        self._lines = lines

    def fresh(self, prefix: str = "v") -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"{prefix}{self._count}"

    def emit(self, text: str, type: Type) -> Value:
        """One instruction with a result."""
        name = "%" + self.fresh()
        self._lines.append(f"  {name} = {text}")
        return Value(name, type)

    def call(self, name: str, result: Type, *arguments: Value, flags: str = "") -> Value:
        """Calls an intrinsic or a C function, declaring it."""
        self.module.declare(name, result, [argument.type for argument in arguments])
        return self.invoke(name, result, *arguments, flags=flags)

    def invoke(self, name: str, result: Type, *arguments: Value, flags: str = "") -> Value:
        """Calls a function of this module, or through a pointer if ``name`` starts with ``%``."""
        target = name if name.startswith("%") else f"@{name}"
        given = ", ".join(map(str, arguments))
        text = f"call {flags + ' ' if flags else ''}{result} {target}({given})"
        if result == VOID:
            self.line(text)
            return Value("", VOID)
        return self.emit(text, result)

    # Arithmetic ------------------------------------------------------------------------------

    def binary(self, op: str, x: Value, y: Value) -> Value:
        """An instruction on two values of one type, such as ``fadd contract``."""
        return self.emit(f"{op} {x.type} {x.name}, {y.name}", x.type)

    def add(self, x: Value, y: Value) -> Value:
        """``x + y``."""
        return self.binary("fadd contract" if x.type.is_float else "add", x, y)

    def sub(self, x: Value, y: Value) -> Value:
        """``x - y``."""
        return self.binary("fsub contract" if x.type.is_float else "sub", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        """``x * y``."""
        return self.binary("fmul contract" if x.type.is_float else "mul", x, y)

    def fma(self, x: Value, y: Value, z: Value) -> Value:
        """``x * y + z`` rounded once."""
        return self.call(f"llvm.fma.{x.type.suffix}", x.type, x, y, z)

    def neg(self, x: Value) -> Value:
        """``-x``."""
        if x.type.is_float:
            return self.emit(f"fneg {x.type} {x.name}", x.type)
        return self.sub(const(0, x.type), x)

    def intrinsic(self, name: str, *arguments: Value) -> Value:
        """An LLVM intrinsic whose result and name have the type of its first argument."""
        first = arguments[0].type
        return self.call(f"llvm.{name}.{first.suffix}", first, *arguments)

    def compare(self, how: str, x: Value, y: Value) -> Value:
        """A comparison; ``how`` is LLVM's word, such as ``olt``, for integers ``slt``."""
        kind = "fcmp" if x.type.is_float else "icmp"
        return self.emit(f"{kind} {how} {x.type} {x.name}, {y.name}", x.type.of("i1"))

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        """``x`` where ``condition`` holds, else ``y``."""
        return self.emit(f"select {condition}, {x}, {y}", x.type)

    def convert(self, op: str, x: Value, element: str) -> Value:
        """``fptosi``, ``sext``, ``bitcast``... to another element with as many lanes."""
        type = x.type.of(element)
        return self.emit(f"{op} {x} to {type}", type)

    # Vectors ---------------------------------------------------------------------------------

    def splat(self, x: Value, lanes: int) -> Value:
        """A scalar in every lane."""
        type = Type(x.type.element, lanes)
        if not x.name.startswith("%"):
            return Value(f"splat ({x})", type)
        first = self.emit(f"insertelement {type} poison, {x}, i64 0", type)
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.emit(f"shufflevector {first}, {type} poison, {zeros}", type)

    def extract(self, x: Value, lane: int | Value) -> Value:
        """One lane."""
        place = lane if isinstance(lane, Value) else i64(lane)
        return self.emit(f"extractelement {x}, {place}", Type(x.type.element))

    def shuffle(self, x: Value, y: Value, lanes: Sequence[int]) -> Value:
        """Lanes of ``x`` (from 0) and of ``y`` (after them), chosen by number; -1 is any."""
        chosen = ", ".join(f"i32 {lane}" if lane >= 0 else "i32 poison" for lane in lanes)
        type = Type(x.type.element, len(lanes))
        return self.emit(f"shufflevector {x}, {y}, <{len(lanes)} x i32> <{chosen}>", type)

    def lanes_below(self, limit: Value, lanes: int) -> Value:
        """A mask of the lanes whose number is less than the integer ``limit``."""
        numbers = vector(range(lanes), "i32")
        limit = self.emit(f"trunc {limit} to i32", I32) if limit.type == I64 else limit
        return self.compare("slt", numbers, self.splat(limit, lanes))

    # Memory ----------------------------------------------------------------------------------

    def at(self, pointer: Value, index: Value | int, element: str) -> Value:
        """The address of element ``index``."""
        place = index if isinstance(index, Value) else i64(index)
        element = "i64" if element == "ptr" else element  # 8 bytes in memory where it has 4, too
        return self.emit(f"getelementptr inbounds {element}, {pointer}, {place}", PTR)

    def load(self, pointer: Value, type: Type, align: int = 0, note: str = "") -> Value:
        """A value from memory. Alignment in bytes, that of the element by default."""
        align = align or max(1, type.bits // 8)
        return self.emit(f"load {type}, {pointer}, align {align}{note}", type)

    def store(self, x: Value, pointer: Value, align: int = 0, note: str = "") -> None:
        """A value to memory."""
        align = align or max(1, x.type.bits // 8)
        self.line(f"store {x}, {pointer}, align {align}{note}")

    def prefetch(self, pointer: Value, write: bool = False) -> None:
        """Has memory fetched that will soon be read, or written, and stay close."""
        hints = [Value(number, I32) for number in ("1" if write else "0", "3", "1")]
        self.call("llvm.prefetch.p0", VOID, pointer, *hints)

    def masked_load(self, pointer: Value, type: Type, mask: Value, otherwise: Value) -> Value:
        """A vector from memory; lanes outside of ``mask`` are not read."""
        align = Value(str(max(1, type.bits // 8)), I32)
        name = f"llvm.masked.load.{type.suffix}.p0"
        self.module.declare(name, type, [PTR, I32, mask.type, type])
        return self.invoke(name, type, pointer, align, mask, otherwise)

    def masked_store(self, x: Value, pointer: Value, mask: Value) -> None:
        """A vector to memory; lanes outside of ``mask`` are not written."""
        align = Value(str(max(1, x.type.bits // 8)), I32)
        name = f"llvm.masked.store.{x.type.suffix}.p0"
        self.module.declare(name, VOID, [x.type, PTR, I32, mask.type])
        self.invoke(name, VOID, x, pointer, align, mask)

    def gather(self, pointers: Value, type: Type, mask: Value, otherwise: Value) -> Value:
        """A vector from one address for each lane."""
        align = Value(str(max(1, type.bits // 8)), I32)
        name = f"llvm.masked.gather.{type.suffix}.v{type.lanes}p0"
        self.module.declare(name, type, [pointers.type, I32, mask.type, type])
        return self.invoke(name, type, pointers, align, mask, otherwise)

    def scatter(self, x: Value, pointers: Value, mask: Value) -> None:
        """A vector to one address for each lane; of equal addresses the last lane's stays."""
        align = Value(str(max(1, x.type.bits // 8)), I32)
        name = f"llvm.masked.scatter.{x.type.suffix}.v{x.type.lanes}p0"
        self.module.declare(name, VOID, [x.type, pointers.type, I32, mask.type])
        self.invoke(name, VOID, x, pointers, align, mask)

    # Variables and control -------------------------------------------------------------------

    def variable(self, initial: Value) -> Value:
        """A slot that :meth:`get` and :meth:`set` use; it starts as ``initial`` from here on."""
        name = "%" + self.fresh("slot")
        self._slots.append(f"  {name} = alloca {initial.type}")
        slot = Value(name, PTR)
        self.set(slot, initial)
        return slot

    def array(self, element: str, count: int) -> Value:
        """Memory on the stack, aligned to 64 bytes; what is in it at first is not defined."""
        name = "%" + self.fresh("array")
        self._slots.append(f"  {name} = alloca [{count} x {element}], align 64")
        return Value(name, PTR)

    def get(self, slot: Value, type: Type) -> Value:
        """What a variable holds now."""
        return self.emit(f"load {type}, ptr {slot.name}", type)

    def set(self, slot: Value, x: Value) -> None:
        """Gives a variable another value."""
        self.line(f"store {x}, ptr {slot.name}")

    def label(self, name: str) -> None:
        """Begins a block; the one before must have ended in a jump."""
        self._lines.append(f"{name}:")
        self.block = name

    def jump(self, label: str) -> None:
        """Goes on in another block."""
        self.line(f"br label %{label}")

    def branch(self, condition: Value, yes: str, no: str) -> None:
        """Goes on in one of two blocks."""
        self.line(f"br {condition}, label %{yes}, label %{no}")

    def ret(self, x: Value | None = None) -> None:
        """Ends the function."""
        self.line(f"ret {x}" if x is not None else "ret void")

    @contextmanager
    def loop(self, start: Value, stop: Value, step: int | Value = 1) -> Iterator[Value]:
        """Runs the block for i from ``start`` while ``i < stop``; gives i."""
        head, body, done = self.fresh("loop"), self.fresh("body"), self.fresh("done")
        counter = self.variable(start)
        self.jump(head)
        self.label(head)
        i = self.get(counter, start.type)
        self.branch(self.compare("slt", i, stop), body, done)
        self.label(body)
        yield i
        by = step if isinstance(step, Value) else const(step, start.type)
        self.set(counter, self.emit(f"add nsw {i}, {by.name}", i.type))
        self.jump(head)
        self.label(done)

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """Runs the block if a scalar condition holds."""
        yes, done = self.fresh("when"), self.fresh("end")
        self.branch(condition, yes, done)
        self.label(yes)
        yield
        self.jump(done)
        self.label(done)
