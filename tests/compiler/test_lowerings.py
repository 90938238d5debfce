"""Every lowering against the reference beside it, on the samples of every operation."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))

from lowered import (
    assert_agrees,
    has_expansion,
    is_lowered,
    lowered,
    lowers,
    said,
    sights,
    simpler,
    special,
)
from make import Make
from unlowered import UNLOWERED

from rushlight import ops
from rushlight.compiler import integer, scan
from rushlight.execute import tier
from rushlight.graph.op import Composite, Op, table
from rushlight.ops.elementwise import Elementwise
from rushlight.ops.update import Update

# Those without a public function have samples of their own only if they are of these families.
SAMPLED = [
    op
    for _, op in sorted(table.items())
    if (op.torch or isinstance(op, (Elementwise, Update))) and list(op.samples(Make(op)))
]


@pytest.fixture(autouse=True)
def by_references():
    """Formulas are compared here, and what an expansion is made of is rounded as NumPy does."""
    with tier.only("reference"):
        yield


@pytest.mark.parametrize("op", SAMPLED, ids=lambda op: op.name)
def test_lowering_is_the_reference(op):
    """All steps of the samples and of their gradients, those of expansions included."""
    seen, made = set(), set()
    waiting = [each for each in sights(op) if each.step.op is op or _first_of_kind(each, made)]
    while waiting:
        sight = waiting.pop()
        if not lowers(sight):
            continue
        try:
            assert_agrees(sight, lowered(sight))
            if has_expansion(sight.step.op):
                waiting += [part for part in simpler(sight) if _first_of_kind(part, made)]
            key = (sight.step.op, sight.step.attrs, *(spec.dtype for spec in sight.specs))
            if isinstance(sight.step.op, Elementwise) and key not in seen:
                seen.add(key)
                _agrees_on_special_values(sight)
        except Exception as error:
            error.add_note(said(sight))
            raise


def _first_of_kind(sight, made):
    """Whether no elementwise step of these types was met; a long formula has hundreds.

    It has samples of its own besides.
    """
    if not isinstance(sight.step.op, Elementwise):
        return True
    kind = (sight.step.op, sight.step.attrs, sight.step.spec, *sight.specs)
    return kind not in made and not made.add(kind)


def _agrees_on_special_values(sight):
    extreme = special(sight)
    if extreme is not None:
        with np.errstate(all="ignore"):
            assert_agrees(extreme, lowered(extreme))


def test_what_has_no_lowering_is_known():
    """A lowering that disappears is noticed, and so is one that arrives."""
    missing = {
        op.name
        for op in table.values()
        if not isinstance(op, Composite)
        and not op.transparent
        and type(op).__module__.startswith("rushlight.ops")
        and op not in (ops.part, ops.together, ops.gradients)  # never computed as they are
        and not is_lowered(op)
        and op not in scan.OPS
        and op not in integer.SUMS
        and type(op).scatter is Op.scatter
    }
    assert missing - set(UNLOWERED) == set(), "without a lowering, and not in unlowered.py"
    assert set(UNLOWERED) - missing == set(), "lowered now: take it out of unlowered.py"
