"""Steps of recorded graphs, computed by their references and by their lowerings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from make import Make, tensors_in

import rushlight as rl
import rushlight.optim  # its steps are operations, too
from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.errors import Fault, InternalError
from rushlight.compiler import interp
from rushlight.compiler.expand import expanded
from rushlight.execute.cut import Cut
from rushlight.execute.realize import realize, value
from rushlight.execute.reference import ReferenceProgram, fitted, loaded
from rushlight.graph.graph import Step
from rushlight.graph.node import Node, known, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec
from rushlight.ops.elementwise import Elementwise
from rushlight.ops.update import Update

FLOATS = (rl.float32, rl.float64, rl.bfloat16, rl.float16)
WHOLE = (rl.int64, rl.int32, rl.uint8, rl.bool)
REFUSALS = (Fault, InternalError, TypeError, NotImplementedError, RuntimeError, IndexError)


class Sight(NamedTuple):
    """One step with the values that its inputs had and what its reference made of them."""

    step: Step
    inputs: tuple[Any, ...]
    specs: tuple[Any, ...]
    numbers: tuple[bool, ...]
    result: Any


def has_element(op: Op) -> bool:
    if isinstance(op, Elementwise) and type(op).element is Elementwise.element:
        return type(op).lower is not Elementwise.lower
    return type(op).element is not Op.element


def has_expansion(op: Op) -> bool:
    return type(op).expand is not Op.expand


def is_lowered(op: Op) -> bool:
    return has_element(op) or has_expansion(op)


def lowers(sight: Sight) -> bool:
    """Whether the step is computed by a lowering for these types."""
    return is_lowered(sight.step.op) and sight.step.op.lowers(sight.step.spec, *sight.specs)


def sights(op: Op) -> Iterator[Sight]:
    """Every step that the samples of an operation and their gradients record, in all dtypes."""
    for dtype in (*FLOATS, *WHOLE):
        grad = dtype in (rl.float32, rl.float64) and op.differentiable
        for k in range(len(list(Make(op, dtype=rl.float32).samples()))):
            yield from _sample(op, k, dtype, grad)


def _sample(op: Op, k: int, dtype: Any, grad: bool) -> Iterator[Sight]:
    try:
        make = Make(op, dtype=dtype, grad=grad)
        args, kwargs = next(islice(make.samples(), k, None))
        wanted = tensors_in(_recorded(op, make, args, kwargs))
        if grad:
            wanted = [*wanted, *_gradients(wanted, tensors_in((args, kwargs)))]
        yield from watched([tensor._node for tensor in wanted])
    except REFUSALS:
        if dtype is rl.float32:
            raise


def _recorded(op: Op, make: Make, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a public function, or of an operation that has none, on nodes."""
    if op.torch:
        return make.call(*args, **kwargs)
    made = op(*(x.node if isinstance(x, rl.Tensor) else x for x in args), **kwargs)
    made = ops.parts(made) if isinstance(made.spec, tuple) else [made]
    return [rl.Tensor(node) for node in made]


def _gradients(outputs: list[Any], inputs: list[Any]) -> list[Any]:
    outputs = [t for t in outputs if t.requires_grad]
    inputs = [t for t in inputs if t.requires_grad]
    if not outputs or not inputs:
        return []
    weights = [rl.cos(rl.arange(t.numel(), dtype=t.real.dtype)).reshape(t.shape).to(t.dtype)
               for t in outputs]  # fmt: skip
    found = rl.autograd.grad(outputs, inputs, weights, allow_unused=True)
    return [g for g in found if g is not None]


def watched(nodes: Sequence[Any]) -> list[Sight]:
    """The steps below some nodes, each run by its reference."""
    nodes = [node for node in nodes if node.buffer is None]
    if not nodes:
        return []
    cut = Cut(nodes)
    graph = cut.graph()
    values = [loaded(leaf.buffer, leaf.spec) for leaf in cut.leaves]
    specs: list[Any] = list(graph.inputs)
    program = ReferenceProgram(graph)
    found = []
    with np.errstate(all="ignore"):
        for k, step in enumerate(graph.steps):
            result = program._call(k, step, values)
            inputs = tuple(values[i] for i in step.inputs)
            numbers = tuple(i in graph.numbers for i in step.inputs)
            if not step.op.transparent:
                kinds = tuple(specs[i] for i in step.inputs)
                found.append(Sight(step, inputs, kinds, numbers, result))
            values.append(result)
            specs.append(step.spec)
    return found


def lowered(sight: Sight) -> Any:
    """What the lowering of a step makes of its inputs."""
    step = sight.step
    if has_expansion(step.op):
        return _expanded(sight)
    return interp.element(step.op, step.keywords, sight.inputs, sight.specs, step.spec)


