"""Explanation: what became of a graph, as text and as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from rushlight.base.amounts import sized
from rushlight.graph.show import show

from ..program import Stages
from .account import Account, accounts
from .schedules import buffer_names, heading, show_schedule
from .table import table


@dataclass(frozen=True)
class ExplainedProgram:
    """One program, and everything on the way to it.

    Attributes:
        graph: what was recorded, as text.
        expanded: the same in simpler operations.
        schedule: the kernels as loops, in order, and where memory is.
        calls: what each call of the program does, in order.
        arena: bytes that exist only while the program runs.
        in_place: for results the inputs whose memory they may take, by the schedule's names.
        kept: whether the code of all kernels was there before, in memory or on disk.
        runs: how many times it ran.
    """

    graph: str
    expanded: str
    schedule: str
    calls: tuple[Account, ...]
    arena: int
    in_place: dict[str, str]
    kept: bool
    runs: int

    @staticmethod
    def of(stages: Stages, kept: bool, runs: int) -> ExplainedProgram:
        """What is to be said of a program."""
        names = buffer_names(stages)
        return ExplainedProgram(
            graph=show(stages.graph),
            expanded=show(stages.expanded),
            schedule=show_schedule(stages),
            calls=tuple(accounts(stages)),
            arena=stages.program.arena,
            in_place={names[new]: names[old] for new, old in stages.plan.taken.items()},
            kept=kept,
            runs=runs,
        )

    @property
    def kernels(self) -> list[Account]:
        """The calls that are compiled."""
        return [call for call in self.calls if not call.why]

    @property
    def references(self) -> list[Account]:
        """The calls that are run by their operation's reference."""
        return [call for call in self.calls if call.why]

    def __str__(self) -> str:
        shared = ", ".join(f"{new} over {old}" for new, old in self.in_place.items())
        lines = ["recorded:", self.graph, "expanded:", self.expanded, self.schedule]
        lines += [
            table(self.calls),
            *(f"by reference: {heading(call)}" for call in self.references),
        ]
        lines.append(f"memory: arena {sized(self.arena)}; in place: {shared or 'nothing'}")
        lines.append(f"code: {'kept from before' if self.kept else 'made now'}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Explanation:
    """The programs that ran, in the order in which each ran first.

    Attributes:
        programs: one for each distinct graph.
        result: what the function returned.
    """

    programs: tuple[ExplainedProgram, ...]
    result: object = field(repr=False, default=None)

    @property
    def kernels(self) -> list[Account]:
        """The compiled calls of all programs."""
        return [call for program in self.programs for call in program.kernels]

    @property
    def references(self) -> list[Account]:
        """The calls of all programs that are run by references."""
        return [call for program in self.programs for call in program.references]

    def __str__(self) -> str:
        if not self.programs:
            return "nothing had to be computed"
        found = []
        for k, program in enumerate(self.programs, 1):
            times = "once" if program.runs == 1 else f"{program.runs} times"
            found.append(f"program {k} of {len(self.programs)}, run {times}\n{program}")
        return "\n\n".join(found)
