"""Graphs as text, in single static assignment form with the user's lines."""

from __future__ import annotations

from rushlight.base import site as sites
from rushlight.base.dtypes import DType

from .graph import Graph, Step
from .spec import short


def show(graph: Graph) -> str:
    """The graph as text.

    Example::

        graph (x0: f32[64, 128], n0: f64[]) {
          %0 = mul x0, n0        : f32[64, 128]   # train.py:12
          %1 = sum %0 dim=(0, 1) : f32[]          # train.py:13
          return %1
        }
    """
    names = _input_names(graph)
    header = ", ".join(
        f"{name}: {spec}" for name, spec in zip(names, graph.inputs, strict=True)
    )  # fmt: skip
    names += [f"%{k}" for k in range(len(graph.steps))]
    rows = [_row(names, k, step) for k, step in enumerate(graph.steps)]
    left = max((len(row[0]) for row in rows), default=0)
    middle = max((len(row[1]) for row in rows), default=0)
    body = [
        f"  {what:<{left}} : {spec:<{middle}}   # {line}".rstrip(" #") for what, spec, line in rows
    ]
    result = ", ".join(names[value] for value in graph.outputs)
    return "\n".join([f"graph ({header}) {{", *body, f"  return {result}", "}"])


def _input_names(graph: Graph) -> list[str]:
    names, counts = [], {"x": 0, "n": 0}
    for k in range(len(graph.inputs)):
        letter = "n" if k in graph.numbers else "x"
        names.append(f"{letter}{counts[letter]}")
        counts[letter] += 1
    return names


def _row(names: list[str], k: int, step: Step) -> tuple[str, str, str]:
    arguments = ", ".join(names[value] for value in step.inputs)
    attrs = " ".join(f"{name}={_shown(value)}" for name, value in step.keywords.items())
    what = " ".join(part for part in (f"%{k} = {step.op.name}", arguments, attrs) if part)
    line = sites.line(step.site) if step.site else None
    where = f"{line.file.rpartition('/')[2]}:{line.number}" if line else ""
    return what, str(step.spec), where


def _shown(value: object) -> str:
    return short(value) if isinstance(value, DType) else repr(value)