def _expanded(sight: Sight) -> Any:
    made = expansion(sight)
    nodes = made if isinstance(made, (tuple, list)) else [made]
    realize(nodes)
    results = tuple(value(node).values for node in nodes)
    for node, spec in zip(nodes, several(sight.step.spec), strict=True):
        assert node.spec is spec, f"expanded to {node.spec}, not {spec}"
    return results if isinstance(sight.step.spec, tuple) else results[0]


def expansion(sight: Sight) -> Any:
    """The nodes that a step is made of, on inputs of their own."""
    inputs = tuple(
        number(x.item(), spec.dtype) if is_number else _input(x, spec)
        for x, spec, is_number in zip(sight.inputs, sight.specs, sight.numbers, strict=True)
    )
    step = sight.step
    before, recording.grad = recording.grad, False
    try:
        return expanded(Node(step.op, inputs, step.attrs, step.spec, False, None), inputs)
    finally:
        recording.grad = before


def simpler(sight: Sight) -> list[Sight]:
    """The steps that a step is made of; none where it is made of nothing simpler than itself."""
    made = expansion(sight)
    nodes = list(made) if isinstance(made, tuple) else [made]
    step = sight.step
    own = len(nodes) == 1 and nodes[0].op is step.op and nodes[0].attrs == step.attrs
    return [] if own else watched(nodes)


def _input(x: Any, spec: Any) -> Any:
    if not isinstance(spec, tuple):
        return known(Buffer.of(x, spec.dtype))
    raise AssertionError("an operation on several results as one value is not made of others")


def several(spec: Any) -> tuple[Spec, ...]:
    return spec if isinstance(spec, tuple) else (spec,)


def assert_agrees(sight: Sight, got: Any) -> None:
    """The lowering's result is the reference's, to rounding."""
    wanted = sight.result if isinstance(sight.step.spec, tuple) else (sight.result,)
    got = got if isinstance(sight.step.spec, tuple) else (got,)
    for a, b, spec in zip(got, wanted, several(sight.step.spec), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape and a.dtype == b.dtype, f"{a.dtype}{a.shape} {b.dtype}{b.shape}"
        if spec.dtype.kind in ("int", "bool") or isinstance(sight.step.op, Update):
            np.testing.assert_array_equal(a, b, err_msg=said(sight))
            continue
        eps = EPS[spec.dtype.name]
        finite = np.abs(b[np.isfinite(b)])
        atol = eps * min(1.0, float(finite.max())) if finite.size else 0
        if not isinstance(sight.step.op, Elementwise):
            atol = max(atol, 4 * eps * _largest(sight.inputs))  # where terms cancel in a sum
        np.testing.assert_allclose(
            a, b, rtol=4 * sight.step.op.ulp * eps, atol=atol, equal_nan=True, err_msg=said(sight)
        )


def _largest(inputs: Sequence[Any]) -> float:
    sizes = [np.abs(x[np.isfinite(x)]) for x in inputs if np.asarray(x).dtype.kind == "f"]
    return max((float(size.max()) for size in sizes if size.size), default=0.0)


EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-11, "bfloat16": 2.0**-8}


def said(sight: Sight) -> str:
    """A step with its types."""
    kinds = ", ".join(map(repr, sight.specs))
    return f"{sight.step.op.name}({kinds}) {sight.step.keywords} -> {sight.step.spec}"


SPECIAL = (
    np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.0, -3.0,
    1e-40, -1e-40, 1e-20, 0.3, -0.7, 6.5, -6.5, 20.5, -20.5, 100.0, -100.0, 1e10, -1e10, 3e38,
    -3e38,
)  # fmt: skip
WHOLES = (0, 1, -1, 2, -2, 3, -3, 7, -7, 31, 64, 127, -128, 255, 2**31 - 1, -(2**31), 2**63 - 1,
          -(2**63))  # fmt: skip


def special(sight: Sight) -> Sight | None:
    """The step of an elementwise operation on special values in every combination.

    None where the reference refuses them.
    """
    op, count = sight.step.op, len(sight.inputs)
    inputs, specs = [], []
    for k, spec in enumerate(sight.specs):
        values = _special(spec.dtype, small=count > 2)
        shape = tuple(len(values) if d == k else 1 for d in range(count))
        inputs.append(values.reshape(shape))
        specs.append(Spec.of(shape, spec.dtype))
    try:
        spec = op.infer(*specs, **sight.step.keywords)
        with np.errstate(all="ignore"):
            result = fitted(op.evaluate(tuple(inputs), sight.step.attrs), spec)
    except Fault:
        return None
    step = Step(op, sight.step.inputs, sight.step.attrs, spec, None)
    return Sight(step, tuple(inputs), tuple(specs), (False,) * count, result)


def _special(dtype: Any, small: bool) -> np.ndarray:
    if dtype.kind == "bool":
        return np.array([False, True])
    if dtype.kind == "int":
        return np.array(WHOLES).astype(dtype.numpy)[: 8 if small else None]
    values = np.array(SPECIAL, np.float64)[: 8 if small else None].astype(dtype.numpy)
    return Buffer.of(values, dtype).values
