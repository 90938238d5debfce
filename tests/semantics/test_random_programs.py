"""Random programs of views, writes and gradients, run in both libraries side by side.

A program is a list of steps over a growing list of tensors. After each step every tensor of one
library is compared with its twin: values, dtype, strides, offset, ``requires_grad``, ``is_leaf``;
at the end the gradients of all leaves. Values are small whole numbers, so results are exact.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import rushlight as rl

LIBRARIES = (rl, torch)

# What PyTorch refuses for the sake of its own implementation. Here nodes never change, so these
# programs have a meaning; a step that PyTorch refuses with one of them is left out in both.
LIMITS = (
    "refer to a single memory location",
    "modified by an inplace operation",
    "is a view and is being modified inplace",
    "A view was created in no_grad mode",
    "or another view of its base has been modified inplace",
    "leaf variable has been moved into the graph interior",
)

SHAPES = ((6,), (2, 3), (3, 2, 2), (1, 4), (), (0, 3), (4, 1), (2, 1, 3))


@dataclass(frozen=True)
class Step:
    """One step: what is done, to which tensor, and numbers that choose the details."""

    kind: str
    at: int
    a: int
    b: int
    c: int
    quiet: bool = False


def made(lib: Any, step: Step) -> Any:
    shape = SHAPES[step.a % len(SHAPES)]
    count = int(np.prod(shape))
    values = (np.arange(count, dtype=np.float64) + step.b % 5 - 2).reshape(shape)
    return lib.tensor(values, requires_grad=step.quiet)


# Views: functions of a tensor and the step's numbers ----------------------------------------------


def dim_of(t: Any, n: int) -> int:
    return n % max(1, t.ndim)


def view_select(lib: Any, t: Any, s: Step) -> Any:
    d = dim_of(t, s.a)
    return t.select(d, s.b % t.shape[d])


def view_slice(lib: Any, t: Any, s: Step) -> Any:
    d = dim_of(t, s.a)
    first = s.b % (t.shape[d] + 1)
    return t[(slice(None),) * d + (slice(first, None, 1 + s.c % 3),)]


def view_narrow(lib: Any, t: Any, s: Step) -> Any:
    d = dim_of(t, s.a)
    first = s.b % (t.shape[d] + 1)
    return t.narrow(d, first, s.c % (t.shape[d] - first + 1))


def view_transpose(lib: Any, t: Any, s: Step) -> Any:
    return t.transpose(dim_of(t, s.a), dim_of(t, s.b))


def view_permute(lib: Any, t: Any, s: Step) -> Any:
    order = np.random.default_rng(s.a).permutation(t.ndim)
    return t.permute(*order.tolist()) if t.ndim else t.permute(())


def view_view(lib: Any, t: Any, s: Step) -> Any:
    return t.view(refolded(t, s))


def view_reshape(lib: Any, t: Any, s: Step) -> Any:
    shape = refolded(t, s)
    result = t.reshape(shape)
    if lib is torch and not shares(t, result):
        return result.clone(memory_format=lib.contiguous_format)
    return result


def refolded(t: Any, s: Step) -> tuple[int, ...]:
    n = int(np.prod(tuple(t.shape)))
    choices = [(n,), (-1, 1) if n else (n, 1)]
    choices += [(k, n // k) for k in (2, 3, 4) if n and n % k == 0]
    choices += [(2, n // 4, 2)] if n and n % 4 == 0 else []
    choices += [()] if n == 1 else []
    return choices[s.a % len(choices)]


def view_expand(lib: Any, t: Any, s: Step) -> Any:
    return t.expand(1 + s.a % 2, *t.shape)


def view_squeeze(lib: Any, t: Any, s: Step) -> Any:
    return t.squeeze() if s.a % 2 else t.squeeze(dim_of(t, s.b))


def view_unsqueeze(lib: Any, t: Any, s: Step) -> Any:
    return t.unsqueeze(s.a % (t.ndim + 1))


def view_diagonal(lib: Any, t: Any, s: Step) -> Any:
    return t.diagonal(s.a % 3 - 1, dim_of(t, s.b), dim_of(t, s.c))


def view_strided(lib: Any, t: Any, s: Step) -> Any:
    size, steps, first = (2, 1 + s.a % 2), (3 + s.b % 2, s.c % 2 + 1), s.a % 3
    inside = first + steps[0] + (size[1] - 1) * steps[1] < t.numel()
    if not (inside and t.is_contiguous()):
        # PyTorch finds gradients only for what the tensor itself shows, not for all its memory.
        return t.view_as(t)
    return t.as_strided(size, steps, t.storage_offset() + first)


def view_unfold(lib: Any, t: Any, s: Step) -> Any:
    return t.unfold(dim_of(t, s.a), 1 + s.b % 2, 1 + s.b % 2 + s.c % 2)


def view_chunk(lib: Any, t: Any, s: Step) -> Any:
    return t.chunk(1 + s.a % 3, dim_of(t, s.b))[0]


def view_split(lib: Any, t: Any, s: Step) -> Any:
    return t.split(1 + s.a % 3, dim_of(t, s.b))[-1]


def view_unbind(lib: Any, t: Any, s: Step) -> Any:
    return t.unbind(dim_of(t, s.a))[0]


def view_transposed(lib: Any, t: Any, s: Step) -> Any:
    return t.mT


def view_index(lib: Any, t: Any, s: Step) -> Any:
    keys = [(..., 0), (None, ...), (0, None), (slice(0, 1), ...), (..., slice(1, None))]
    return t[keys[s.a % len(keys)]]


def view_detach(lib: Any, t: Any, s: Step) -> Any:
    return t.detach()


def view_self(lib: Any, t: Any, s: Step) -> Any:
    return t.view_as(t)


def view_movedim(lib: Any, t: Any, s: Step) -> Any:
    return t.movedim(dim_of(t, s.a), dim_of(t, s.b))


def view_flatten(lib: Any, t: Any, s: Step) -> Any:
    d = dim_of(t, s.a)
    result = t.flatten(d)
    if lib is torch and not shares(t, result):
        return result.clone(memory_format=lib.contiguous_format)
    return result


VIEWS = {name[5:]: made for name, made in list(globals().items()) if name.startswith("view_")}


# New values, and writes ---------------------------------------------------------------------------


def new_value(lib: Any, tensors: list[Any], s: Step) -> Any:
    t = tensors[s.at % len(tensors)]
    other = tensors[s.b % len(tensors)]
    kind = s.a % 6
    if kind == 0:
        result = t * 2
    elif kind == 1:
        result = t + other
    elif kind == 2:
        result = t.clone()
    elif kind == 3:
        result = t * other
    elif kind == 4:
        result = t.sum(0) if t.ndim else t - 1
    else:
        result = t[lib.tensor([0, 0])]
    # Results lie in memory row by row here, where PyTorch keeps the order of their inputs.
    return result.clone(memory_format=lib.contiguous_format)


def write(lib: Any, tensors: list[Any], s: Step) -> None:
    t = tensors[s.at % len(tensors)]
    kind = s.a % 10
    number = float(s.b % 4 - 1)
    if kind in (7, 9) and any(n > 1 and not step for n, step in zip(t.shape, t.stride())):
        return  # deprecated in PyTorch, refused here
    if kind == 0:
        t.add_(number)
    elif kind == 1:
        t.mul_(number)
    elif kind == 2:
        t.zero_()
    elif kind == 3:
        t.fill_(number)
    elif kind == 4:
        t.copy_(other_of(tensors, t, s))
    elif kind == 5:
        t[...] = number
    elif kind == 6:
        t[0] = other_of(tensors, t, s)
    elif kind == 7:
        t[t > number] = 7.0
    elif kind == 8:
        t += other_of(tensors, t, s)
    else:
        t[lib.tensor([0])] *= 3.0


def other_of(tensors: list[Any], t: Any, s: Step) -> Any:
    """Another tensor; a copy if it shares memory with ``t``, which PyTorch leaves undefined."""
    return tensors[s.c % len(tensors)].clone()


def shares(t: Any, other: Any) -> bool:
    if isinstance(t, rl.Tensor):
        return t.place.storage is other.place.storage
    return t.untyped_storage()._cdata == other.untyped_storage()._cdata


def change(lib: Any, tensors: list[Any], s: Step) -> None:
    t = tensors[s.at % len(tensors)]
    kind = s.a % 6
    # A view of what only later becomes a leaf, or is detached, has flags that mean nothing.
    alone = not any(shares(t, other) for other in tensors if other is not t)
    if kind == 0 and alone:
        t.requires_grad_(bool(s.b % 2))
    elif kind == 1 and (alone or t._is_view()):
        t.detach_()
    elif kind == 2 and t.ndim == 2:
        t.t_()
    elif kind == 3:
        t.unsqueeze_(0)
    elif kind == 4:
        t.squeeze_()
    elif kind == 5:
        t.transpose_(dim_of(t, s.b), dim_of(t, s.c))


def run(lib: Any, tensors: list[Any], s: Step) -> Any:
    """The step's result: a new tensor, or None for a write."""
    if s.kind == "made":
        return made(lib, s)
    if s.kind == "new":
        return new_value(lib, tensors, s)
    if s.kind == "write":
        with lib.no_grad() if s.quiet else contextlib.nullcontext():
            return write(lib, tensors, s)
    if s.kind == "change":
        return change(lib, tensors, s)
    return VIEWS[s.kind](lib, tensors[s.at % len(tensors)], s)


