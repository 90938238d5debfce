"""Seeing which programs run, for those who explain or count them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rushlight.compiler.inside.explanation import ExplainedProgram
from rushlight.compiler.kept import kept
from rushlight.compiler.llvm.code import Code
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.program import Stages, stages

from . import tier
from .cut import Cut
from .realize import watchers


@dataclass
class Ran:
    """A graph that was run.

    Attributes:
        stages: what is compiled for it.
        known: whether there was a program for it before.
        kept: whether all its code was there before, in memory or on disk.
        runs: how many times it ran.
    """

    stages: Stages
    known: bool
    kept: bool
    runs: int = 0

    def explained(self) -> ExplainedProgram:
        """What is to be said of it."""
        return ExplainedProgram.of(self.stages, self.kept, self.runs)


@dataclass
class Watch:
    """What ran while somebody watched, each graph once, in the order of first runs."""

    found: dict[Any, Ran] = field(default_factory=dict)

    def __call__(self, cut: Cut, known: bool) -> None:
        ran = self.found.get(cut.key)
        if ran is None:
            made = stages(cut.graph(), host())
            codes = [c for call in made.codes for c in call if isinstance(c, Code)]
            there = all(kept.has(code.name, host(), code.level) for code in codes)
            ran = self.found[cut.key] = Ran(made, known, there)
        ran.runs += 1


@contextmanager
def watching() -> Iterator[Watch]:
    """Watches programs run in the block, which are compiled whatever the tier is."""
    watch = Watch()
    before = tier.choose("compiled")
    watchers.append(watch)
    try:
        yield watch
    finally:
        watchers.remove(watch)
        tier.choose(before)
