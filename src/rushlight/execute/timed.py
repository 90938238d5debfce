"""A compiled program that knows how long each of its calls took."""

from __future__ import annotations

import itertools
from typing import Any

from rushlight.compiler.inside import accounts
from rushlight.compiler.plain import Referred
from rushlight.compiler.program import Stages

from .compiled import CompiledProgram
from .native import Calls
from .timeline import Times, now


class TimedProgram(CompiledProgram):
    """A compiled program that runs its calls one by one.

    Attributes:
        accounts: what each call does.
        times: of each call in the last run; one that was left out took no time.
    """

    def __init__(self, made: Stages) -> None:
        self.accounts = accounts(made)
        self.times: list[Times] = [(0, 0)] * len(self.accounts)
        self._counts = [len(codes) for codes in made.codes]
        self._referred: dict[int, int] = {}
        super().__init__(made.graph, made.program)

    @property
    def seconds(self) -> list[float]:
        """How long each call took."""
        return [(end - start) / 1e9 for start, end in self.times]

    def _cut_at_references(self) -> Any:
        calls = iter(self.program.calls)
        for k, count in enumerate(self._counts):
            group: list[Any] = list(itertools.islice(calls, count))
            if not group:
                continue
            if isinstance(group[0], Referred):
                self._referred[id(group[0])] = k
                yield group[0]
            else:
                yield _Timed(Calls(group, self._table, self.program.scratch), self.times, k)

    def _refer(self, call: Referred, present: list[Any], own: dict[int, Any]) -> bool:
        start = now()
        taken = super()._refer(call, present, own)
        self.times[self._referred[id(call)]] = start, now()
        return taken


class _Timed:
    """A call whose time is noted."""

    def __init__(self, calls: Calls, times: list[Times], place: int) -> None:
        self.calls, self.times, self.place = calls, times, place
        self.natives, self.leave_out = calls.natives, calls.leave_out

    def run(self) -> int:
        start = now()
        found: int = self.calls.run()
        self.times[self.place] = start, now()
        return found
