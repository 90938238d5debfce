"""Schedules as text: the memory, and the calls in order with what each of them computes."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import Any

from ..inplace import reads_of, writes_of
from ..kernel import Kernel
from ..plain import flat
from ..program import Stages
from ..schedule import Schedule
from .account import Account, accounts
from .kernels import show_call

Names = Mapping[int, str]


def buffer_names(stages: Stages) -> dict[int, str]:
    """What the buffers of a schedule are called.

    ``x0`` and ``n0`` are inputs and numbers as in the graph's text, ``y0`` what leaves, ``t0`` what
    lives while the program runs.
    """
    plan, numbers = stages.plan, stages.graph.numbers
    ranks: dict[int, str] = {}
    for k in range(len(stages.graph.inputs)):
        letter = "n" if k in numbers else "x"
        ranks[k] = f"{letter}{sum(name[0] == letter for name in ranks.values())}"
    leaving = {b for out in plan.outputs for b in flat(out)}
    names: dict[int, str] = {}
    counts = {"y": 0, "t": 0}
    for number, buffer in enumerate(plan.buffers):
        if buffer.origin is not None:
            part = "" if buffer.part is None else f".{buffer.part}"
            names[number] = ranks[buffer.origin] + part
            continue
        letter = "y" if number in leaving else "t"
        names[number] = f"{letter}{counts[letter]}"
        counts[letter] += 1
    return names


def show_schedule(stages: Stages, *, kernels: bool = True) -> str:
    """The calls of a schedule in order, and the memory between them.

    Buffers that kernels keep in registers are in no list of memory.

    Args:
        kernels: whether to show the loops of each.
    """
    names, plan = buffer_names(stages), stages.plan
    lines = ["schedule {"]
    for account, call in zip(accounts(stages), plan.calls, strict=True):
        lines.append(f"  {heading(account)}")
        if kernels:
            lines.append(indent(show_call(call, names), "    "))
    lines.extend(f"  {line}" for line in memory(stages, names))
    outputs = ", ".join(_shown(out, names) for out in plan.outputs)
    return "\n".join([*lines, f"  return {outputs}", "}"])


def heading(account: Account) -> str:
    """One line about a call."""
    kind = account.template if not account.why else f"reference: {account.why}"
    where = f"   # {account.lines}" if account.lines else ""
    return f"{account.name} ({kind}) {account.loops}{where}"


def memory(stages: Stages, names: Names) -> list[str]:
    """Where buffers live, a line each."""
    plan, program = stages.plan, stages.program
    found = []
    touched = _touched(plan)
    local = {b for call in plan.calls if isinstance(call, Kernel) for b in call.local}
    order = _places(stages)
    for number, buffer in enumerate(plan.buffers):
        if number not in touched:
            continue
        where = "input" if buffer.origin is not None else "output"
        if number in plan.taken:
            where = f"output, in the memory of {names[plan.taken[number]]} if nobody else sees that"
        elif number in local:
            where = "one row for each thread"
        elif (at := program.offsets.get(order[number])) is not None:
            where = f"arena at {at}"
        elif names[number].startswith("t"):
            where = "memory of its own"
        found.append(f"{names[number]}: {buffer.spec}, {where}")
    return found


def _touched(plan: Schedule) -> set[int]:
    """The buffers that are in memory."""
    found: set[int] = set()
    for call in plan.calls:
        kept = getattr(call, "kept", None)
        found |= reads_of(call) | (writes_of(call) if kept is None else set(kept))
    return found | {b for out in plan.outputs for b in flat(out)}


def _places(stages: Stages) -> dict[int, int]:
    """Where in the program's table each buffer of the schedule is."""
    plan, numbers = stages.plan, stages.graph.numbers
    mine = [b for b, each in enumerate(plan.buffers) if each.origin is not None]
    leaving = dict.fromkeys(b for out in plan.outputs for b in flat(out))
    made = [b for b in leaving if plan.buffers[b].origin is None]
    known = {*mine, *made}
    order = [b for b in mine if plan.buffers[b].origin not in numbers] + made
    order += [b for b in mine if plan.buffers[b].origin in numbers]
    order += [b for b in range(len(plan.buffers)) if b not in known]
    return {buffer: k for k, buffer in enumerate(order)}


def _shown(out: Any, names: Names) -> str:
    return f"({', '.join(names[b] for b in out)})" if isinstance(out, tuple) else names[out]
