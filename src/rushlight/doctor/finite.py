"""Losses that are nan or infinite: the operation, the layer and the line that first made one.

The graph that made a loss is run again by the operations' references, and followed from the loss
back to where a number that is not finite comes from numbers that are.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

import numpy as np

from rushlight.base import site as sites
from rushlight.base.findings import doctor
from rushlight.execute import losses
from rushlight.execute.cut import Cut
from rushlight.execute.reference import fitted, loaded
from rushlight.graph.graph import Graph

from .naming import held_by, layer_of

CURES = {
    "log": "Give it more than 0, as in log(x + 1e-8); of a softmax or a sigmoid take log_softmax or"
    " logsigmoid.",
    "div": "Keep the divisor away from 0, as in x / (y + 1e-8).",
    "exp": "Take the maximum off first, as logsumexp and softmax do.",
    "sqrt": "Give it 0 or more; its gradient is infinite at 0, so add a small number.",
    "pow": "Give it more than 0.",
    "softmax": "Let every row have an element that is not -inf.",
}


class Made:
    """The values that lead to one output of a graph, computed again.

    Args:
        graph: the graph.
        inputs: its inputs.
        output: which of its outputs.
    """

    def __init__(self, graph: Graph, inputs: list[Any], output: int) -> None:
        self.graph, self.first, self.root = graph, len(graph.inputs), graph.outputs[output]
        needed = {self.root}
        for k in range(len(graph.steps) - 1, -1, -1):
            if self.first + k in needed:
                needed.update(graph.steps[k].inputs)
        self.values: list[Any] = [
            loaded(value, spec) if k in needed else None
            for k, (value, spec) in enumerate(zip(inputs, graph.inputs, strict=True))
        ]
        with np.errstate(all="ignore"):
            for k, step in enumerate(graph.steps):
                self.values.append(self._run(step) if self.first + k in needed else None)

    def _run(self, step: Any) -> Any:
        given = tuple([self.values[k] for k in step.inputs])
        return fitted(step.op.evaluate(given, step.attrs), step.spec)

    def source(self, value: int) -> int:
        """The value where nan, or where there is none infinity, comes from."""
        is_wrong = np.isnan if _any(np.isnan, self.values[value]) else np.isinf
        while value >= self.first:
            step = self.graph.steps[value - self.first]
            earlier = [k for k in step.inputs if _any(is_wrong, self.values[k])]
            if not earlier:
                break
            value = earlier[0]
        return value


def _any(test: Any, value: Any) -> bool:
    several = value if isinstance(value, tuple) else (value,)
    return any(each.dtype.kind in "fc" and bool(test(each).any()) for each in several)


def _look(cut: Cut, graph: Graph, inputs: list[Any], output: int) -> None:
    """Finds out who made a loss what it is; tells when, or if, it is differentiated."""
    loss = cut.outputs[output]
    if not doctor.seeks(losses.CODE):
        return
    finding = _finding(cut, Made(graph, inputs, output))
    if not finding:
        return

    def tell() -> None:
        doctor.found(losses.CODE, **finding)

    if cut.derives:
        tell()
    else:
        losses.waiting[:] = [(ref(loss), tell)]


def _finding(cut: Cut, made: Made) -> dict[str, Any]:
    """What is to be said, as arguments of ``Doctor.found``."""
    source = made.source(made.root)
    what = "nan" if _any(np.isnan, made.values[made.root]) else "infinite"
    if source < made.first:
        return _of_input(cut, made, source, what)
    step = made.graph.steps[source - made.first]
    given = ", ".join(_range(made.values[k]) for k in step.inputs)
    return {
        "operation": step.op.name,
        "problem": f"made {_counted(made.values[source])}, and the loss is {what}.",
        "rule": f"It was given {given}.{_of_infinity(cut, made, source)}",
        "hint": CURES.get(step.op.name, ""),
        "site": cut.site(source - made.first),
        "layer": _layer(cut, made, source),
    }


def _of_infinity(cut: Cut, made: Made, value: int) -> str:
    """Where infinite numbers that an operation was given come from."""
    for k in made.graph.steps[value - made.first].inputs:
        if k >= made.first and _any(np.isinf, made.values[k]):
            source = made.source(k) - made.first
            if source >= 0:
                name, site = made.graph.steps[source].op.name, cut.site(source)
                line = "" if site is None else f", at {sites.line(site)}"
                return f" What is infinite there was made by {name}{line}."
    return ""


def _of_input(cut: Cut, made: Made, place: int, what: str) -> dict[str, Any]:
    """Of a loss that nothing could keep finite."""
    holder = held_by(cut.leaves[place]) if place < len(cut.leaves) else ""
    problem = f"the loss is {what}: {holder or 'what it is computed from'} has"
    rule = f"{_counted(made.values[place])}, before any operation of this step."
    if holder and any(code == losses.CODE for code, *_ in doctor.told):
        return {}  # it follows from what was told before
    if holder:
        hint = "The step before made it so: take smaller steps, or clip_grad_norm_. What made it is"
        hint += " named under RUSHLIGHT_NANCHECK=1."
    else:
        hint = "Look at the data: x.isfinite().all() should hold."
    site = cut.site(made.root - made.first)
    return {"operation": "loss", "problem": f"{problem} {rule}", "hint": hint, "site": site}


def _layer(cut: Cut, made: Made, value: int) -> str:
    """The layer whose parameters made a value, or the last before it."""
    here = True
    while value >= made.first:
        inputs = made.graph.steps[value - made.first].inputs
        for k in inputs:
            if k < len(cut.leaves) and (name := layer_of(cut.leaves[k])):
                return f"in layer {name}" if here else f"after layer {name}"
        inner = [k for k in inputs if k >= made.first]
        if not inner:
            break
        value, here = inner[0], False
    return ""


def _counted(value: Any) -> str:
    """How many elements are not finite."""
    array = value[0] if isinstance(value, tuple) else value
    nans, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    found = [f"{n} {name}" for n, name in ((nans, "nan"), (infinite, "infinite")) if n]
    return f"{' and '.join(found)} of {array.size} elements {array.shape}"


def _range(value: Any) -> str:
    array = value[0] if isinstance(value, tuple) else value
    if not array.size or array.dtype.kind == "c":
        return str(array.shape)
    if not array.ndim:
        return f"{array:.4g}"
    return f"{array.shape} from {array.min():.4g} to {array.max():.4g}"


losses.looks.append(_look)
