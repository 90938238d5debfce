"""Rehearsing a graph that comes from a file: every step's reference is tried on zeros.

``infer`` trusts attributes that a call has made canonical. Nobody called the operations of a file,
and a kernel that trusts its attributes as well would read memory that is not there. NumPy does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.execute.reference import loaded
from rushlight.graph.graph import Graph, Step
from rushlight.graph.node import Number
from rushlight.graph.spec import Spec
from rushlight.ops.conv import Convolving
from rushlight.ops.windows import Sliding

_SOUND = frozenset({"attention", "ctc_losses", "linear", "matmul", "recurrent"})
"""Operations whose type rule checks all that their kernels trust, and which are long to compute."""


def rehearse(graph: Graph, numbers: Sequence[Number]) -> None:
    """Tries every step.

    Args:
        numbers: the values of the inputs that are numbers, which decide where views begin.
    Raises:
        ValueError: a step's attributes do not fit the types of its inputs.
    """
    first = len(graph.inputs) - len(numbers)
    values: list[Any] = [_zeros(spec) for spec in graph.inputs[:first]]
    pairs = zip(numbers, graph.inputs[first:], strict=True)
    values += [np.asarray(loaded(number, spec)) for number, spec in pairs]
    order = range(len(graph.steps))
    most = max(_MOST, 64 * max((spec.numel for spec in _specs(graph)), default=0))
    with np.errstate(all="ignore"):
        for k, finished in zip(order, graph.last_uses(order), strict=True):
            step = graph.steps[k]
            if any(abs(n) > most for n in _whole(step.attrs)):
                raise ValueError(f"{step.op.name} has {step.keywords!r:.200}")
            values.append(_tried(step, [values[i] for i in step.inputs]))
            for value in finished:
                values[value] = None


_MOST = 1 << 24
"""Whole numbers in attributes count dimensions or elements. Larger ones would be counted up to."""


def _specs(graph: Graph) -> Iterator[Spec]:
    for each in (*graph.inputs, *(step.spec for step in graph.steps)):
        yield from each if isinstance(each, tuple) else (each,)


def _whole(value: Any) -> Iterator[int]:
    """The whole numbers in an attribute."""
    if isinstance(value, tuple):
        for each in value:
            yield from _whole(each)
    elif type(value) is int:
        yield value


def _tried(step: Step, inputs: list[Any]) -> Any:
    """Zeros of a step's type; the value itself where it is one number."""
    _check_places(step, inputs)
    if not (step.op is ops.conv or step.op.transparent or step.op.name in _SOUND):
        found = _result(step, inputs)
        if isinstance(step.spec, Spec) and not step.spec.shape and found is not None:
            return np.asarray(found, step.spec.dtype.numpy)
    if isinstance(step.spec, tuple):
        return tuple([_zeros(each) for each in step.spec])
    return _zeros(step.spec)


def _result(step: Step, inputs: list[Any]) -> Any:
    """What the reference gives; None if it refuses values, as zeros to divide by."""
    try:
        found = step.op.evaluate(tuple(inputs), step.attrs)
    except (OperationError, np.linalg.LinAlgError):
        return None
    except Exception as error:
        raise ValueError(f"{step.op.name} cannot be applied: {error}") from error
    specs = step.spec if isinstance(step.spec, tuple) else (step.spec,)
    results = found if isinstance(step.spec, tuple) else (found,)
    shapes = [np.shape(each) for each in results]
    if shapes != [spec.shape for spec in specs]:
        raise ValueError(f"{step.op.name} gives {shapes} and not {step.spec}")
    return found


def _check_places(step: Step, inputs: list[Any]) -> None:
    """Checks what references trust as well: where windows and strides lie in memory."""
    form = step.keywords
    if isinstance(step.op, Convolving):
        dims = len(form["stride"])
        rows = [form["stride"], form["dilation"], (form["groups"],), *form["padding"]]
        least = [1, 1, 1, *(0 for _ in form["padding"])]
        whole = all(type(n) is int and n >= k for row, k in zip(rows, least, strict=True)
                    for n in row)  # fmt: skip
        fits = inputs[0].ndim == dims + 2 == len(form["dilation"]) + 2 == len(form["padding"]) + 2
        if not (whole and fits):
            raise ValueError(f"{step.op.name} has {form!r:.200}")
    windows = form.get("windows", ())
    image = () if not windows else form.get("size", inputs[0].shape[-len(windows) :])
    for n, window in zip(image, windows, strict=bool(windows)):
        if isinstance(window, Sliding) and not _fits(window, n):
            raise ValueError(f"{step.op.name} has {window!r:.200} for {n} elements")
    if step.op.name in _STRIDED:
        _check_strides(step, inputs)


def _fits(window: Sliding, n: int) -> bool:
    """Whether windows begin inside of ``n`` elements and are no larger than what they look at."""
    kernel, stride, padding, dilation, outputs = window
    if any(type(each) is not int for each in window):
        return False
    if min(kernel - 1, stride - 1, padding, dilation - 1, outputs) < 0:
        return False
    return dilation * (kernel - 1) < n + 2 * padding and (outputs - 1) * stride < n + padding


_STRIDED = frozenset({"as_strided", "unstrided", "strided_scatter"})


def _check_strides(step: Step, inputs: list[Any]) -> None:
    form = step.keywords
    whole = form.get("shape", inputs[0].shape)
    part = form.get("size", inputs[-2].shape if step.op.name != "as_strided" else None)
    steps, start = form["stride"], int(inputs[-1])
    if any(type(n) is not int or n < 0 for n in (*whole, *part, *steps, start)):
        raise ValueError(f"{step.op.name} has {form!r:.200}")
    last = start + sum((n - 1) * k for n, k in zip(part, steps, strict=True))
    if 0 not in part and last >= math.prod(whole):
        raise ValueError(f"{step.op.name} reads behind its input")


def _zeros(spec: Spec) -> np.ndarray:
    return np.zeros(spec.shape, spec.dtype.numpy)
