"""Programs from one process to the next: what a graph was compiled to, found by the graph's text.

Scheduling a training step takes longer than loading its kernels, so a process that meets a graph
which another one compiled is told what came of it. Kept is plain data without any text: if a
kernel's own code is no longer there, the graph is compiled again.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from rushlight.base.config import config
from rushlight.base.device import CPU, device
from rushlight.base.dtypes import DType, named
from rushlight.base.errors import InternalError
from rushlight.graph.graph import Graph
from rushlight.graph.op import table
from rushlight.graph.spec import Spec

from .folder import Folder, default, digest
from .llvm.code import Code, Part
from .llvm.machine import Machine
from .plain import Native, Packing, Program
from .stamp import stamp

FORMAT = 4  # of marshal
_PLAIN = (bool, int, float, complex, str, DType, Spec, device)


class Gone(Exception):
    """A kernel of a program that was recalled is not kept any more."""


def keep(graph: Graph, machine: Machine, program: Program, folder: Folder | None = None) -> None:
    """Notes what a graph was compiled to, if that can be said in plain data."""
    name = _name(graph, machine)
    data = _plain(program)
    if name is not None and data is not None:
        (folder or default()).write(name, marshal.dumps(data, FORMAT))


def recall(graph: Graph, machine: Machine, folder: Folder | None = None) -> Program | None:
    """What the graph was compiled to, now or by another process; None if nobody knows.

    The texts of its kernels raise :class:`Gone`: they are for code that is kept nowhere.
    """
    name = _name(graph, machine)
    found = None if name is None else (folder or default()).read(name)
    return None if found is None else _program(marshal.loads(found))


def _name(graph: Graph, machine: Machine) -> str | None:
    """The name for a graph; None if its text does not say all of it."""
    text = _text(graph)
    if text is None:
        return None
    python = sys.implementation.cache_tag or sys.version
    off = repr(sorted(config.off)).encode()
    parts = (b"program", stamp(), repr(machine).encode(), python.encode(), off, text.encode())
    return digest(*parts).hex()


def _text(graph: Graph) -> str | None:
    lines = [repr((graph.inputs, sorted(graph.numbers), graph.outputs))]
    for step in graph.steps:
        own = table.get(step.op.name) is not step.op  # a user's: two may have one name
        if own or not _is_plain(step.attrs):
            return None
        lines.append(f"{step.op.name} {step.inputs} {step.attrs!r} {step.spec!r}")
    return "\n".join(lines)


def _is_plain(attr: object) -> bool:
    """Whether the text of an attribute says all of it."""
    if isinstance(attr, tuple):
        return all(map(_is_plain, attr))
    return attr is None or isinstance(attr, _PLAIN)


# Plain data --------------------------------------------------------------------------------------


def _plain(program: Program) -> tuple[Any, ...] | None:
    native = [call for call in program.calls if isinstance(call, Native)]
    on_cpu = all(spec.device is CPU for spec in program.specs)
    if len(native) != len(program.calls) or not on_cpu:
        return None
    return (
        tuple((tuple(spec.shape), spec.dtype.name) for spec in program.specs),
        program.given, program.made, program.taken, program.numbers, program.outputs,
        dict(program.offsets), program.arena, program.scratch,
        tuple(_plain_call(call) for call in native),
        tuple((p.call, p.given, p.packed, p.size, p.key) for p in program.packings),
    )  # fmt: skip


def _plain_call(call: Native) -> tuple[Any, ...]:
    code = call.code
    needs = tuple(part.name for part in code.needs)
    params = tuple(map(int, call.params))
    return (
        code.name, code.extent, code.work, code.scratch, needs,
        params, call.grain, call.fault, call.buffers, code.level,
    )  # fmt: skip


def _program(data: tuple[Any, ...]) -> Program:
    specs, given, made, taken, numbers, outputs, offsets, arena, scratch, calls, packings = data
    return Program(
        specs=tuple(Spec.of(shape, named(dtype)) for shape, dtype in specs),
        given=given, made=made, taken=taken, numbers=numbers, outputs=outputs,
        offsets=offsets, arena=arena, scratch=scratch, calls=tuple(map(_call, calls)),
        packings=tuple(Packing(*each) for each in packings),
    )  # fmt: skip


def _call(data: tuple[Any, ...]) -> Native:
    name, extent, work, scratch, needs, params, grain, fault, buffers, level = data
    code = Code(
        name=name, text=_gone, params=_settled, buffers=(), extent=extent, work=work,
        scratch=scratch, needs=tuple(Part(each, _gone) for each in needs), level=level, fault=None,
    )  # fmt: skip
    return Native(code, params, grain, fault, buffers)


def _gone() -> NoReturn:
    raise Gone


def _settled(place: Mapping[int, int]) -> NoReturn:
    raise InternalError("the parameters of a recalled call are settled")
