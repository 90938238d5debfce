"""Schedule: the kernels of a graph in order, and the buffers between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import bool_, int32
from rushlight.graph.graph import Graph, Step
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec
from rushlight.ops.elementwise import Elementwise

from .body import Body
from .checks import Checks
from .constant import CONSTANT
from .contraction import TYPES, Contraction, Operand
from .expand import TOGETHER
from .expr import Expr, parts
from .fuse import Fusion
from .index import Axis, Index
from .kernel import Kernel, Root
from .scan import Scan, is_scan
from .value import Computed, Fixed, Stored, Value

LARGE = 120
"""Functions in one expression beyond which its value is stored: compiling takes time."""

CHEAP = 5
"""Functions that are rather computed again than stored and read."""

INLINE = 32
"""Numbers in a reduction up to which it is written out where it is used: windows of a pooling."""


@dataclass
class Buffer:
    """Memory of one value.

    Attributes:
        spec: its type; rows after rows, with no gaps.
        origin: which input of the graph it is, or None.
        part: which result of that input, if it has several.
    """

    spec: Spec
    origin: int | None = None
    part: int | None = None


@dataclass
class Referred:
    """A step that is run by its reference.

    Attributes:
        step: the operation.
        inputs: buffers; a tuple of them for several results.
        outputs: the buffers of its results.
    """

    step: Step
    inputs: tuple[Any, ...]
    outputs: tuple[int, ...]


Call = Kernel | Contraction | Scan | Referred


@dataclass
class Schedule:
    """What to run in which order.

    Attributes:
        buffers: every piece of memory, the graph's inputs first.
        calls: kernels, and steps that are run by their references.
        outputs: the buffers that leave; a tuple of them for several results.
        taken: for results the inputs whose memory they may take.
    """

    buffers: list[Buffer] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)


def schedule(graph: Graph) -> Schedule:
    """The kernels for a graph of simple operations."""
    return _Scheduling(graph).made()


def has_kernel(op: Op, spec: Any, inputs: list[Any]) -> bool:
    """Whether a step can be part of a kernel of template ``loops``."""
    if op is CONSTANT:
        return True
    if isinstance(spec, tuple) or any(isinstance(each, tuple) for each in inputs):
        return False
    if any(each.dtype.is_complex for each in (spec, *inputs)):
        return False
    kind = type(op)
    if isinstance(op, Elementwise):
        own = kind.lower is not Elementwise.lower or kind.element is not Elementwise.element
    else:
        own = kind.element is not Op.element
    return own and op.lowers(spec, *inputs)


class _Scheduling:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.plan = Schedule()
        self.body = Body()
        self.values: list[Any] = []
        self.fusion = Fusion()
        self.checks = Checks()
        self._users: list[list[int]] = [[] for _ in range(len(graph.inputs) + len(graph.steps))]
        for k, step in enumerate(graph.steps):
            for value in step.inputs:
                self._users[value].append(k)
        self._outputs = set(graph.outputs)

    def made(self) -> Schedule:
        """The schedule."""
        graph = self.graph
        for k, spec in enumerate(graph.inputs):
            self.values.append(self._input(k, spec))
        for k, step in enumerate(graph.steps):
            self.values.append(self._value(len(graph.inputs) + k, step))
        self.plan.outputs = [_buffers(self.values[k]) for k in graph.outputs]
        self.plan.calls = self.fusion.calls(_flat(self.plan.outputs))
        return self.plan

    def _input(self, k: int, spec: Any) -> Any:
        if isinstance(spec, tuple):
            return tuple(self._stored(each, k, part) for part, each in enumerate(spec))
        return self._stored(spec, k)

    def _stored(self, spec: Spec, origin: int | None = None, part: int | None = None) -> Stored:
        self.plan.buffers.append(Buffer(spec, origin, part))
        return Stored(spec, len(self.plan.buffers) - 1, contiguous(spec.shape))

    def _value(self, number: int, step: Step) -> Any:
        inputs = [self.values[k] for k in step.inputs]
        if step.op is TOGETHER:
            return tuple(self._in_memory(x) for x in inputs)
        if step.op is ops.part and isinstance(inputs[0], tuple):
            return inputs[0][step.attrs[0]]
        if step.op is CONSTANT:
            value: Value = Fixed(step.spec, step.attrs[0])  # type: ignore[arg-type]
            return self._root(value) if number in self._outputs else value
        specs = [x.spec if isinstance(x, Value) else tuple(e.spec for e in x) for x in inputs]
        if has_kernel(step.op, step.spec, specs):
            value = Computed(self.body, step.op, step.keywords, tuple(inputs), step.spec)  # type: ignore[arg-type]
            self.checks.look_at(value, self)
            return self._root(value) if self._is_stored(number, value) else value
        if step.op is ops.matmul and step.spec.dtype in TYPES:
            made = self._product(step, inputs)
            if made is not None:
                return made
        if is_scan(step.op, step.spec, specs):
            return self._apart(step, inputs, partial(Scan, kinds=tuple(specs)))  # type: ignore[arg-type]
        return self._apart(step, inputs, Referred)

    def _product(self, step: Step, inputs: list[Any]) -> Any:
        """A matrix product, whose operands are read as they lie if that is possible."""
        spec: Any = step.spec
        extents = spec.shape[:-2]
        if len(extents) > 3:
            return None
        operands = [
            Operand.of(x, extents) or Operand.of(self._in_memory(x), extents) for x in inputs
        ]
        stored = self._stored(spec)
        if not spec.numel:
            return stored
        a, b = operands
        assert a is not None and b is not None
        sizes = (*spec.shape[-2:], inputs[0].shape[-1])
        self.fusion.open(Contraction(a, b, extents, sizes, spec.dtype, stored.buffer))
        return stored

    def _apart(self, step: Step, inputs: list[Any], call: Callable[..., Any]) -> Any:
        """A step that is a call by itself."""
        specs = step.spec if isinstance(step.spec, tuple) else (step.spec,)
        places = tuple(_buffers(self._in_memory(x)) for x in inputs)
        made = tuple(self._stored(spec) for spec in specs)
        outputs = tuple(each.buffer for each in made)
        self.fusion.append(call(step, places, outputs), _flat(places), outputs)
        return made if isinstance(step.spec, tuple) else made[0]

    def check(self, faulty: Expr, axes: tuple[Axis, ...]) -> None:
        """Computes whether an index is out of range anywhere; the program stops if it is."""
        stored = self._stored(Spec.of((), int32))
        anywhere = Expr.of("reduce", bool_, (faulty,), ("any", axes)) if axes else faulty
        root = Root(stored.buffer, int32, (), (), Index(), self.body.cast(anywhere, int32))
        self.fusion.alone(Kernel((), [root], {stored.buffer}, fault=stored.buffer), root)

    # Memory or not ---------------------------------------------------------------------------

    def _in_memory(self, value: Any) -> Any:
        """A value as memory; one that is computed where it is used is stored for this."""
        if isinstance(value, tuple):
            return tuple(self._in_memory(each) for each in value)
        return value if isinstance(value, Stored) else self._root(value)

    def _root(self, value: Value) -> Stored:
        """Stores a value."""
        stored = self._stored(value.spec)
        if not value.spec.numel:
            return stored
        axes = tuple(Axis(n) for n in value.shape)
        index = tuple(map(Index.of, axes))
        place = Index()
        for axis, stride in zip(axes, stored.strides, strict=True):
            place = place + Index.of(axis) * stride
        body = written_out(value.at(*index))
        self.fusion.add(Root(stored.buffer, value.spec.dtype, axes, (), place, body))
        return stored

    def _is_stored(self, number: int, value: Computed) -> bool:
        """Whether a value gets memory, rather than being computed wherever it is used."""
        users = self._users[number]
        if number in self._outputs:
            return True
        body = value.at(*(Axis(n) for n in value.shape))
        if body.op in ("const", "load", "index"):
            return False
        if body.size > LARGE or any(is_large(x) for x in parts(body)):
            return True
        if body.size <= 1:
            return False
        if len(users) > 1 and body.size > CHEAP:
            return True
        return body.size > CHEAP and any(self._reads_again(k, value) for k in users)

    def _reads_again(self, user: int, value: Computed) -> bool:
        """Whether a user reads the same element many times."""
        step = self.graph.steps[user]
        specs = step.spec if isinstance(step.spec, tuple) else (step.spec,)
        return max(spec.numel for spec in specs) > value.spec.numel


def is_large(x: Expr) -> bool:
    """Whether an expression is a reduction that gets a loop of its own."""
    if x.op != "reduce":
        return False
    how, axes = x.attrs
    return prod(axis.extent for axis in axes) > INLINE or how.startswith("arg")


def written_out(body: Expr) -> Expr:
    """An expression whose small reductions are written out, term by term."""
    done: dict[Expr, Expr] = {}
    for x in parts(body):
        args = tuple(done[arg] for arg in x.args)
        if x.op == "reduce" and not is_large(x):
            done[x] = _terms(x, args[0])
        else:
            done[x] = Expr.of(x.op, x.dtype, args, x.attrs)
    return done[body]


_PAIRS = {"sum": "add", "prod": "mul", "min": "minimum", "max": "maximum", "any": "or_", "all": "and_"}
_EMPTY = {"sum": 0, "prod": 1, "any": False, "all": True}


def _terms(x: Expr, inner: Expr) -> Expr:
    how, axes = x.attrs
    terms = [inner]
    for axis in axes:
        terms = [t.replaced({axis: Index((), k)}) for t in terms for k in range(axis.extent)]
    body = Body()
    if not terms:
        return body.const(_EMPTY[how], x.dtype)
    while len(terms) > 1:  # by pairs, as exact as it gets
        pairs = [getattr(body, _PAIRS[how])(a, b) for a, b in zip(terms[::2], terms[1::2])]
        terms = pairs + terms[len(pairs) * 2 :]
    return terms[0]


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of rows after rows."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(1, size)
    return tuple(reversed(strides))


def _buffers(value: Any) -> Any:
    return tuple(each.buffer for each in value) if isinstance(value, tuple) else value.buffer


def _flat(places: Any) -> list[int]:
    found: list[int] = []
    for place in places:
        found.extend(place if isinstance(place, tuple) else (place,))
    return found
