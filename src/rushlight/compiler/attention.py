"""Attention: the steps of a graph that the template ``attention`` computes, and their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import DType, bool_, float32, float64
from rushlight.graph.graph import Step
from rushlight.graph.op import Op
from rushlight.ops.attention import in_blocks

from .contraction import Operand
from .epilogue import part_of
from .llvm.attention import (
    Form,
    Sizes,
    backward_module,
    backward_scratch,
    dot_module,
    forward_module,
    forward_scratch,
    sum_module,
)
from .llvm.attention.form import MATRIX
from .llvm.attention.rows import DOT, SUM
from .llvm.code import Code
from .llvm.contract import tile_of
from .llvm.contract.micro import panel_form
from .llvm.machine import Machine

BACK = frozenset([ops.attention_back, ops.attention_dropout_back])
OPS = BACK | {ops.attention, ops.attention_dropout}
"""The operations of the template."""

VECTORS = ("scale", "total", "rate", "seed", "offset")
"""The inputs that are no matrices."""

ELEMENTS = {float32: "float", float64: "double"}
FLOPS = 60.0
"""About how many operations of a product a nanosecond has room for, for the size of pieces."""


@dataclass(frozen=True)
class Attending:
    """A step that the template computes.

    Attributes:
        step: the operation.
        operands: its matrices by the names of :mod:`llvm.attention.form`.
        vectors: the buffers of :data:`VECTORS`, those that there are.
        inputs, outputs: buffers.
        sizes: of each attention, and how many there are.
        dtype: what is computed in.
        masked: the type of the mask, or None.
    """

    step: Step
    operands: Mapping[str, Operand]
    vectors: Mapping[str, int]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    sizes: Sizes
    dtype: DType
    masked: DType | None

    @property
    def backward(self) -> bool:
        """Whether it computes gradients."""
        return self.step.op in BACK

    @property
    def flops(self) -> int:
        """Operations of its products, without those that no query may look at."""
        s = self.sizes
        pairs = s.queries * s.keys
        if self.causal:
            corner = min(s.queries, s.keys)
            pairs -= corner * (corner - 1) // 2 + corner * max(0, s.keys - s.queries)
        widths = 3 * s.width + 2 * s.values if self.backward else s.width + s.values
        return 2 * s.count * pairs * widths

    @property
    def causal(self) -> bool:
        """Whether no query looks ahead."""
        return bool(self.step.keywords["is_causal"])

    def codes(self, machine: Machine, spare: Callable[[int], int]) -> list[Code]:
        """The calls of kernels."""
        tile = tile_of(machine, ELEMENTS[self.dtype])
        s = self.sizes
        forms = panel_form(tile, s.width), panel_form(tile, s.values)
        shifted = tuple(name for name in "qkv" if self.operands[name].shift)
        drops = "rate" in self.vectors
        form = Form(tile, self.causal, self._mask(), forms, drops=drops, shifted=shifted)
        if not self.backward:
            tasks = s.count * s.blocks_i(tile)
            return [self._code(form, machine, "forward", tasks, {}, {})]
        groups = s.groups(tile)
        form = replace(form, parted=groups > 1)
        own = {"groups": groups, "group": s.group(tile)}
        spares = {"dot": spare(s.count * s.queries * tile.bytes)}
        calls = [self._dots(form, machine, spares["dot"])]
        if groups > 1:
            spares["partial"] = spare(s.count * groups * s.queries * s.width * tile.bytes)
            calls.append(self._summed(form, machine, groups, spares["partial"]))
        calls.insert(1, self._code(form, machine, "backward", s.count * groups, own, spares))
        return calls

    def _mask(self) -> str:
        if self.masked is None:
            return ""
        kind = "bool" if self.masked is bool_ else "float"
        return kind if self.operands["mask"].strides[0] else f"{kind}_along"

    def _code(
        self, form: Form, machine: Machine, way: str, tasks: int, own: Mapping[str, int],
        spares: Mapping[str, int],
    ) -> Code:  # fmt: skip
        tile, s = form.tile, self.sizes
        areas = (backward_scratch if self.backward else forward_scratch)(form, s)
        sizes = {
            "queries": s.queries, "keys": s.keys, "width": s.width, "values": s.values,
            "block_i": s.block_i(tile), "block_j": s.block_j(tile), "blocks_i": s.blocks_i(tile),
            **own, **{f"at_{name}": offset for name, offset in areas.offsets.items()},
        }  # fmt: skip
        places = {**self.vectors, **spares}
        layouts = form.layouts(self.backward)

        def params(place: Mapping[int, int]) -> tuple[int, ...]:
            known = sizes | {name: place[buffer] for name, buffer in places.items()}
            found = [known.get(name, 0) for name in layouts["sizes"].names]
            for name in list(layouts)[1:]:
                found += self._matrix(name, place)
            return tuple(found)

        module = backward_module if self.backward else forward_module
        name = f"attention_{way}_{form.name}"
        return Code(
            name=name,
            text=lambda: str(module(form, name, machine)),
            params=params,
            buffers=tuple(dict.fromkeys((*self.inputs, *self.outputs, *places.values()))),
            extent=tasks,
            work=self.flops / FLOPS / tasks,
            scratch=areas.total,
            needs=tuple(part_of(tile, each) for each in form.needs(self.backward)),
            level=1,  # its loops are written out
        )

    def _matrix(self, name: str, place: Mapping[int, int]) -> list[int]:
        """The parameters of a matrix."""
        operand = self.operands[name]
        bool_mask = name == "mask" and self.masked is bool_
        size = 1 if bool_mask else self.dtype.itemsize
        lead = self.sizes.lead
        batch = (*((0,) * (3 - len(operand.batch))), *operand.batch)
        values = {
            "place": place[operand.buffer], "offset": operand.offset * size,
            "row": operand.strides[0] * size, "column": operand.strides[1] * size,
            "extent1": lead[1], "extent2": lead[2],
            "shift": place[operand.shift[0]] if operand.shift else 0,
            "unit": operand.shift[1] * size if operand.shift else 0,
            **{f"batch{k}": step * size for k, step in enumerate(batch)},
        }  # fmt: skip
        return [values[each] for each in MATRIX.names]

    def _dots(self, form: Form, machine: Machine, dot: int) -> Code:
        """The call that sums the gradient times the result."""
        s, tile = self.sizes, form.tile
        name = f"attention_dot_{tile.suffix}"
        blocks = -(-s.queries // tile.lanes)
        values = {"queries": s.queries, "values": s.values, "blocks": blocks}

        def params(place: Mapping[int, int]) -> tuple[int, ...]:
            known = {**values, "dot": place[dot]}
            sides = (*self._matrix("g", place), *self._matrix("y", place))
            return (*(known[each] for each in DOT.names), *sides)

        return Code(
            name=name,
            text=lambda: str(dot_module(tile, name, machine)),
            params=params,
            buffers=(dot, self.operands["g"].buffer, self.operands["y"].buffer),
            extent=s.count * blocks,
            work=s.values * tile.lanes / 8,
            level=1,
        )

    def _summed(self, form: Form, machine: Machine, groups: int, part: int) -> Code:
        """The call that adds up the parts of the gradients of queries."""
        s, tile = self.sizes, form.tile
        name = f"attention_sum_{tile.suffix}"
        values = {"queries": s.queries, "width": s.width, "groups": groups}

        def params(place: Mapping[int, int]) -> tuple[int, ...]:
            known = {**values, "partial": place[part]}
            return (*(known[each] for each in SUM.names), *self._matrix("dq", place))

        return Code(
            name=name,
            text=lambda: str(sum_module(tile, name, machine)),
            params=params,
            buffers=(part, self.operands["dq"].buffer),
            extent=s.count * s.queries,
            work=s.width * groups / 8,
            level=1,
        )


def is_attention(op: Op, inputs: Sequence[Any]) -> bool:
    """Whether a step is computed by the template."""
    if op not in OPS:
        return False
    first = 3 if op in BACK else 0
    return in_blocks(*inputs[first : first + 3])