# Side by side -------------------------------------------------------------------------------------


class Twins:
    """The tensors of a program in both libraries, and what happened so far."""

    def __init__(self) -> None:
        self.ours: list[Any] = []
        self.theirs: list[Any] = []
        self.told: list[str] = []

    def step(self, s: Step) -> None:
        self.told.append(str(s))
        theirs, their_fault = attempt(torch, self.theirs, s)
        if their_fault is not None and any(text in str(their_fault) for text in LIMITS):
            self.told.append("  left out")
            return
        ours, our_fault = attempt(rl, self.ours, s)
        assert kind_of(our_fault) == kind_of(their_fault), self.story(our_fault, their_fault)
        if ours is not None:
            self.ours.append(ours)
            self.theirs.append(theirs)
        self.compare()

    def compare(self) -> None:
        for k, (a, b) in enumerate(zip(self.ours, self.theirs, strict=True)):
            try:
                wanted = state(b)
            except RuntimeError as fault:
                assert any(text in str(fault) for text in LIMITS), self.story(fault)
                continue
            assert state(a) == wanted, self.story(k, state(a), wanted)

    def gradients(self) -> None:
        ours = total(rl, self.ours)
        if ours.requires_grad:
            ours.backward()
        try:
            theirs = total(torch, self.theirs)
            if theirs.requires_grad:
                theirs.backward()
        except RuntimeError as fault:
            assert any(text in str(fault) for text in LIMITS), self.story(fault)
            return
        assert ours.requires_grad == theirs.requires_grad, self.story()
        for k, (x, y) in enumerate(zip(self.ours, self.theirs, strict=True)):
            a, b = (t.grad if t.is_leaf else None for t in (x, y))
            assert shown(a) == shown(b), self.story(k, shown(a), shown(b))

    def story(self, *ends: Any) -> str:
        return "\n".join([*self.told, *map(str, ends)])


