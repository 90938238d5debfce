"""Who made a NaN: the operation and the line, found by running references one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.base.errors import OperationError
from rushlight.graph.graph import Graph, Step

from .reference import fitted, loaded


def check(graph: Graph, inputs: list[Any], results: list[Any]) -> None:
    """Raises if a result has a NaN that no input had.

    Raises:
        RuntimeError: naming the operation that made it and the line that recorded that.
    """
    found = [k for k, result in enumerate(results) if _has_nan(_arrays(result))]
    if not found:
        return
    values = [loaded(value, spec) for value, spec in zip(inputs, graph.inputs, strict=True)]
    if any(_has_nan(each) for each in values):
        return  # it came from outside
    with np.errstate(all="ignore"):
        for step in graph.steps:
            given = tuple([values[k] for k in step.inputs])
            made = fitted(step.op.evaluate(given, step.attrs), step.spec)
            if _has_nan(made) and not any(map(_has_nan, given)):
                raise _fault(step, given, made)
            values.append(made)
    step = graph.steps[graph.outputs[found[0]] - len(graph.inputs)]
    raise OperationError(
        step.op.name,
        "its compiled kernel made nan where its reference makes none",
        hint="RUSHLIGHT_TIER=reference goes round it. Please report this.",
        site=step.site,
    )


def _arrays(result: Any) -> Any:
    if isinstance(result, Buffer):
        return result.values
    return tuple(map(_arrays, result))


def _has_nan(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_nan, value))
    array = np.asarray(value)
    return array.dtype.kind in "fc" and bool(np.isnan(array).any())


def _fault(step: Step, given: tuple[Any, ...], made: Any) -> OperationError:
    several = made if isinstance(made, tuple) else (made,)
    nans = sum(int(np.isnan(each).sum()) for each in several if each.dtype.kind in "fc")
    ranges = ", ".join(_range(np.asarray(each)) for each in given if not isinstance(each, tuple))
    return OperationError(
        step.op.name,
        f"made {nans} nan of {sum(each.size for each in several)} elements",
        rule=f"Its inputs had none: {ranges}." if ranges else "",
        site=step.site,
    )


def _range(array: np.ndarray[Any, Any]) -> str:
    if not array.size or array.dtype.kind == "c":
        return str(array.shape)
    return f"{array.shape} from {array.min():.4g} to {array.max():.4g}"
