"""Where the values that a loss is given come from, and the mistakes that this shows."""

from __future__ import annotations

import warnings

import numpy as np

from rushlight import ops
from rushlight.base import site as sites
from rushlight.base.buffer import Buffer
from rushlight.base.findings import doctor
from rushlight.graph.node import Node
from rushlight.graph.op import View


def origin(x: Node) -> Node:
    """The node that made the values of ``x``; what only shows or converts them is passed over."""
    op = x.op
    while (isinstance(op, View) or op.transparent or op is ops.cast) and op is not ops.leaf:
        if not x.inputs:
            break
        x = x.inputs[0]
        op = x.op
    return x


def activation(x: Node) -> Node | None:
    """The softmax, log_softmax or sigmoid that ``x`` is the result of, or None."""
    made = origin(x)
    return made if made.op in (ops.softmax, ops.log_softmax, ops.sigmoid) else None


def takes_scores(code: str, loss: str, x: Node, dim: int | None = None) -> None:
    """Tells of an activation before a loss that applies it itself.

    Args:
        dim: the classes' dimension; a softmax over another one is something else.
    """
    made = activation(x)
    if made is None or (made is x and dim is not None and made.attrs not in ((), (dim,))):
        return
    own, given = "log_softmax" if code == "softmax-before-loss" else "sigmoid", made.op.name
    effect = (
        "The second one changes nothing and costs time."
        if given == own == "log_softmax"
        else "Applied twice it is nearly flat: training is slow, and the loss cannot get near 0."
    )
    doctor.found(
        code,
        loss,
        f"applies {own} itself, and its input {x.shape} is the result of {given} already"
        f"{made_at(made)}.",
        rule=f"It takes scores, as they leave the last layer. {effect}",
        hint=f"Leave the {given} out of what is trained.",
    )


def takes_logs(loss: str, x: Node) -> None:
    """Tells of probabilities where their logarithms are meant."""
    made = activation(x)
    if made is not None and made.op is not ops.log_softmax:
        doctor.found(
            "probabilities-not-logs",
            loss,
            f"takes logarithms of probabilities, and its input {x.shape} is the result of"
            f" {made.op.name}{made_at(made)}.",
            rule="Logarithms of probabilities are 0 or less; these are from 0 to 1.",
            hint="Did you mean log_softmax?" if made.op is ops.softmax else "Take their log().",
        )


def made_at(node: Node) -> str:
    """Where a node was recorded, unless that is the line being executed."""
    if node.site is None:
        return ""
    made, here = sites.line(node.site), sites.line(sites.current(2))
    return "" if made == here else f", made at {made}"


def tell_of_sizes(loss: str, x: Node, target: Node) -> None:
    """Warns of a target that broadcasts with the input, which is seldom meant."""
    different = (
        f"Using a target size (torch.Size({list(target.shape)})) that is different to the input"
        f" size (torch.Size({list(x.shape)}))"
    )
    short, long = sorted((x.shape, target.shape), key=len)
    columns = len(short) == 1 and long == (*short, 1) and short != (1,)
    if not (columns and doctor.seeks("broadcast-target")):
        warnings.warn(
            f"{different}. This will likely lead to incorrect results due to broadcasting. Please"
            " ensure they have the same size.",
            stacklevel=5,
        )
        return
    n = short[0]
    column = "input" if x.shape == long else "target"
    doctor.found(
        "broadcast-target",
        loss,
        f"{different}: the {column} is a column, and the other is not.",
        rule=f"They broadcast to ({n}, {n}), so each of {n} predictions is compared with all {n}"
        " targets, and the best prediction is their mean.",
        hint=f"Did you mean {column}.squeeze(-1)?",
    )


_probable: set[object] = set()
"""Types of targets that held probabilities when one of them was looked at: once is enough."""


def takes_probabilities(loss: str, target: Node, count: int) -> None:
    """Tells of floating-point targets that are class indices, as far as the values are known."""
    if count > 1 and target.spec in _probable:
        return
    while target.op.transparent and target.buffer is None:
        target = target.inputs[0]
    if count == 1:
        problem = f"has scores of one class, {target.shape}, whose softmax is always 1: the loss"
        problem += " is 0 times the target, whatever the scores"
        hint = "Did you mean binary_cross_entropy_with_logits?"
    elif isinstance(target.buffer, Buffer) and (values := target.buffer.values).size:
        highest = values.max()
        if not (highest > 1 and np.array_equal(values, np.rint(values))):
            _probable.add(target.spec)
            return
        problem = f"takes a floating-point target {target.shape} as probabilities of {count}"
        problem += f" classes, and it holds whole numbers up to {highest:g}"
        hint = "Give class indices as int64, one for each sample, as in target.long()."
    else:
        return
    doctor.found(
        "float-class-labels",
        loss,
        f"{problem}.",
        rule="A target of the input's own shape holds a probability for each class.",
        hint=hint,
    )
