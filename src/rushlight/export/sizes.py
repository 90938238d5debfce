"""Recording at several sizes, and what varies between the recordings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rushlight.base.errors import Fault
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Number
from rushlight.tensor.look import array_of
from rushlight.tensor.tensor import Tensor

from .dims import Axes, Dim
from .recorded import Recorded
from .varying import Fit, Sizes, Varying
from .watch import refusal

Record = Callable[[Sizes], Recorded]


@dataclass(frozen=True, slots=True)
class Sized:
    """A recording in which what depends on sizes is a formula.

    Attributes:
        recorded: at the first sizes.
        attrs: of each step; integers in them may be :class:`Varying`.
        numbers: the numbers, likewise.
        results: the shape of each output that was returned; None where there is no formula.
    """

    recorded: Recorded
    attrs: tuple[tuple[Any, ...], ...]
    numbers: tuple[Number | Varying, ...]
    results: tuple[tuple[int | Varying | None, ...], ...]


def sized(record: Record, dims: Sequence[Dim], example: Sizes) -> Sized:
    """Records at as many sizes as are needed to know what depends on them.

    Args:
        record: makes a recording for sizes.
        dims: the dynamic sizes.
        example: those of the example.
    Raises:
        RuntimeError: something depends on a size in a way that is not kept; it names operation,
            line and layer.
    """
    names = [dim.name for dim in dims]
    if not names:
        found = record({})
        shapes = tuple(_result_shapes(found.graph, len(found.returned)))
        return Sized(found, tuple([s.attrs for s in found.graph.steps]), found.numbers, shapes)
    points, recordings = _points(record, dims, example)
    fit = Fit(names, points)
    first = recordings[0]
    _same_structure(recordings, points)
    attrs = tuple(
        [
            _joined(step, [r.graph.steps[k].attrs for r in recordings], fit, first.layers[k])
            for k, step in enumerate(first.graph.steps)
        ]
    )
    numbers = tuple([_number(k, recordings, fit) for k in range(len(first.numbers))])
    _same_constants(recordings)
    return Sized(first, attrs, numbers, tuple(_shapes(recordings, fit)))


# Where to record -------------------------------------------------------------------------------


def _points(
    record: Record, dims: Sequence[Dim], example: Sizes
) -> tuple[list[Sizes], list[Recorded]]:
    """Sizes and recordings: all corners of two sizes for each name, then sizes to check at.

    Size 1 means something else to many operations, so where the example has it there is no corner.
    """
    low = {dim.name: _start(dim, example[dim.name]) for dim in dims}
    found = {_key(low): record(low)}
    high = dict(low)
    for dim in dims:
        high[dim.name] = _second(record, dim, low, found)
    corners = [
        {dim.name: (high if dim in chosen else low)[dim.name] for dim in dims}
        for count in range(len(dims) + 1)
        for chosen in itertools.combinations(dims, count)
    ]
    points: list[Sizes] = []
    for corner in corners:
        if _key(corner) not in found:
            found[_key(corner)] = record(corner)
        points.append(corner)
    for check in _checks(dims, low, high):
        try:
            found[_key(check)] = record(check)
        except Exception:  # larger than the model allows; one of them has to do
            continue
        points.append(check)
    if len(points) == len(corners):
        raise refusal(
            "export", f"the model runs at no third size of {', '.join(low)}",
            "Sizes are recorded at two values and checked at a third.",
            "Give Dim a min and a max that the model allows.", None, "",
        )  # fmt: skip
    return points, [found[_key(point)] for point in points]


def _key(sizes: Sizes) -> tuple[tuple[str, int], ...]:
    return tuple(sizes.items())


def _start(dim: Dim, size: int) -> int:
    return next((n for n in (size, 2, 3) if n > 1 and dim.allows(n)), dim.min + 2)


def _second(record: Record, dim: Dim, low: dict[str, int], found: dict[Any, Recorded]) -> int:
    """Another size of one dimension at which the model runs."""
    size, refused = low[dim.name], None
    for other in (size + 1, size - 1, 2 * size, size // 2, size + 2, size - 2):
        if other > 1 and other != size and dim.allows(other):
            sizes = {**low, dim.name: other}
            try:
                found[_key(sizes)] = record(sizes)
            except Exception as error:
                refused = refused or error
                continue
            return other
    fault = refused if isinstance(refused, Fault) else None
    why = fault.problem if fault else refused
    raise refusal(
        "export", f"the model does not run with {dim.name!r} other than {size}: {why}",
        "A dynamic size is recorded at several values.",
        f"Leave {dim.name!r} out of dynamic_shapes, or widen its bounds.",
        fault.site if fault else None, fault.layer if fault else "",
    )  # fmt: skip


def _checks(dims: Sequence[Dim], low: Sizes, high: Sizes) -> Iterator[dict[str, int]]:
    seen = {_key(low), _key(high)}
    for grown in (lambda n: n + 2, lambda n: 2 * n + 1, lambda n: 3 * n + 2, lambda n: n - 2,
                  lambda n: n - 1):  # fmt: skip
        sizes = {dim.name: grown(max(low[dim.name], high[dim.name])) for dim in dims}
        sizes = {
            dim.name: n if n > 1 and dim.allows(n) else low[dim.name]
            for dim, n in zip(dims, sizes.values(), strict=True)
        }
        different = all(n not in (low[name], high[name]) for name, n in sizes.items())
        if different and _key(sizes) not in seen:
            seen.add(_key(sizes))
            yield sizes


def example_at(array: np.ndarray, axes: Axes, sizes: Sizes) -> np.ndarray:
    """An example with other sizes, of the same elements over and over."""
    for axis, dim in axes.items():
        wanted = sizes.get(dim.name, array.shape[axis])
        if wanted != array.shape[axis]:
            array = np.take(array, np.arange(wanted) % max(array.shape[axis], 1), axis)
    return array


# What varies -----------------------------------------------------------------------------------


def _same_structure(recordings: Sequence[Recorded], points: Sequence[Sizes]) -> None:
    first = recordings[0]
    for other, sizes in zip(recordings[1:], points[1:], strict=True):
        pairs = itertools.zip_longest(first.graph.steps, other.graph.steps)
        for k, (a, b) in enumerate(pairs):
            if a is None or b is None or a.op is not b.op or a.inputs != b.inputs:
                at = min(k, len(first.layers) - 1)
                step = first.graph.steps[at] if first.layers else None
                raise _depends(
                    step, first.layers[at] if step else "",
                    f"with {dict(sizes)} the model does other operations than with"
                    f" {dict(points[0])}",
                )  # fmt: skip
        same = (first.graph.outputs, first.result, list(first.state), len(first.numbers))
        if same != (other.graph.outputs, other.result, list(other.state), len(other.numbers)):
            raise _depends(None, "", f"with {dict(sizes)} the model returns something else")


def _depends(step: Step | None, layer: str, why: str) -> Exception:
    return refusal(
        step.op.name if step else "export", why,
        "What a size may decide is shapes, and whole numbers that are sums of products of sizes.",
        "Leave that dimension out of dynamic_shapes.", step.site if step else None, layer,
    )  # fmt: skip


def _joined(step: Step, given: Sequence[tuple[Any, ...]], fit: Fit, layer: str) -> tuple[Any, ...]:
    """A step's attributes, with formulas for what varies."""
    joined = []
    for name, values in zip(step.op.attrs, zip(*given, strict=True), strict=True):
        try:
            joined.append(_attribute(values, fit))
        except _Unfit:
            found = _two(values, fit)
            raise _depends(step, layer, f"its {name} depends on sizes: {found}") from None
    return tuple(joined)


