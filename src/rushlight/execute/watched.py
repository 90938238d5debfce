"""Programs that tell what they are and what they do, where the environment asks for it."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

from rushlight.base.amounts import lasting
from rushlight.base.config import config
from rushlight.compiler.inside import Account, accounts, dump, table, told
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.program import Stages, stages
from rushlight.graph.graph import Graph

from .compiled import CompiledProgram
from .timed import TimedProgram

_numbers = itertools.count(1)


def watched_program(graph: Graph) -> CompiledProgram:
    """The compiled program of a graph, which is told of as the environment asks."""
    start = time.perf_counter()
    made, number = stages(graph, host()), next(_numbers)
    program: CompiledProgram
    if "timing" in config.log:
        program = ToldProgram(made, number)
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


class ToldProgram(TimedProgram):
    """A program that tells how long each of its calls took whenever it runs.

    Attributes:
        number: that it goes by.
    """

    def __init__(self, made: Stages, number: int) -> None:
        self.number = number
        super().__init__(made)

    def run(self, inputs: list[Any], unseen: Any = None) -> list[Any]:
        results = super().run(inputs, unseen)
        total = lasting(sum(self.seconds))
        print(f"rushlight: program {self.number}: {total} in its calls", file=sys.stderr)
        if "kernels" in config.log:
            print(table(self.accounts, self.seconds), file=sys.stderr)
        return results
