"""Scans: the steps of a graph that the template ``scan`` computes, and the calls that do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import bool_, float32, float64, int64
from rushlight.graph.graph import Step
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec
from rushlight.ops.recurrence import CELLS

from .llvm.code import Code, Part
from .llvm.machine import Machine
from .llvm.scan import backward, forward
from .llvm.scan.cumulative import (
    cumulative_module,
    cumulative_params,
    extent_of,
    scratch_of,
    way_of,
)
from .llvm.scan.packing import LAYOUT, packing_module
from .llvm.scan.product import Block, product_module, product_name
from .llvm.scan.steps import Form, Sizes, back_block, form_block

RUNS = frozenset([ops.recurrent_steps, ops.recurrent_steps_back])
CUMULATIVE = frozenset(
    [ops.cumsum, ops.cumprod, ops.logcumsumexp, ops.linear_recurrence, ops.cummax, ops.cummin]
)
OPS = RUNS | CUMULATIVE
"""The operations that are scans."""

ELEMENTS = {float32: "float", float64: "double"}


Spare = Callable[[int], int]
"""Gives the number of a new buffer of so many bytes."""


@dataclass(frozen=True)
class Scan:
    """A step that the template computes.

    Attributes:
        step: the operation.
        inputs, outputs: buffers.
        kinds: the types of the inputs.
    """

    step: Step
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kinds: tuple[Spec, ...]

    def codes(self, machine: Machine, spare: Spare) -> list[Code]:
        """The calls of kernels."""
        if self.step.op in CUMULATIVE:
            return [_cumulative(self, machine)]
        run = _forward if self.step.op is ops.recurrent_steps else _backward
        return run(self, machine, spare)


def is_scan(op: Op, spec: Any, inputs: Sequence[Any]) -> bool:
    """Whether a step is computed by the template."""
    if op not in OPS or any(isinstance(each, tuple) for each in inputs):
        return False
    if not all(each.numel for each in inputs):
        return False
    if op in CUMULATIVE:
        return _accumulates(op, inputs)
    kinds = [each.dtype for each in inputs if each.dtype is not int64]  # lengths are
    return kinds[0] in ELEMENTS and all(kind is kinds[0] for kind in kinds)


def _accumulates(op: Op, inputs: Sequence[Spec]) -> bool:
    """Whether a cumulative operation on these types is computed by the template."""
    first = inputs[0]
    if not first.ndim or first.dtype.is_complex or max(first.shape) >= 1 << 31:
        return False
    if first.dtype is bool_ and op not in (ops.cummax, ops.cummin):
        return False
    return all(each is first for each in inputs)


def _cumulative(scan: Scan, machine: Machine) -> Code:
    spec, dim = scan.kinds[0], scan.step.keywords["dim"]
    shape = prod(spec.shape[:dim]), spec.shape[dim], prod(spec.shape[dim + 1 :])
    way = way_of(scan.step.op.name, spec.dtype, shape, machine)
    buffers = dict(zip(way.buffers, (*scan.inputs, *scan.outputs), strict=True))
    values = cumulative_params(way, shape, buffers)
    name = f"scan_{way.name}_{way.how}_{way.dtype.name}x{way.lanes}x{way.vectors}"
    extent, _ = extent_of(way, shape)
    step = {"logcumsumexp": 50.0}.get(way.name, 25.0 if way.chain.places else 12.0)
    vectors = -(-spec.numel // (1 if way.how == "line" else way.lanes))
    return Code(
        name=name,
        text=lambda: str(cumulative_module(way, name, machine)),
        params=_placed(way.layout.names, values, way.buffers),
        buffers=tuple(buffers.values()),
        extent=extent,
        work=vectors * step / extent,
        scratch=scratch_of(way),
    )


# Recurrent cells ------------------------------------------------------------------------------


def _forward(scan: Scan, machine: Machine, spare: Spare) -> list[Code]:
    keywords = scan.step.keywords
    cell, given = keywords["cell"], keywords["given"]
    kind = CELLS[cell]
    a, w_hh = scan.kinds[0], scan.kinds[1 + kind.states]
    steps, batch, _ = a.shape
    inputs = a.shape[2] if "w_ih" in given else 0
    columns, width = w_hh.shape
    sizes = Sizes(steps, batch, columns // kind.gates, width, inputs)
    names = ("a", *("h", "c")[: kind.states], "w_hh", *given)
    results = ("output", *("last_h", "last_c")[: kind.states], "trace")
    buffers = dict(zip((*names, *results), (*scan.inputs, *scan.outputs), strict=False))
    block = form_block(machine, ELEMENTS[a.dtype], kind, sizes)
    packs = [_packed(machine, block, "w", (sizes.hidden, sizes.width, kind.gates), buffers, spare)]
    if inputs:
        shape = sizes.hidden, inputs, kind.gates
        packs.append(_packed(machine, block, "i", shape, buffers, spare))
    if "w_hr" in given:
        packs.append(_packed(machine, block, "r", (sizes.width, sizes.hidden, 1), buffers, spare))
    form = Form(cell, keywords["reverse"], given, block, _whole(sizes, block.lanes),
                tuple(buffers))  # fmt: skip
    values, scratch = forward.forward_params(form, sizes, buffers)
    text = forward.forward_module
    return [*packs, _run(machine, form, sizes, values, scratch, text, "forward")]


def _backward(scan: Scan, machine: Machine, spare: Spare) -> list[Code]:
    keywords = scan.step.keywords
    cell, given, arriving = keywords["cell"], keywords["given"], keywords["arriving"]
    kind = CELLS[cell]
    trace, w_hh = scan.kinds[len(arriving) : len(arriving) + 2]
    columns, width = w_hh.shape
    steps, batch, _ = trace.shape
    sizes = Sizes(steps, batch, columns // kind.gates, width)
    names = (*(("g_output", "g_h", "g_c")[k] for k in arriving), "trace", "w_hh", *given)
    results = ("a", *["b"] * kind.apart, *("first_h", "first_c")[: kind.states])
    if "w_hr" in given:
        results = (*results, "projected")
    buffers = dict(zip((*names, *results), (*scan.inputs, *scan.outputs), strict=True))
    block = back_block(machine, ELEMENTS[trace.dtype], sizes)
    packs = [_packed(machine, block, "w", (width, columns, 0), buffers, spare)]
    if "w_hr" in given:
        packs.append(_packed(machine, block, "r", (sizes.hidden, width, 0), buffers, spare))
    form = Form(cell, keywords["reverse"], given, block, _whole(sizes, block.lanes),
                tuple(buffers))  # fmt: skip
    values, scratch = backward.backward_params(form, sizes, buffers)
    text = backward.backward_module
    return [*packs, _run(machine, form, sizes, values, scratch, text, "backward")]


def _packed(
    machine: Machine, block: Block, which: str, sizes: tuple[int, int, int],
    buffers: dict[str, int], spare: Spare,
) -> Code:  # fmt: skip
    """The call that packs a weight; its buffer is noted with the others.

    Args:
        sizes: units, k and gates; no gates if the weight is not transposed.
    """
    units, k, gates = sizes
    panels = block.panels_of(block.vectors_of(units) * max(1, gates))
    panel = block.panel_of(k)
    place = buffers[f"packed_{which}"] = spare(panels * panel)
    weight = buffers[{"w": "w_hh", "i": "w_ih", "r": "w_hr"}[which]]
    way = "turn" if gates else "copy"
    name = f"scan_{way}_{block.name}"
    values = dict(zip(LAYOUT.names, (weight, place, units, k, max(1, gates), panel), strict=True))
    return Code(
        name=name,
        text=lambda: str(packing_module(block, way, name, machine)),
        params=_placed(LAYOUT.names, values, ("w", "packed")),
        buffers=(weight, place),
        extent=panels,
        work=panel / 16,
        packs=(weight, place),
    )


def _whole(sizes: Sizes, lanes: int) -> tuple[bool, bool]:
    return sizes.hidden % lanes == 0, sizes.width % lanes == 0


def _run(
    machine: Machine, form: Form, sizes: Sizes, values: dict[str, int], scratch: int,
    module: Callable[..., Any], way: str,
) -> Code:  # fmt: skip
    """The call that goes step by step."""
    reads = "_".join(form.buffers)
    ends = "".join("we"[not whole] for whole in form.whole)
    shape = f"{form.block.name}_{ends}"
    name = f"scan_{way}_{form.cell}{'_reverse' * form.reverse}_{shape}_{reads}"
    gates, vectors = form.kind.gates, form.block.vectors_of(sizes.hidden)
    flops = 2.0 * sizes.rows * gates * sizes.hidden * (sizes.width + sizes.inputs)
    return Code(
        name=name,
        text=lambda: str(module(form, name, machine)),
        params=_placed(form.layout.names, values, form.buffers),
        buffers=tuple(values[n] for n in form.buffers),
        extent=sizes.blocks,
        work=sizes.steps * (flops / 110 + sizes.rows * vectors * gates * 8.0),
        scratch=scratch,
        needs=(Part(product_name(form.block), lambda: str(product_module(form.block, machine))),),
    )


def _placed(
    order: Sequence[str], values: Mapping[str, int], buffers: Sequence[str]
) -> Callable[[Mapping[int, int]], tuple[int, ...]]:
    """The parameters once places are known."""
    known = dict(values)

    def params(place: Mapping[int, int]) -> tuple[int, ...]:
        return tuple(place[known[n]] if n in buffers else known[n] for n in order)

    return params
