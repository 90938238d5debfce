"""Account: what one call of a program computes, reads and writes, and whose lines asked for it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

from rushlight import ops
from rushlight.base import site as sites
from rushlight.graph.graph import Graph, Step
from rushlight.graph.op import View
from rushlight.graph.spec import Spec

from ..attention import Attending
from ..constant import CONSTANT
from ..contraction import Contraction
from ..convolution import Convolution
from ..epilogue import Products
from ..expand import several
from ..expr import LEAVES, Expr, parts
from ..index import Axis
from ..inplace import reads_of, writes_of
from ..integer import IntegerSums
from ..kernel import Kernel, Root
from ..plain import Referred
from ..program import Stages
from ..scan import Scan
from ..scatter import Scatter
from ..schedule import Buffer

SILENT = frozenset([CONSTANT, ops.together, ops.part, ops.cast])
"""What no kernel is named for."""


@dataclass(frozen=True)
class Account:
    """What one call of a program does.

    Attributes:
        name: of the operations that it holds, the last first, and two digits that tell apart
            kernels of the same operations.
        template: ``loops``, ``contract``, ``scan``, ``scatter`` or ``reference``.
        ops: names of the operations, in order.
        loops: the extents that it runs over, and those of its result if it only reduces.
        reads, writes: bytes of memory.
        flops: arithmetic operations, about.
        lines: the user's lines that asked for it.
        why: for a reference why there is no kernel; else empty.
        codes: names of the functions that are called.
    """

    name: str
    template: str
    ops: tuple[str, ...]
    loops: str
    reads: int
    writes: int
    flops: int
    lines: str
    why: str
    codes: tuple[str, ...]


def accounts(stages: Stages) -> list[Account]:
    """What each call of a program does, in order."""
    pairs = zip(stages.plan.calls, stages.codes, strict=True)
    return [_account(stages, call, codes) for call, codes in pairs]


def _account(stages: Stages, call: Any, codes: list[Any]) -> Account:
    steps = _steps(stages, call)
    named = [step.op.name for step in steps if _speaks(step)] or [step.op.name for step in steps]
    names = tuple("" if isinstance(code, Referred) else code.name for code in codes)
    buffers = stages.plan.buffers
    return Account(
        name=_name(named, call, names),
        template=template_of(call),
        ops=tuple(named),
        loops=_loops(call, buffers),
        reads=sum(_touched(call, buffer, buffers) for buffer in reads_of(call)),
        writes=sum(buffers[b].spec.nbytes for b in written(call)),
        flops=_flops(call, buffers),
        lines=sites.ranges(step.site for step in steps),
        why=_why(call, buffers) if isinstance(call, Referred) else "",
        codes=tuple(filter(None, names)),
    )


def _steps(stages: Stages, call: Any) -> list[Step]:
    """The steps of the expanded graph that a call computes."""
    origins, graph = stages.plan.origins, stages.expanded
    found = {k for buffer in writes_of(call) for k in origins.get(buffer, ())}
    return [graph.steps[k] for k in sorted(found)]


def _speaks(step: Step) -> bool:
    return step.op not in SILENT and not isinstance(step.op, View)


def _name(named: list[str], call: Any, codes: tuple[str, ...]) -> str:
    if isinstance(call, Referred):
        return call.step.op.name
    distinct = list(dict.fromkeys(reversed(named)))[:3]
    check = ["check"] if getattr(call, "fault", None) is not None else []
    if isinstance(call, Kernel) and all(root.body.op == "load" for root in call.roots):
        distinct = ["copy"]
    digits = zlib.crc32("+".join(codes).encode()) & 0xFF
    return "_".join([*check, *distinct, f"{digits:02x}"])


def template_of(call: Any) -> str:
    """Which template a call's code is of."""
    if isinstance(call, Kernel):
        return "loops"
    if isinstance(call, Products):
        return "contract"
    if isinstance(call, Scatter):
        return "scatter"
    if isinstance(call, Attending):
        return "attention"
    return "scan" if isinstance(call, Scan) else "reference"


