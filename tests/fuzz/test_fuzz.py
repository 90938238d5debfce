"""Strange inputs of every operation, here and in PyTorch.

Whatever an operation is given, it gives a result or refuses: it neither crashes nor hangs, nor does
it fail in a way that is our own fault; and PyTorch does the same.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import pytest
from differences import KNOWN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs import KINDS, Call, Change, calls, names
from outcome import Outcome, Torch, difference, outcome

from rushlight.execute import tier

REFUSALS = {
    "TypeError", "ValueError", "IndexError", "RuntimeError", "NotImplementedError", "MemoryError",
    "OverflowError", "ZeroDivisionError",
}  # fmt: skip
NAMES = sorted(names())
QUICK = 3
"""Calls of each operation in the reference tier; in the compiled one some operations get one."""


@pytest.fixture(scope="module")
def torch_elsewhere() -> Iterator[Torch]:
    peer = Torch()
    yield peer
    peer.end()


def strange(name: str, count: int) -> Iterator[Call]:
    """Some calls of an operation, the same at every run and whatever other operations there are."""
    draws = random.Random(zlib.crc32(name.encode()))
    for _ in range(count):
        call = draws.choice(calls(name))
        for _ in range(draws.choice((1, 1, 2))):
            kind = draws.choice(KINDS)
            call = call.changed(Change(kind, draws.randrange(100), draws.randrange(10_000)))
        yield call


def sound(call: Call) -> Outcome:
    """What comes of a call here: a result, or an exception of a kind that is for users."""
    ours = outcome("rushlight", call)
    assert "InternalError" not in ours.fault, f"{call}: {ours.text}"
    assert not ours.fault or REFUSALS.intersection(ours.fault), f"{call}: {ours.fault} {ours.text}"
    return ours


@pytest.mark.parametrize("name", NAMES)
def test_strange_inputs_do_what_they_do_in_pytorch(name: str, torch_elsewhere: Torch) -> None:
    with tier.only("reference"):
        for call in strange(name, QUICK):
            ours = sound(call)
            theirs = None if name in KNOWN else torch_elsewhere(call)
            if theirs is not None:
                different = difference(ours, theirs)
                assert not different, f"{call}: {different}\n  here: {ours}\n  there: {theirs}"


@pytest.mark.parametrize("name", [name for name in NAMES if zlib.crc32(name.encode()) % 8 == 0])
def test_strange_inputs_are_sound_when_compiled(name: str) -> None:
    with tier.only("compiled"):
        for call in strange(name, 1):
            sound(call)


CHANGES = st.lists(
    st.builds(Change, st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 9_999)),
    min_size=1,
    max_size=3,
)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("where", ["reference", "compiled"])
@settings(
    max_examples=30_000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(NAMES), st.integers(0, 11), CHANGES)
def test_many_more(where: str, name: str, sample: int, changes: list[Change]) -> None:
    call = calls(name)[sample % len(calls(name))]
    for change in changes:
        call = call.changed(change)
    with tier.only(where):
        sound(call)
