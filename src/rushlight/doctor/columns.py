"""Losses written by hand that compare a column of predictions with a row of targets.

``((model(x) - y) ** 2).mean()`` with (n, 1) and (n,) compares each with each. The difference alone
may be meant, as a table of distances; so it is told of predictions that a model made, where the
squares or absolute values are averaged. Graphs are looked at when they are new.
"""

from __future__ import annotations

from rushlight import ops
from rushlight.base.findings import doctor
from rushlight.execute.cut import Cut
from rushlight.execute.realize import inspectors
from rushlight.graph.node import Node
from rushlight.graph.op import View

CODE = "broadcast-target"


def _inspect(cut: Cut) -> None:
    differences = [node for node in cut.nodes if node.op is ops.sub and _is_table(node)]
    for node in differences:
        if doctor.seeks(CODE) and _is_averaged(node, cut.nodes):
            _tell(node)


def _is_table(node: Node) -> bool:
    """Whether a difference is that of a predicted column and a row of as many targets."""
    shape = node.spec.shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        return False
    column, flat = sorted(node.inputs, key=lambda x: -len(x.spec.shape))
    return (
        column.spec.shape == (shape[0], 1)
        and flat.spec.shape == shape[:1]
        and column.requires_grad
        and not flat.requires_grad
        and not isinstance(column.op, View)  # one that was made for the purpose
        and column.op is not ops.leaf
    )


def _is_averaged(node: Node, nodes: list[Node]) -> bool:
    """Whether what measures the size of a difference becomes one number."""
    sizes = [x for x in nodes if x.op in (ops.square, ops.abs, ops.pow, ops.mul) and _of(x, node)]
    return any(x.op in (ops.mean, ops.sum) and x.inputs[0] in sizes for x in nodes)


def _of(size: Node, node: Node) -> bool:
    inputs = size.inputs
    return bool(inputs) and inputs[0] is node and (size.op is not ops.mul or inputs[1] is node)


def _tell(node: Node) -> None:
    n = node.spec.shape[0]
    shapes = " and ".join(str(x.spec.shape) for x in node.inputs)
    doctor.found(
        CODE,
        node.op.name,
        f"the loss is that of a difference of {shapes}, which is ({n}, {n}).",
        rule=f"Each of {n} predictions is compared with all {n} targets, so the best prediction is"
        " their mean.",
        hint="Did you mean prediction.squeeze(-1)?",
        site=node.site,
    )


inspectors.append(_inspect)