def attempt(lib: Any, tensors: list[Any], s: Step) -> tuple[Any, Exception | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return run(lib, tensors, s), None
        except Exception as fault:
            return None, fault


def kind_of(fault: Exception | None) -> type | None:
    if fault is None:
        return None
    return next(t for t in type(fault).__mro__ if t.__module__ == "builtins")


def state(t: Any) -> tuple[Any, ...]:
    layout = (t.stride(), t.storage_offset(), t.is_contiguous())
    return (*shown(t), t.requires_grad, t.is_leaf, layout)


def shown(t: Any) -> tuple[Any, ...]:
    if t is None:
        return (None,)
    return str(t.dtype), tuple(t.shape), t.detach().tolist()


def total(lib: Any, tensors: list[Any]) -> Any:
    """A number that depends on every tensor, with other weights for each."""
    result = lib.zeros((), dtype=lib.float64)
    for k, t in enumerate(tensors):
        result = result + (t * (k + 1.0)).sum()
    return result


numbers = st.integers(0, 11)
first = st.builds(Step, st.just("made"), numbers, numbers, numbers, numbers, st.booleans())
later = st.builds(
    Step,
    st.one_of(
        st.sampled_from(["made", "new", "new", "write", "write", "write", "change"]),
        st.sampled_from(sorted(VIEWS)),
    ),
    numbers, numbers, numbers, numbers, st.booleans(),
)  # fmt: skip


@settings(
    max_examples=int(os.environ.get("PROGRAMS", "250")), deadline=None, database=None,
    suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    derandomize="PROGRAMS" not in os.environ,
    phases=(Phase.generate, Phase.shrink),
)  # fmt: skip
@given(st.tuples(first, first), st.lists(later, min_size=3, max_size=14))
def test_random_programs(firsts: tuple[Step, ...], steps: list[Step]) -> None:
    twins = Twins()
    for step in (*firsts, *steps):
        twins.step(step)
    twins.gradients()


@pytest.mark.parametrize("kind", sorted(VIEWS))
def test_each_view_alone(kind: str) -> None:
    """Every kind of view of every shape, then written through both ways."""
    for shape in range(len(SHAPES)):
        for a in range(4):
            for leaf in (False, True):
                twins = Twins()
                twins.step(Step("made", 0, shape, 1, 0, leaf))
                twins.step(Step("new", 0, 0, 0, 0))
                twins.step(Step(kind, 1, a, a + 1, a // 2))
                if len(twins.ours) < 3:
                    continue
                twins.step(Step("write", 2, 1, 3, 0))
                twins.step(Step("write", 1, 0, 3, 0))
                twins.step(Step("write", 2, 3, 2, 0, True))
                twins.gradients()
