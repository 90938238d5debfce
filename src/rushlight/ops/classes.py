"""Scores of classes and the classes they are compared with: what fits, and what counts how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import int64, uint8
from rushlight.base.errors import ArgValueError, DTypeError, RangeError, ShapeError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.spec import Spec


class Shares:
    """How much each score counts in a loss.

    Attributes:
        places, classes: the score of each sample's own class, as an index into rows of scores.
        own: how much it counts.
        counts: 1 for each sample, 0 for one that is ignored.
        smooth: how much every class counts beside that, None when none does.
        total: what a mean divides by.
    """

    def __init__(
        self, loss: str, shape: Shape, target: Any, ignored: Any, smoothing: Any, weight: Any = None
    ) -> None:
        flat = target.reshape(-1).astype(np.int64, copy=False)
        kept = flat != ignored
        self.places = np.arange(flat.size)
        self.classes = in_range(loss, np.where(kept, flat, 0), class_count(shape))
        self.counts = kept.astype(smoothing.dtype)
        weights = self.counts if weight is None else self.counts * weight[self.classes]
        self.total = weights.sum()
        self.own = weights * (1 - smoothing)
        self.smooth = None
        if smoothing:
            each = np.ones(class_count(shape), smoothing.dtype) if weight is None else weight
            self.smooth = each * (smoothing / smoothing.dtype.type(class_count(shape)))


def in_range(loss: str, classes: Any, count: int) -> Any:
    """Classes that there are; others are refused."""
    if classes.size and not (classes.min() >= 0 and classes.max() < count):
        wrong = classes[(classes < 0) | (classes >= count)][0]
        raise RangeError(
            loss,
            f"Target {wrong} is out of bounds.",
            rule=f"There are {count} classes, so a target is from 0 to {count - 1}.",
        )
    return classes


def class_count(shape: Shape) -> int:
    """How many classes have scores."""
    return shape[0] if len(shape) == 1 else shape[1]


def class_dim(x: Any) -> int:
    """The dimension of the classes."""
    return 0 if x.ndim == 1 else 1


def sample_shape(shape: Shape) -> Shape:
    """The shape of one number for each sample."""
    return (shape[0], *shape[2:]) if len(shape) > 1 else ()


def rows_of(x: Any) -> Any:
    """Scores as a matrix with a row for each sample."""
    count = class_count(x.shape)
    return np.moveaxis(x, class_dim(x), -1).reshape(x.size // max(count, 1), count)


def unrows(rows: Any, shape: Shape) -> Any:
    """The inverse of :func:`rows_of`."""
    if len(shape) < 3:
        return rows.reshape(shape)
    return np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


def check(loss: str, x: Spec, target: Spec, weight: Spec | None) -> None:
    """Refuses scores, classes and weights that do not fit together."""
    if not x.ndim or target.ndim > x.ndim - 1 + (x.ndim == 1):
        problem = "0D or 1D target tensor expected, multi-target not supported"
        if x.ndim > 2:
            problem = (
                f"Expected target size {list(sample_shape(x.shape))}, got {list(target.shape)}"
            )
        raise ShapeError(
            loss,
            problem,
            rule=f"The target has one dimension less than the input; the input is {x.shape}, the"
            f" target {target.shape}.",
            hint="Did you mean target.squeeze(1)?" if target.shape[1:] == (1,) else "",
        )
    if target.dtype not in (int64, uint8):
        raise DTypeError(
            loss,
            "expected target dtype to be Long or Byte, but got"
            f" {ops.TORCH_NAMES[target.dtype.name][1:-1]}",
            rule=f"A target {target.shape} for an input {x.shape} holds class indices.",
            hint="Convert it, as in target.long().",
        )
    samples = sample_shape(x.shape) or (1,)
    found = target.shape or (1,)
    if samples[0] != found[0]:
        raise ArgValueError(
            loss,
            f"Expected input batch_size ({samples[0]}) to match target batch_size ({found[0]}).",
            rule=f"input is {x.shape}, target is {target.shape}.",
        )
    if samples != found:
        raise ShapeError(loss, f"Expected target size {list(samples)}, got {list(found)}")
    if weight is not None and weight.shape != (class_count(x.shape),):
        raise ShapeError(
            loss,
            f"weight tensor should be defined either for all {class_count(x.shape)} classes or no"
            f" classes but got weight tensor of shape: {list(weight.shape)}",
        )
    if weight is not None and weight.dtype is not x.dtype:
        found_name, name = (ops.TORCH_NAMES[n.dtype.name][1:-1] for n in (weight, x))
        raise DTypeError(loss, f"expected scalar type {name} but found {found_name}")


def check_known(loss: str, target: Node, count: int, ignored: int) -> None:
    """Refuses classes out of range at once, where they are known already."""
    while target.op.transparent and target.buffer is None:
        target = target.inputs[0]
    if isinstance(target.buffer, Buffer):
        low, high = target.buffer.bounds()
        if low < 0 or high >= count:
            values = target.buffer.values
            in_range(loss, values[values != ignored], count)
