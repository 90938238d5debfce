"""Which of the two tiers runs a graph.

A graph that is seen for the first time is run with its operations' references, which takes no time
to prepare; one that comes back is compiled. The tiers agree to rounding only, so what a seed must
give again to the bit is compiled at once: optimizer steps, what follows a backward, and graphs that
draw random numbers, unless they do nothing that the tiers do not agree on to the bit.
``RUSHLIGHT_TIER`` is ``reference``, ``compiled`` or ``auto``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from rushlight.base.config import config
from rushlight.base.errors import ArgValueError
from rushlight.graph.graph import Graph
from rushlight.graph.spec import Spec

FEW = 1 << 17
"""Numbers that references draw in the time that a kernel takes to compile."""

TIERS = ("auto", "reference", "compiled")
_chosen = os.environ.get("RUSHLIGHT_TIER", "auto") or "auto"
if _chosen not in TIERS:
    raise ArgValueError("RUSHLIGHT_TIER", f"must be one of {', '.join(TIERS)}, not {_chosen!r}")


def first(at_once: bool) -> bool:
    """Whether a graph that is new is run by references; ``at_once`` if better compiled."""
    return _chosen == "reference" or (_chosen == "auto" and not (at_once or _repeats))


_repeats = False


def repeat(bits: bool) -> None:
    """Says whether a graph has to give the same bits whenever it is run, also the first time."""
    global _repeats
    _repeats = bits


def again() -> bool:
    """Whether a graph that comes back is compiled."""
    return _chosen != "reference"


def draws(graph: Graph) -> bool:
    """Whether a graph draws random numbers that had better be the compiled tier's from the first.

    The first values of most layers are the same bits in both, and few of them are drawn sooner than
    a kernel is made.
    """
    drawn = [step.spec for step in graph.steps if step.op.draws]
    if not all(step.op.ulp == 0 or step.op.transparent for step in graph.steps):
        return bool(drawn)
    return sum(spec.numel for spec in drawn if isinstance(spec, Spec)) > FEW


def chosen() -> str:
    """The tier that is forced, or ``auto``."""
    return _chosen


def choose(tier: str) -> str:
    """Forces a tier for what comes; returns the one before.

    Raises:
        ValueError: there is no such tier.
    """
    global _chosen
    if tier not in TIERS:
        raise ArgValueError("tier", f"must be one of {', '.join(TIERS)}, not {tier!r}")
    before, _chosen = _chosen, tier
    return before


@contextlib.contextmanager
def only(tier: str) -> Iterator[None]:
    """Forces a tier for a block."""
    before = choose(tier)
    try:
        yield
    finally:
        choose(before)


def compiled_program(graph: Graph) -> Any:
    """A graph's program of compiled kernels. Loads LLVM if there is one that is kept nowhere."""
    if config.tells:
        from .watched import watched_program

        return watched_program(graph)

    from rushlight.compiler.llvm.machine import host
    from rushlight.compiler.recall import Gone, keep, recall

    from .compiled import CompiledProgram

    machine = host()
    if (known := recall(graph, machine)) is not None:
        with contextlib.suppress(Gone):
            return CompiledProgram(graph, known)

    from rushlight.compiler.program import compiled

    program = compiled(graph, machine)
    made = CompiledProgram(graph, program)
    keep(graph, machine, program)
    return made
