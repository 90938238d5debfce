"""Memory that several threads read and write at once."""

from __future__ import annotations

from .machine import Machine
from .text import Function, Type, Value


def peek(f: Function, pointer: Value, type: Type, order: str = "seq_cst") -> Value:
    """What a word holds now."""
    return f.emit(f"load atomic {type}, {pointer} {order}, align {type.bits // 8}", type)


def put(f: Function, x: Value, pointer: Value, order: str = "seq_cst") -> None:
    """Gives a word another value."""
    f.line(f"store atomic {x}, {pointer} {order}, align {x.type.bits // 8}")


def fetch(f: Function, op: str, pointer: Value, x: Value, order: str = "seq_cst") -> Value:
    """Applies ``add``, ``sub`` or ``xchg`` to a word; gives what it held before."""
    return f.emit(f"atomicrmw {op} {pointer}, {x} {order}", x.type)


def swap_if(f: Function, pointer: Value, old: Value, new: Value) -> Value:
    """Gives a word the value ``new`` if it holds ``old``; whether it did, as i1."""
    pair = f.fresh("pair")
    f.line(f"%{pair} = cmpxchg {pointer}, {old}, {new} acq_rel monotonic")
    return f.emit(f"extractvalue {{ {old.type}, i1 }} %{pair}, 1", Type("i1"))


def pause(f: Function, machine: Machine) -> None:
    """Tells the processor that this thread only waits."""
    if machine.triple.startswith("x86_64"):
        f.module.declare("llvm.x86.sse2.pause", Type("void"), [])
        f.line("call void @llvm.x86.sse2.pause()")
    elif machine.triple.startswith(("aarch64", "arm64")):
        f.module.declare("llvm.aarch64.hint", Type("void"), [Type("i32")])
        f.line("call void @llvm.aarch64.hint(i32 1)")
