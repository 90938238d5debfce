"""All stages of a program as text: for ``RUSHLIGHT_DEBUG`` and ``RUSHLIGHT_DUMP``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rushlight.base.amounts import lasting, sized
from rushlight.graph.show import show

from ..llvm.code import Code
from ..llvm.machine import Machine, assembly, optimised
from ..program import Stages
from .account import accounts, graph_lines
from .kernels import show_call
from .schedules import buffer_names, show_schedule


def told(stages: Stages, machine: Machine, level: int, number: int, seconds: float) -> str:
    """What there is to tell of a program that was made: more at every level.

    1 that it was made, 2 what passes did, 3 the schedule, 4 its kernels as loops, 5 their LLVM
    text, 6 their assembly.

    Args:
        number: of the program.
        seconds: that making it took.
    """
    found = [_first_line(stages, number, seconds)]
    if level >= 2:
        found += _passes(stages)
    if level >= 3:
        found.append(show_schedule(stages, kernels=level >= 4))
    for name, code in _codes(stages):
        if level >= 5:
            found.append(f"; {name}\n{code.text()}")
        if level >= 6:
            found.append(f"# {name}\n{assembly(code.text(), machine)}")
    return "\n".join(found)


def _first_line(stages: Stages, number: int, seconds: float) -> str:
    calls = accounts(stages)
    references = sum(bool(each.why) for each in calls)
    by = f", {references} by reference" if references else ""
    count = len(calls) - references
    return (
        f"rushlight: program {number}: {len(stages.graph.steps)} steps in {count}"
        f" kernel{'s' * (count != 1)}{by}, arena {sized(stages.program.arena)},"
        f" made in {lasting(seconds)} ({graph_lines(stages.graph)})"
    )


def _passes(stages: Stages) -> list[str]:
    plan = stages.plan
    return [
        f"  expand: {len(stages.graph.steps)} steps became {len(stages.expanded.steps)}",
        f"  schedule: {len(stages.expanded.steps)} steps became {len(plan.calls)} calls,"
        f" {len(plan.buffers)} buffers",
        f"  reuse: {len(plan.taken)} results may take the memory of inputs",
    ]


def _codes(stages: Stages) -> Iterator[tuple[str, Code]]:
    """The functions of a program by the names of their calls; equal ones come once."""
    seen: set[str] = set()
    for k, (account, codes) in enumerate(zip(accounts(stages), stages.codes, strict=True)):
        for part, code in enumerate(codes):
            if isinstance(code, Code) and code.name not in seen:
                seen.add(code.name)
                yield f"{k:02}_{account.name}" + (f"_{part}" if len(codes) > 1 else ""), code


def dump(stages: Stages, machine: Machine, folder: Path, number: int) -> None:
    """Writes every stage of a program to files, whose names sort as the stages follow."""
    folder.mkdir(parents=True, exist_ok=True)
    start = f"{number:04}"

    def write(name: str, text: str) -> None:
        (folder / f"{start}_{name}").write_text(text.rstrip("\n") + "\n", encoding="utf-8")

    write("1_graph.txt", show(stages.graph))
    write("2_expanded.txt", show(stages.expanded))
    write("3_schedule.txt", show_schedule(stages))
    names = buffer_names(stages)
    pairs = zip(accounts(stages), stages.plan.calls, strict=True)
    for k, (account, call) in enumerate(pairs):
        write(f"4_{k:02}_{account.name}_1.loops.txt", show_call(call, names))
    for name, code in _codes(stages):
        text = code.text()
        write(f"4_{name}_2.ll", text)
        write(f"4_{name}_3.optimised.ll", optimised(text, machine))
        write(f"4_{name}_4.s", assembly(text, machine))
