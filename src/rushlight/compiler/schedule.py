"""Schedule: the kernels of a graph in order, and the buffers between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod
from operator import mul
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import DType, bool_, int32
from rushlight.graph.graph import Graph, Step
from rushlight.graph.op import View
from rushlight.graph.spec import Spec

from .attention import OPS as ATTENTION
from .attention import Attending, is_attention
from .attention_memory import Memories
from .body import Body
from .checks import Checks
from .constant import CONSTANT
from .contraction import Contraction, Operand, made_of_half
from .convolution import CONVOLUTIONS, Bordered, Convolution, channels_last
from .epilogue import Products
from .expr import Expr
from .fuse import Fusion
from .index import Axis, Index
from .integer import SUMS, IntegerSums
from .kernel import Change, Kernel, Root
from .layout import Order, natural, same_memory, strides_in
from .plain import Referred, flat
from .reductions import INLINE, in_pieces, is_large, written_out
from .scan import OPS as SCANS
from .scan import Scan, is_scan
from .scatter import Scatter, scatters
from .template import has_kernel, is_convolution, is_product
from .value import Computed, Fixed, Stored, Value, computed_in

LARGE = 100
"""Functions in one expression beyond which its value is stored: compiling takes time."""

CHEAP = 5
"""Functions that are rather computed again than stored and read."""


@dataclass
class Buffer:
    """Memory of one value.

    Attributes:
        spec: its type. There are no gaps; its dimensions lie in the order that readers know.
        origin: which input of the graph it is, or None.
        part: which result of that input, if it has several.
    """

    spec: Spec
    origin: int | None = None
    part: int | None = None


Call = Kernel | Products | Scan | Scatter | Attending | Referred


@dataclass
class Schedule:
    """What to run in which order.

    Attributes:
        buffers: every piece of memory, the graph's inputs first.
        calls: kernels, and steps that are run by their references.
        outputs: the buffers that leave; a tuple of them for several results.
        taken: for results the inputs whose memory they may take.
        origins: for each buffer that is made here, the graph's steps that it is computed by.
    """

    buffers: list[Buffer] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)
    origins: dict[int, tuple[int, ...]] = field(default_factory=dict)


def schedule(graph: Graph) -> Schedule:
    """The kernels for a graph of simple operations."""
    return _Scheduling(graph).made()


class _Scheduling:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.plan = Schedule()
        self.body = Body()
        self.values: list[Any] = []
        self.fusion = Fusion()
        self.checks = Checks()
        self._known: dict[tuple[int, int], Axis] = {}
        self._users: list[list[int]] = [[] for _ in range(len(graph.inputs) + len(graph.steps))]
        for k, step in enumerate(graph.steps):
            for value in step.inputs:
                self._users[value].append(k)
        self._outputs = set(graph.outputs)
        # Values that are computed where they are used and that somebody wanted in memory.
        self._lying: dict[Value, list[Stored]] = {}
        self._bordered: dict[tuple[Value, int, int], Value] = {}
        self._products: set[int] = set()
        self._steps: dict[Value, int] = {}

    def made(self) -> Schedule:
        """The schedule."""
        graph = self.graph
        for k, spec in enumerate(graph.inputs):
            self.values.append(self._input(k, spec))
        for k, step in enumerate(graph.steps):
            before = len(self.plan.buffers)
            self.values.append(self._value(len(graph.inputs) + k, step))
            for buffer in range(before, len(self.plan.buffers)):
                self.plan.origins.setdefault(buffer, (k,))
        self.plan.outputs = [_buffers(self._in_memory(self.values[k])) for k in graph.outputs]
        self.plan.calls = self.fusion.calls([b for out in self.plan.outputs for b in flat(out)])
        return self.plan

    def _input(self, k: int, spec: Any) -> Any:
        if isinstance(spec, tuple):
            return tuple(self._stored(each, k, part) for part, each in enumerate(spec))
        return self._stored(spec, k)

    def _stored(
        self, spec: Spec, origin: int | None = None, part: int | None = None,
        order: Order | None = None,
    ) -> Stored:  # fmt: skip
        self.plan.buffers.append(Buffer(spec, origin, part))
        strides = strides_in(order or tuple(range(spec.ndim)), spec.shape)
        return Stored(spec, len(self.plan.buffers) - 1, strides)

    def _value(self, number: int, step: Step) -> Any:
        inputs = [self.values[k] for k in step.inputs]
        if step.op is ops.together:
            return tuple(self._in_memory(x) for x in inputs)
        if step.op is ops.part and isinstance(inputs[0], tuple):
            return inputs[0][step.attrs[0]]
        if step.op is CONSTANT:
            value: Value = Fixed(step.spec, step.attrs[0])  # type: ignore[arg-type]
            return value
        specs = [x.spec if isinstance(x, Value) else tuple(e.spec for e in x) for x in inputs]
        if has_kernel(step.op, step.spec, specs):
            value = Computed(self.body, step.op, step.keywords, tuple(inputs), step.spec)  # type: ignore[arg-type]
            # Whether a sum is finite is asked of its memory, not of a second sum.
            often = [step.op is ops.finite or self._is_read_often(x, value) for x in inputs]
            if any(often):
                inputs = [self._laid(x) if yes else x for x, yes in zip(inputs, often, strict=True)]
                value = Computed(self.body, step.op, step.keywords, tuple(inputs), step.spec)  # type: ignore[arg-type]
            self._steps[value] = number - len(self.graph.inputs)
            value.at(*self._axes(value.shape))
            self.checks.look_at(self.body.lookups, self)
            if number in self._outputs and self._is_view(value):
                return self._in_memory(value)
            return self._laid(value) if self._is_stored(number, value) else value
        if is_product(step.op, step.spec) and (made := self._product(step, inputs)) is not None:
            return made
        if is_convolution(step.op, step.spec, specs):
            return self._convolution(step, inputs)
        if is_scan(step.op, step.spec, specs):
            lying = [self._as_it_lies(x) for x in inputs]
            return self._apart(step, lying, partial(Scan, kinds=tuple(specs)))  # type: ignore[arg-type]
        if scatters(step.op, step.spec, specs):
            return self._scattered(number, step, inputs)
        if is_attention(step.op, specs):
            return self._attention(number, step, inputs)
        return self._apart(step, inputs, Referred)

    def _product(self, step: Step, inputs: list[Any]) -> Any:
        """A matrix product, whose operands are read as they lie if that is possible."""
        spec: Any = step.spec
        extents = spec.shape[:-2]
        if len(extents) > 3:
            return None
        operands = [
            Operand.of(x, extents, halves=True) or Operand.of(self._laid(x), extents)
            for x in inputs
        ]
        stored = self._stored(spec)
        if not spec.numel:
            return stored
        a, b = operands
        assert a is not None and b is not None
        sizes = (*spec.shape[-2:], inputs[0].shape[-1])
        self.fusion.open(Contraction(a, b, extents, sizes, spec.dtype, stored.buffer))
        self._products.add(stored.buffer)
        return stored

    def _convolution(self, step: Step, inputs: list[Any]) -> Stored:
        spec: Any = step.spec
        order = None if step.op is ops.conv_weight else channels_last(spec.ndim)
        stored = self._stored(spec, order=order)
        if spec.numel:
            form = IntegerSums if step.op in SUMS else Convolution
            self.fusion.open(form(step, inputs, self, stored.buffer))
            self._products.add(stored.buffer)
        return stored

    def _attention(self, number: int, step: Step, inputs: list[Any]) -> tuple[Stored, ...]:
        """A step of template ``attention``, whose results lie like what they are made from."""
        memories = Memories(
            self._laid,
            lambda value: self._in_memory(value),
            lambda spec, order: self._stored(spec, order=order),
        )
        call, made = memories.attending(step, inputs, self._leaves(number))
        self.fusion.append(call, call.inputs, call.outputs)
        return made

    def _leaves(self, number: int) -> bool:
        """Whether a value or a part of it leaves the graph."""
        parts = [len(self.graph.inputs) + k for k in self._users[number]]
        return not self._outputs.isdisjoint([number, *parts])

    def _apart(self, step: Step, inputs: list[Any], call: Callable[..., Any]) -> Any:
        """A step that is a call by itself."""
        specs = step.spec if isinstance(step.spec, tuple) else (step.spec,)
        places = tuple(_buffers(self._in_memory(x)) for x in inputs)
        made = tuple(self._stored(spec) for spec in specs)
        outputs = tuple(each.buffer for each in made)
        reads = [b for place in places for b in flat(place)]
        self.fusion.append(call(step, places, outputs), reads, outputs)
        return made if isinstance(step.spec, tuple) else made[0]

    def _scattered(self, number: int, step: Step, inputs: list[Value]) -> Value:
        """A copy of the first input, in which elements are changed; half types in float32."""
        spec: Any = step.spec
        made = self._stored(spec.with_dtype(computed_in(spec.dtype)))
        if spec.numel:
            self._fill(made, inputs[0], tuple(range(spec.ndim)))
        axes = self._axes(step.op.scattered(*inputs, **step.keywords))
        call = Scatter.of(self.body, step, inputs, made, axes)
        self.checks.look_at(self.body.lookups, self)
        if call.count:
            self.fusion.append(call, call.inputs, call.outputs)
        if made.spec is spec:
            return made
        value = Computed(self.body, ops.cast, {"dtype": spec.dtype}, (made,), spec)
        return self._laid(value) if self._is_stored(number, value) else value

    def check(self, faulty: Expr, axes: tuple[Axis, ...]) -> None:
        """Computes whether an index is out of range anywhere; the program stops if it is."""
        stored = self._stored(Spec.of((), int32))
        anywhere = Expr.of("reduce", bool_, (faulty,), ("any", axes)) if axes else faulty
        root = Root(stored.buffer, int32, (), (), Index(), self.body.cast(anywhere, int32))
        self.fusion.alone(Kernel((), [root], {stored.buffer}, fault=stored.buffer), root)

    # Memory or not ---------------------------------------------------------------------------

    def _in_memory(self, value: Any) -> Any:
        """A value as memory, rows after rows."""
        if isinstance(value, tuple):
            return tuple(self._in_memory(each) for each in value)
        return self.in_order(value, tuple(range(value.ndim)))

    def _laid(self, value: Value) -> Stored:
        """A value as memory in any order."""
        if isinstance(value, Stored):
            return value
        if value not in self._lying:
            axes = self._axes(value.shape)
            return self._root(value, natural(value.at(*axes), axes, self._weight))
        return self._lying[value][0]

    def _as_it_lies(self, value: Any) -> Any:
        """The memory that a value is, if its elements lie there in order, as after a reshape."""
        if isinstance(value, Computed):
            axes = [Index.of(Axis(n)) if n > 1 else Index() for n in value.shape]
            strides = strides_in(tuple(range(value.ndim)), value.shape)
            body = value.at(*axes)
            if body.op == "load" and not body.args:
                buffer, index = body.attrs
                if index == sum(map(mul, axes, strides), Index()):
                    return Stored(value.spec, buffer, strides)
        return value

    def in_order(self, value: Value, order: Order) -> Stored:
        """A value as memory, the dimensions in an order, the outermost first."""
        strides, shape = strides_in(order, value.shape), value.shape
        known = [value] if isinstance(value, Stored) else self._lying.get(value, [])
        for each in known:
            if same_memory(each.strides, strides, shape):
                return each
        return self._root(known[0] if known else value, order)

    def bordered(self, value: Value, before: int, size: int) -> Value:
        """The value with zeros around its last dimension; the same for the same."""
        key = value, before, size
        if key not in self._bordered:
            self._bordered[key] = Bordered(*key)
        return self._bordered[key]

    def _weight(self, buffer: int) -> float:
        """How much the order of a buffer counts: its size, or a product's if that is the same."""
        return self.plan.buffers[buffer].spec.numel + 0.5 * (buffer in self._products)

    def _root(self, value: Value, order: Order) -> Stored:
        """Stores a value."""
        stored = self._stored(value.spec, order=order)
        self._lying.setdefault(value, []).append(stored)
        if value.spec.numel:
            self._fill(stored, value, order)
            if origin := self._origin(value):  # an input in another order is the asking step's
                made = range(stored.buffer, len(self.plan.buffers))
                self.plan.origins.update(dict.fromkeys(made, origin))
        return stored

    def _fill(self, stored: Stored, value: Value, order: Order) -> None:
        """Computes a value into memory."""
        axes = self._axes(value.shape)
        laid = tuple(axes[k] for k in order)
        body = in_pieces(written_out(value.at(*axes)), laid, self._part)
        self._add(stored.buffer, stored.spec.dtype, laid, body)

    def _origin(self, value: Value) -> tuple[int, ...]:
        """The steps that are part of what computes a value."""
        if isinstance(value, Stored):
            return self.plan.origins.get(value.buffer, ())
        seen: dict[Value, None] = {value: None}
        stack = [value]
        while stack:
            inner = [x for x in getattr(stack.pop(), "inputs", ()) if x not in seen]
            seen.update(dict.fromkeys(inner))
            stack.extend(inner)
        return tuple(sorted(self._steps[x] for x in seen if x in self._steps))

    def _part(self, dtype: DType, axes: Sequence[Axis], body: Expr) -> int:
        """Stores partial results."""
        stored = self._stored(Spec.of(tuple(axis.extent for axis in axes), dtype))
        self._add(stored.buffer, dtype, tuple(axes), body)
        return stored.buffer

    def _add(self, buffer: int, dtype: DType, axes: tuple[Axis, ...], body: Expr) -> None:
        # Axes that no other result has: a kernel's rows may be another's inside.
        own, place, step = tuple(Axis(axis.extent) for axis in axes), Index(), 1
        for axis in reversed(own):
            place, step = place + Index.of(axis) * step, step * axis.extent
        body = Change.renaming(axes, own)(body)
        self.fusion.add(Root(buffer, dtype, own, (), place, body))

    def _axes(self, shape: tuple[int, ...]) -> tuple[Axis, ...]:
        """The axes of an element of a shape, always the same: what was lowered once is known."""
        places = range(len(shape), 0, -1)
        return tuple(
            self._known.setdefault((k, n), Axis(n)) for k, n in zip(places, shape, strict=True)
        )

    def _is_view(self, value: Computed) -> bool:
        """Whether a value is another's elements in another place."""
        return value.at(*self._axes(value.shape)).op == "load"

    def _is_stored(self, number: int, value: Computed) -> bool:
        """Whether a value gets memory, rather than being computed wherever it is used."""
        users = self._users[number]
        body = value.at(*self._axes(value.shape))
        if body.op in ("const", "load", "index"):
            return False
        if number in self._outputs or any(self._wants_memory(k, value) for k in users):
            return True
        if body.size > LARGE or any(map(is_large, body.reductions)):
            return True
        if body.size <= 1:
            return False
        if len(users) > 1 and body.size > CHEAP:
            return True
        return body.size > CHEAP and any(self._reads_again(k, value) for k in users)

    def _wants_memory(self, user: int, value: Computed) -> bool:
        """Whether a user can read memory only."""
        op = self.graph.steps[user].op
        if op in ATTENTION:  # of a view it may read the whole
            return not isinstance(value.op, View)
        if op is ops.matmul:
            return not made_of_half(value.at(*self._axes(value.shape)))
        return op in CONVOLUTIONS or op in SCANS or op in SUMS

    def _is_read_often(self, x: Value, by: Computed) -> bool:
        """Whether overlapping windows of a result would compute elements of an input again."""
        if not isinstance(x, Computed) or x in self._lying or not by.spec.numel:
            return False
        body, inner = (value.at(*self._axes(value.shape)) for value in (by, x))
        own = [each for each in body.reductions if each not in inner.reductions]
        windows = [prod(axis.extent for axis in each.attrs[1]) for each in own]
        reads = max([0, *(count for count in windows if count <= INLINE)])
        return inner.size > 1 and reads * by.spec.numel > 1.5 * x.spec.numel

    def _reads_again(self, user: int, value: Computed) -> bool:
        """Whether a user reads the same element many times."""
        step = self.graph.steps[user]
        specs = step.spec if isinstance(step.spec, tuple) else (step.spec,)
        return max(spec.numel for spec in specs) > value.spec.numel


def _buffers(value: Any) -> Any:
    return tuple(each.buffer for each in value) if isinstance(value, tuple) else value.buffer
