"""A recurrent layer in one direction as one operation, with one operation for its gradients."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int64
from rushlight.base.errors import ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .recurrence import (
    CELLS,
    Back,
    Cell,
    OnArrays,
    OnNodes,
    Parameters,
    backwards,
    forwards,
    weighed,
)
from .recurrent_onnx import ran
from .recurrent_steps import Given, alive_at, back_of, filled, kept_in, laid_out, multiplies_within

_OPTIONAL = ("b_ih", "b_hh", "w_hr")
_tracked = attrgetter("requires_grad")


class Inputs:
    """The inputs of a layer by name: nodes, arrays or types.

    Attributes:
        names: in their order: ``x``, the states, ``w_ih``, ``w_hh`` and what is ``given``.
    """

    def __init__(self, cell: Cell, given: Given, values: tuple[Any, ...]) -> None:
        states = ("h", "c")[: cell.states]
        self.names = ("x", *states, "w_ih", "w_hh", *given)
        self.by_name: dict[str, Any] = dict(zip(self.names, values, strict=True))
        self.x = values[0]
        self.state = tuple(values[1 : 1 + cell.states])
        self.lengths = self.by_name.get("lengths")
        optional = (self.by_name.get(name) for name in _OPTIONAL)
        self.parameters = Parameters(self.by_name["w_ih"], self.by_name["w_hh"], *optional)


class Recurrent(Op):
    """Runs a recurrent cell over a sequence (T, B, width), from its end with ``reverse``.

    The inputs are the sequence, the first states (B, hidden), ``w_ih`` and ``w_hh``, then those
    named by ``given`` out of ``b_ih``, ``b_hh``, ``w_hr`` and ``lengths`` (B), the steps that each
    sequence has. The results are the outputs (T, B, hidden), the last states, and with ``traced``
    what the gradient needs of each step.
    """

    name, attrs = "recurrent", ("cell", "reverse", "given", "traced")

    def __call__(
        self, cell: str, x: Node, state: tuple[Node, ...], w_ih: Node, w_hh: Node, *,
        reverse: bool = False, **given: Node | None,
    ) -> tuple[Node, tuple[Node, ...]]:  # fmt: skip
        """The outputs and the last states."""
        rest = {name: node for name, node in given.items() if node is not None}
        inputs = (x, *state, w_ih, w_hh, *rest.values())
        traced = recording.grad and True in map(_tracked, inputs)
        several = self.record(inputs, cell, reverse, tuple(rest), traced)
        last = tuple([ops.part(several, 1 + k) for k in range(len(state))])
        return ops.part(several, 0), last

    def infer(
        self, *specs: Spec, cell: str, reverse: bool, given: Given, traced: bool
    ) -> tuple[Spec, ...]:
        inputs = Inputs(CELLS[cell], given, specs)
        self._check(CELLS[cell], inputs)
        steps, batch, _ = inputs.x.shape
        width = inputs.state[0].shape[-1]
        trace = inputs.x.with_shape((steps, batch, trace_width(CELLS[cell], inputs)))
        output = inputs.x.with_shape((steps, batch, width))
        return (output, *inputs.state, trace) if traced else (output, *inputs.state)

    def _check(self, cell: Cell, inputs: Inputs) -> None:
        w_ih, w_hr = inputs.parameters.w_ih, inputs.parameters.w_hr
        hidden = w_ih.shape[0] // cell.gates
        wide = hidden if w_hr is None else w_hr.shape[0]
        steps, batch, width = inputs.x.shape
        wanted: dict[str, Shape] = {
            "w_ih": (cell.gates * hidden, width), "w_hh": (cell.gates * hidden, wide),
            "h": (batch, wide), "c": (batch, hidden), "b_ih": (cell.gates * hidden,),
            "b_hh": (cell.gates * hidden,), "w_hr": (wide, hidden), "lengths": (batch,),
        }  # fmt: skip
        for name, spec in inputs.by_name.items():
            if name in wanted and spec.shape != wanted[name]:
                raise ShapeError(
                    self.name,
                    f"{name} is {spec.shape}, but must be {wanted[name]} for an input of"
                    f" {inputs.x.shape} and {hidden} hidden units.",
                )
        if not steps:
            raise ShapeError(self.name, "Expected sequence length to be larger than 0 in RNN")

    def vjp(
        self, g: Any, y: Node, *nodes: Node, cell: str, reverse: bool, given: Given, traced: bool
    ) -> tuple[Node | None, ...]:
        names = Inputs(CELLS[cell], given, nodes).names
        wanted = tuple(name for name, node in zip(names, nodes, strict=True) if node.requires_grad)
        arriving = tuple(
            k for k, each in enumerate(g[: 1 + CELLS[cell].states]) if each is not None
        )
        found = recurrent_grad(
            *(g[k] for k in arriving), *nodes, ops.part(y, len(y.spec) - 1),  # type: ignore[arg-type]
            cell=cell, reverse=reverse, given=given, arriving=arriving, wanted=wanted,
        )  # fmt: skip
        by_name = dict(zip(wanted, found, strict=True))
        return tuple(by_name.get(name) for name in names)

    def ref(
        self, *arrays: Any, cell: str, reverse: bool, given: Given, traced: bool
    ) -> tuple[Any, ...]:
        inputs = Inputs(CELLS[cell], given, arrays)
        w = inputs.parameters
        a = OnArrays.linear(inputs.x, w.w_ih, w.b_ih)
        alive = alive_at(inputs.lengths, len(a))
        run = forwards(OnArrays, CELLS[cell], a, inputs.state, w, alive, reverse)
        return laid_out(run, traced)

    def expand(
        self, *nodes: Node, cell: str, reverse: bool, given: Given, traced: bool
    ) -> tuple[Node, ...]:
        inputs = Inputs(CELLS[cell], given, nodes)
        x, w = inputs.x, inputs.parameters
        rest = ("w_ih", *given) if multiplies_within(x.spec, w.w_ih.spec) else given
        a = x if rest is not given else ops.linear(x, w.w_ih)
        others = (inputs.by_name[name] for name in rest)
        steps = (a, *inputs.state, w.w_hh, *others)
        return ops.parts(ops.recurrent_steps.record(steps, cell, reverse, rest, traced))

    def onnx(
        self, to: Any, *values: Any, cell: str, reverse: bool, given: Given, traced: bool
    ) -> Any:
        return ran(to, cell, Inputs(CELLS[cell], given, values), reverse)


class RecurrentGrad(Op):
    """The gradients of :class:`Recurrent` for the inputs that are ``wanted``, in that order.

    The inputs are the gradients ``arriving`` at its results, its own inputs, and its trace.
    """

    name, attrs = "recurrent_grad", ("cell", "reverse", "given", "arriving", "wanted")

    def __call__(self, *nodes: Node, **form: Any) -> tuple[Node, ...]:
        if recording.grad:
            return self.differentiable(*nodes, **form)
        return ops.parts(self.record(nodes, *form.values()))

    def infer(
        self, *specs: Spec, cell: str, given: Given, arriving: Shape, wanted: Given, **form: Any
    ) -> tuple[Spec, ...]:
        inputs = Inputs(CELLS[cell], given, specs[len(arriving) : -1])
        return tuple(inputs.by_name[name] for name in wanted)

    def differentiable(
        self, *nodes: Node, cell: str, reverse: bool, given: Given, arriving: Shape, wanted: Given
    ) -> tuple[Node, ...]:
        """The same in operations that can be differentiated, from a run in such operations."""
        inputs = Inputs(CELLS[cell], given, nodes[len(arriving) : -1])
        w, alive = inputs.parameters, None
        if inputs.lengths is not None:
            steps = inputs.x.shape[0]
            clock = ops.reshape(ops.arange(0, 1, steps, int64), (steps, 1))
            alive = ops.unsqueeze(clock < inputs.lengths, -1)
        a = OnNodes.linear(inputs.x, w.w_ih, w.b_ih)
        run = forwards(OnNodes, CELLS[cell], a, inputs.state, w, alive, reverse)
        zeros = [ops.zeros(self._output(inputs)), *(ops.zeros(s.spec) for s in inputs.state)]
        g_output, *g_state = filled(zeros, arriving, nodes)
        back = backwards(
            OnNodes, CELLS[cell], g_output, tuple(g_state), run.saved, w, alive, reverse
        )
        kept = tuple(map(OnNodes.stack, zip(*run.saved, strict=True)))
        return _chosen(OnNodes, CELLS[cell], back, inputs, kept, wanted)

    def _output(self, inputs: Inputs) -> Spec:
        steps, batch, _ = inputs.x.shape
        spec: Spec = inputs.x.spec
        return spec.with_shape((steps, batch, inputs.state[0].shape[-1]))

    def expand(
        self, *nodes: Node, cell: str, reverse: bool, given: Given, arriving: Shape, wanted: Given
    ) -> tuple[Node, ...]:
        inputs = Inputs(CELLS[cell], given, nodes[len(arriving) : -1])
        w, trace = inputs.parameters, nodes[-1]
        rest = tuple(name for name in ("w_hr", "lengths") if name in given)
        others = (inputs.by_name[name] for name in rest)
        steps = (*nodes[: len(arriving)], trace, w.w_hh, *others)
        found = ops.parts(ops.recurrent_steps_back.record(steps, cell, reverse, rest, arriving))
        back = back_of(CELLS[cell], rest, found)
        hidden = w.w_ih.shape[0] // CELLS[cell].gates
        ends = [hidden * (k + 1) for k in range(CELLS[cell].saved)]
        kept = tuple(
            ops.slice_(trace, 2, start, end)
            for start, end in zip([0, *ends], [*ends, trace.shape[-1]], strict=True)
        )
        return _chosen(OnNodes, CELLS[cell], back, inputs, kept, wanted)

    def ref(
        self, *arrays: Any, cell: str, reverse: bool, given: Given, arriving: Shape, wanted: Given
    ) -> tuple[Any, ...]:
        inputs = Inputs(CELLS[cell], given, arrays[len(arriving) : -1])
        zeros = [
            np.zeros((*inputs.x.shape[:2], inputs.state[0].shape[-1]), inputs.x.dtype),
            *map(np.zeros_like, inputs.state),
        ]
        g_output, *g_state = filled(zeros, arriving, arrays)
        w = inputs.parameters
        kept = kept_in(arrays[-1], CELLS[cell], w.w_ih.shape[0] // CELLS[cell].gates)
        back = backwards(
            OnArrays, CELLS[cell], g_output, tuple(g_state), list(zip(*kept, strict=True)), w,
            alive_at(inputs.lengths, len(inputs.x)), reverse,
        )  # fmt: skip
        return _chosen(OnArrays, CELLS[cell], back, inputs, kept, wanted)


def trace_width(cell: Cell, inputs: Inputs) -> int:
    """How many numbers of each step a gradient needs."""
    hidden = inputs.parameters.w_ih.shape[0] // cell.gates
    width: int = cell.saved * hidden + inputs.state[0].shape[-1]
    return width


def _chosen(
    xp: Any, cell: Cell, back: Back, inputs: Inputs, kept: tuple[Any, ...], wanted: Given
) -> tuple[Any, ...]:
    """The gradients of the inputs that are wanted."""
    weights = weighed(xp, cell, back, inputs.x, kept, inputs.parameters)
    by_name = {**dict(zip(("h", "c"), back.state, strict=False)), **weights._asdict()}
    if "x" in wanted:
        by_name["x"] = xp.product(back.a, inputs.parameters.w_ih)
    return tuple(by_name[name] for name in wanted)


recurrent = Recurrent()
recurrent_grad = RecurrentGrad()