def written(call: Any) -> list[int]:
    """The buffers that a call writes to memory."""
    if isinstance(call, Kernel):
        return sorted(call.kept - set(call.local))
    return sorted(call.kept if isinstance(call, Products) else writes_of(call))


def _why(call: Referred, buffers: list[Buffer]) -> str:
    specs: list[Spec] = [*several(call.step.spec)]
    for each in call.inputs:
        specs += [buffers[b].spec for b in (each if isinstance(each, tuple) else (each,))]
    if any(spec.dtype.is_complex for spec in specs):
        return "complex numbers have no kernels"
    return "the operation has no lowering for these types"


# Loops and sizes -----------------------------------------------------------------------------


def _times(extents: Iterable[int]) -> str:
    return "x".join(map(str, extents)) or "()"


def _extents(axes: Iterable[Axis]) -> list[int]:
    return [axis.extent for axis in axes]


def _loops(call: Any, buffers: list[Buffer]) -> str:
    if isinstance(call, Kernel):
        rows = _extents(call.rows)
        inner = [_extents(root.inner) for root in call.roots]
        reduced = [_extents(x.attrs[1]) for root in call.roots for x in root.reductions()]
        longest = max([*inner, *reduced], key=prod, default=[])
        result = "" if any(inner) or not reduced else f" -> {_times(rows)}"
        return _times([*rows, *longest]) + result
    if isinstance(call, Contraction):
        return _times([*call.extents, *call.sizes])
    if isinstance(call, (Convolution, IntegerSums)):
        w = call.window
        return _times([w.images, *w.out, w.outputs * w.groups, call.channels, *w.kernel])
    if isinstance(call, Scatter):
        return _times(call.extents)
    if isinstance(call, Attending):
        s = call.sizes
        lead = [n for n in s.lead if n > 1]
        return _times([*lead, s.queries, s.keys, s.width])
    return _times(buffers[call.outputs[0]].spec.shape)


def _touched(call: Any, buffer: int, buffers: list[Buffer]) -> int:
    """Bytes of a buffer that a call reads: no more than all of it."""
    spec = buffers[buffer].spec
    if not isinstance(call, Kernel):
        return spec.nbytes
    seen = {x for x in parts(*(root.body for root in call.roots)) if _loads(x, buffer)}
    elements = sum(_places(x) for x in seen)
    return min(spec.numel, elements) * spec.dtype.itemsize


def _loads(x: Expr, buffer: int) -> bool:
    return x.op == "load" and x.attrs[0] == buffer


def _places(x: Expr) -> int:
    return prod(axis.extent for axis in x.axes)


def _flops(call: Any, buffers: list[Buffer]) -> int:
    if isinstance(call, Referred):
        return 0
    if isinstance(call, Attending):
        return call.flops
    if isinstance(call, Scan):
        return sum(buffers[b].spec.numel for b in call.outputs)
    if isinstance(call, Scatter):
        return call.count * call.body.length
    total = 0
    if isinstance(call, Contraction):
        total = 2 * prod(call.extents) * prod(call.sizes)
    elif isinstance(call, (Convolution, IntegerSums)):
        w = call.window
        weights = w.groups * w.outputs * call.channels * prod(w.kernel)
        total = 2 * w.images * prod(w.out) * weights
    return total + _arithmetic(call.roots)


def _arithmetic(roots: list[Root]) -> int:
    """Functions of the results, each as often as its axes have places."""
    total = 0
    for x in parts(*(root.body for root in roots)):
        if x.op == "reduce":
            total += _places(x.args[0])
        elif x.op not in LEAVES and x.op not in ("cast", "product"):
            total += _places(x)
    return total


def graph_lines(graph: Graph) -> str:
    """The user's lines of a graph."""
    return sites.ranges(step.site for step in graph.steps)