def _two(values: Sequence[Any], fit: Fit) -> str:
    """Two sizes, and what something is there."""
    other = next(k for k, value in enumerate(values) if value != values[0])
    return " and ".join(f"{values[k]} at {dict(fit.points[k])}" for k in (0, other))


class _Unfit(Exception):
    """There is no formula for a value."""


def _attribute(values: Sequence[Any], fit: Fit) -> Any:
    first = values[0]
    if all(type(value) is type(first) and value == first for value in values):
        return first
    if all(type(value) is int for value in values):
        found = fit(values)
        if found is None:
            raise _Unfit
        return found
    same = all(type(v) is type(first) and isinstance(v, tuple) for v in values)
    if not same or len({len(v) for v in values}) != 1:
        raise _Unfit
    parts = [_attribute(each, fit) for each in zip(*values, strict=True)]
    return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)


def _number(k: int, recordings: Sequence[Recorded], fit: Fit) -> Number | Varying:
    try:
        return _attribute([r.numbers[k] for r in recordings], fit)  # type: ignore[no-any-return]
    except _Unfit:
        first = recordings[0]
        at = len(first.given) + len(first.state) + k
        step, layer = next(
            (s, layer)
            for s, layer in zip(first.graph.steps, first.layers, strict=True)
            if at in s.inputs
        )
        found = _two([r.numbers[k] for r in recordings], fit)
        raise _depends(step, layer, f"a number depends on sizes: {found}") from None


def _same_constants(recordings: Sequence[Recorded]) -> None:
    """Refuses tensors that the model makes of Python's data and that sizes change."""
    first = recordings[0]
    for at, (name, tensor) in enumerate(first.state.items(), len(first.given)):
        for other in recordings[1:]:
            if tensor is not other.state[name] and not _same(tensor, other.state[name]):
                step, layer = next(
                    (s, layer)
                    for s, layer in zip(first.graph.steps, first.layers, strict=True)
                    if at in s.inputs
                )
                raise _depends(step, layer, "it reads a tensor of Python's data that sizes change")


def _same(a: Tensor, b: Tensor) -> bool:
    one, two = array_of(a), array_of(b)
    return one.shape == two.shape and one.tobytes() == two.tobytes()


def _result_shapes(graph: Graph, count: int) -> Iterator[tuple[int, ...]]:
    for place in graph.outputs[:count]:
        yield spec_of(graph, place).shape


def _shapes(recordings: Sequence[Recorded], fit: Fit) -> Iterator[tuple[Any, ...]]:
    count = len(recordings[0].returned)
    each = [list(_result_shapes(r.graph, count)) for r in recordings]
    for shapes in zip(*each, strict=True):
        if len({len(shape) for shape in shapes}) != 1:
            raise _depends(None, "", "a result's number of dimensions depends on sizes")
        yield tuple([fit(sizes) for sizes in zip(*shapes, strict=True)])


def spec_of(graph: Graph, place: int) -> Any:
    """The type of a value of a graph."""
    first = len(graph.inputs)
    return graph.inputs[place] if place < first else graph.steps[place - first].spec
