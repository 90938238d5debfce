"""Programs that tell what they are and what they do, where the environment asks for it."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

from rushlight.base.config import config
from rushlight.compiler.inside import Account, accounts, dump, table, told
from rushlight.compiler.inside.table import lasting
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.plain import Referred
from rushlight.compiler.program import Stages, stages
from rushlight.graph.graph import Graph

from .compiled import CompiledProgram
from .native import Calls

_numbers = itertools.count(1)


def watched_program(graph: Graph) -> CompiledProgram:
    """The compiled program of a graph, which is told of as the environment asks."""
    start = time.perf_counter()
    made, number = stages(graph, host()), next(_numbers)
    program: CompiledProgram
    if "timing" in config.log:
        program = TimedProgram(made, number)
    elif config.log:
        program = ListedProgram(made, number)
    else:
        program = CompiledProgram(graph, made.program)
    if config.debug:
        taken = time.perf_counter() - start
        print(told(made, host(), config.debug, number, taken), file=sys.stderr)
    if config.dump:
        dump(made, host(), Path(config.dump), number)
    return program


class ListedProgram(CompiledProgram):
    """A program that lists its kernels whenever it runs.

    Attributes:
        number: that it goes by.
        accounts: of its calls.
    """

    def __init__(self, made: Stages, number: int) -> None:
        self.number = number
        self.accounts: list[Account] = accounts(made)
        super().__init__(made.graph, made.program)

    def run(self, inputs: list[Any], unseen: Any = None) -> list[Any]:
        results = super().run(inputs, unseen)
        print(f"rushlight: program {self.number}\n{table(self.accounts)}", file=sys.stderr)
        return results


class TimedProgram(CompiledProgram):
    """A program that runs its calls one by one and tells how long each took."""

    def __init__(self, made: Stages, number: int) -> None:
        self.number = number
        self.accounts = accounts(made)
        self.seconds = [0.0] * len(self.accounts)
        self._counts = [len(codes) for codes in made.codes]
        self._referred: dict[int, int] = {}
        super().__init__(made.graph, made.program)

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
                yield _Timed(Calls(group, self._table, self.program.scratch), self.seconds, k)

    def _refer(self, call: Referred, present: list[Any], own: dict[int, Any]) -> bool:
        start = time.perf_counter()
        taken = super()._refer(call, present, own)
        self.seconds[self._referred[id(call)]] = time.perf_counter() - start
        return taken

    def run(self, inputs: list[Any], unseen: Any = None) -> list[Any]:
        results = super().run(inputs, unseen)
        total = lasting(sum(self.seconds))
        print(f"rushlight: program {self.number}: {total} in its calls", file=sys.stderr)
        if "kernels" in config.log:
            print(table(self.accounts, self.seconds), file=sys.stderr)
        return results


class _Timed:
    """A call whose time is noted."""

    def __init__(self, calls: Calls, seconds: list[float], place: int) -> None:
        self.calls, self.seconds, self.place = calls, seconds, place
        self.natives, self.leave_out = calls.natives, calls.leave_out

    def run(self) -> int:
        start = time.perf_counter()
        found: int = self.calls.run()
        self.seconds[self.place] = time.perf_counter() - start
        return found
