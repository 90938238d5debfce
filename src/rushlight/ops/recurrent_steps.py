"""The part of a recurrent layer that goes step by step, as operations of their own.

What a layer does for all steps at once, the products with the input and the gradients of the
weights, are ordinary operations around these two, which :mod:`recurrent` expands into.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.shapes import Shape
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .recurrence import CELLS, Back, Cell, OnArrays, Parameters, Run, backwards, forwards

Given = tuple[str, ...]
"""Names of the optional inputs, in their order."""


class RecurrentSteps(Op):
    """Runs a recurrent cell from the products of all its inputs, or from the inputs.

    The inputs are those products (T, B, gates * hidden), the first states, ``w_hh``, then those
    named by ``given`` out of ``w_ih``, ``b_ih``, ``b_hh``, ``w_hr`` and ``lengths``; with ``w_ih``
    the sequence (T, B, width) itself comes first. The results are those of ``recurrent``.
    """

    name, attrs = "recurrent_steps", ("cell", "reverse", "given", "traced")
    differentiable = False

    def infer(
        self, a: Spec, *specs: Spec, cell: str, reverse: bool, given: Given, traced: bool
    ) -> tuple[Spec, ...]:
        steps, batch, _ = a.shape
        states = specs[: CELLS[cell].states]
        columns = specs[CELLS[cell].states].shape[0]
        width = states[0].shape[-1]
        hidden = columns // CELLS[cell].gates
        trace = a.with_shape((steps, batch, CELLS[cell].saved * hidden + width))
        output = a.with_shape((steps, batch, width))
        return (output, *states, trace) if traced else (output, *states)

    def ref(
        self, a: Any, *arrays: Any, cell: str, reverse: bool, given: Given, traced: bool
    ) -> tuple[Any, ...]:
        count = CELLS[cell].states
        by_name = dict(zip(given, arrays[count + 1 :], strict=True))
        alive = alive_at(by_name.pop("lengths", None), len(a))
        w = Parameters(by_name.pop("w_ih", None), arrays[count], **by_name)
        if w.w_ih is not None:
            a = OnArrays.linear(a, w.w_ih)
        a = a if w.b_ih is None else a + w.b_ih
        run = forwards(OnArrays, CELLS[cell], a, arrays[:count], w, alive, reverse)
        return laid_out(run, traced)


class RecurrentStepsBack(Op):
    """The gradients of a run, as far as they go step by step.

    The inputs are the gradients ``arriving`` at the outputs (0) and at the last states (1, 2), the
    trace of the run, ``w_hh``, then those named by ``given`` out of ``w_hr`` and ``lengths``. The
    results are the gradients of the products with the input, of those with the state if the cell
    keeps them apart, of the first states, and of the projected outputs if there is ``w_hr``.
    """

    name, attrs = "recurrent_steps_back", ("cell", "reverse", "given", "arriving")
    differentiable = False

    def infer(
        self, *specs: Spec, cell: str, reverse: bool, given: Given, arriving: Shape
    ) -> tuple[Spec, ...]:
        kind = CELLS[cell]
        trace, w_hh = specs[len(arriving) : len(arriving) + 2]
        steps, batch, _ = trace.shape
        columns, width = w_hh.shape
        g = trace.with_shape((steps, batch, columns))
        states = [trace.with_shape((batch, n)) for n in (width, columns // kind.gates)]
        projected = [trace.with_shape((steps, batch, width))] if "w_hr" in given else []
        return (g, *[g] * kind.apart, *states[: kind.states], *projected)

    def ref(
        self, *arrays: Any, cell: str, reverse: bool, given: Given, arriving: Shape
    ) -> tuple[Any, ...]:
        kind, count = CELLS[cell], len(arriving)
        trace, w_hh = arrays[count : count + 2]
        by_name = dict(zip(given, arrays[count + 2 :], strict=True))
        steps, batch, _ = trace.shape
        columns, width = w_hh.shape
        hidden = columns // kind.gates
        zeros = [np.zeros((steps, batch, width), trace.dtype)]
        zeros += [np.zeros((batch, n), trace.dtype) for n in (width, hidden)][: kind.states]
        g_output, *g_state = filled(zeros, arriving, arrays)
        alive = alive_at(by_name.pop("lengths", None), steps)
        saved = list(zip(*kept_in(trace, kind, hidden), strict=True))
        back = backwards(
            OnArrays, kind, g_output, tuple(g_state), saved, Parameters(None, w_hh, **by_name),
            alive, reverse,
        )  # fmt: skip
        projected = () if back.projected is None else (back.projected,)
        return (back.a, *[back.b] * kind.apart, *back.state, *projected)


def multiplies_within(x: Spec, w_ih: Spec) -> bool:
    """Whether inputs are better multiplied step by step than all at once.

    That saves writing the products and reading them again, if the weight stays in a processor's own
    cache from one step to the next and is used for several sequences each time.
    """
    return w_ih.nbytes <= 1 << 18 and x.shape[1] >= 16


def back_of(cell: Cell, given: Given, results: tuple[Any, ...]) -> Back:
    """The results of :class:`RecurrentStepsBack` by name."""
    first = 1 + cell.apart
    state = results[first : first + cell.states]
    projected = results[-1] if "w_hr" in given else None
    return Back(results[0], results[first - 1], state, projected)


def laid_out(run: Run, traced: bool) -> tuple[Any, ...]:
    """A run as results: the outputs, the last states, and the trace if it is wanted."""
    output = np.stack(run.output)
    if not traced:
        return output, *run.state
    trace = np.stack([np.concatenate(saved, axis=-1) for saved in run.saved])
    return output, *run.state, trace


def kept_in(trace: Any, cell: Cell, hidden: int) -> tuple[Any, ...]:
    """What a trace holds, each over all steps."""
    ends = [hidden * (k + 1) for k in range(cell.saved)]
    return tuple(np.split(trace, ends, axis=-1))


def alive_at(lengths: Any, steps: int) -> Any:
    """Whether each sequence goes on at each step, (T, B, 1); None when all have one length."""
    if lengths is None:
        return None
    return (np.arange(steps)[:, None] < lengths)[..., None]


def filled(zeros: list[Any], arriving: Shape, values: tuple[Any, ...]) -> list[Any]:
    """The gradients of all results: those that arrive, and zeros."""
    for place, value in zip(arriving, values, strict=False):
        zeros[place] = value
    return zeros


recurrent_steps = RecurrentSteps()
recurrent_steps_back = RecurrentStepsBack()
