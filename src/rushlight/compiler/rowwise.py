"""Row memory: what takes long to compute and is used in several loops of a row is kept meanwhile.

A softmax sums exponentials and then divides them. The loops are inside of a row, so a row's worth
of memory does, which each thread has for itself and which stays in its cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from rushlight.base.dtypes import DType

from .expr import Expr, outside_reductions, parts
from .index import Axis, Index
from .kernel import Kernel, Loop, Root

DEAR = frozenset((
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "erf", "erfc", "erfinv",
    "pow", "fmod", "atan2", "hypot",
))  # fmt: skip
"""Functions that take longer than writing a number and reading it again."""

MOST = 1 << 17
"""Bytes of a row that are kept, a part of a second-level cache."""

Spare = Callable[[DType, int], int]


def with_row_memory(kernel: Kernel, spare: Spare) -> Kernel:
    """The same with dear values of several loops of a row computed once.

    Args:
        spare: makes a buffer for so many elements of a type.
    """
    if kernel.along_rows():
        return kernel
    for axes, loops in _by_axes(kernel).items():
        for x in _repeated(axes, loops):
            count = prod(axis.extent for axis in axes)
            if sum(kernel.local.values()) + count * x.dtype.itemsize <= MOST:
                kernel = _kept(kernel, x, axes, spare(x.dtype, count))
    return kernel


def _by_axes(kernel: Kernel) -> dict[tuple[Axis, ...], list[Loop]]:
    """The loops inside of rows, those over the same axes together, in the order they are run."""
    found: dict[tuple[Axis, ...], list[Loop]] = {}
    for phase in kernel.phases():
        for loop in phase.loops:
            found.setdefault(loop.axes, []).append(loop)
    return found


def _repeated(axes: tuple[Axis, ...], loops: list[Loop]) -> list[Expr]:
    """Dear expressions that vary over all of a row and that several loops compute."""
    if len(loops) < 2:
        return []
    bodies = [[*(x.args[0] for x in loop.reductions), *(r.body for r in loop.roots)]
              for loop in loops]  # fmt: skip
    seen: set[Expr] = set()
    found: dict[Expr, None] = {}
    for listed in bodies:
        stack, own = list(listed), set()
        while stack:
            x = stack.pop()
            if x in own:
                continue
            own.add(x)
            if x in seen and x.axes.issuperset(axes) and _is_dear(x):
                found[x] = None
            elif x.op != "reduce":
                stack.extend(x.args)
        seen.update(x for body in listed for x in outside_reductions(body))
    return list(found)


def _is_dear(x: Expr) -> bool:
    return x.dtype.kind == "float" and any(part.op in DEAR for part in outside_reductions(x))


def _kept(kernel: Kernel, x: Expr, axes: tuple[Axis, ...], buffer: int) -> Kernel:
    """The same with an expression as a result of its own, which every other result reads."""
    place, step = Index(), 1
    for axis in reversed(axes):
        place, step = place + Index.of(axis) * step, step * axis.extent
    load = Expr.of("load", x.dtype, (), (buffer, place))
    own = Root(buffer, x.dtype, kernel.rows, axes, place, x)
    roots: list[Root] = []
    for root in kernel.roots:
        body = _with(root.body, x, load)
        if body is not root.body and own not in roots:
            roots.append(own)
        roots.append(replace(root, body=body))
    local = kernel.local | {buffer: step * x.dtype.itemsize}
    return replace(kernel, roots=roots, kept=kernel.kept | {buffer}, local=local)


def _with(body: Expr, old: Expr, new: Expr) -> Expr:
    """An expression with another in the place of one of its parts."""
    done = {old: new}
    for x in parts(body):
        if x not in done:
            args = tuple(done[arg] for arg in x.args)
            done[x] = x if args == x.args else Expr.of(x.op, x.dtype, args, x.attrs)
    return done[body]
