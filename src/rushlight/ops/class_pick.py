"""The score of each sample's own class, and a score put where a sample's class is."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.shapes import Shape
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .classes import class_count, in_range, rows_of, sample_shape, unrows


class ClassPick(Op):
    """From scores ``(N, C, *)`` that of each sample's class; 0 where the class is ``ignored``.

    ``loss`` is the loss that is computed, which has the fault when there is no such class.
    """

    name, attrs = "class_pick", ("loss",)

    def infer(self, x: Spec, target: Spec, ignored: Spec, *, loss: str) -> Spec:
        return x.with_shape(sample_shape(x.shape))

    def vjp(
        self, g: Node, y: Node, x: Node, target: Node, ignored: Node, *, loss: str
    ) -> tuple[Node | None, ...]:
        return class_place.record((g, target, ignored), x.shape, loss), None, None

    def ref(self, x: Any, target: Any, ignored: Any, *, loss: str) -> Any:
        flat = target.reshape(-1)
        kept = flat != ignored
        classes = in_range(loss, np.where(kept, flat, 0), class_count(x.shape))
        picked = rows_of(x)[np.arange(flat.size), classes]
        return np.where(kept, picked, 0).reshape(sample_shape(x.shape))

    def element(self, b: Any, index: Any, x: Any, target: Any, ignored: Any, *, loss: str) -> Any:
        kept, place = _own_class(b, index, target, ignored, class_count(x.shape))
        return b.select(kept, x.at(*index[:1], place, *index[1:]), 0)

    def onnx(self, to: Any, x: Any, target: Any, ignored: Any, *, loss: str) -> Any:
        if x.ndim < 2:
            return None
        kept = to("Not", to("Equal", target, ignored))
        classes = to("Unsqueeze", to("Where", kept, target, to.like(0, target)), [1])
        found = to("Squeeze", to("GatherElements", x, classes, axis=1), [1])
        return to("Where", kept, found, to.like(0, x))


class ClassPlace(Op):
    """Scores of ``shape`` that are 0 but for each sample's class, unless that is ``ignored``."""

    name, attrs = "class_place", ("shape", "loss")

    def infer(self, g: Spec, target: Spec, ignored: Spec, *, shape: Shape, loss: str) -> Spec:
        return g.with_shape(shape)

    def vjp(
        self, g: Node, y: Node, x: Node, target: Node, ignored: Node, *, shape: Shape, loss: str
    ) -> tuple[Node | None, ...]:
        return class_pick.record((g, target, ignored), loss), None, None

    def ref(self, g: Any, target: Any, ignored: Any, *, shape: Shape, loss: str) -> Any:
        flat = target.reshape(-1)
        kept = flat != ignored
        classes = in_range(loss, np.where(kept, flat, 0), class_count(shape))
        rows = np.zeros((flat.size, class_count(shape)), g.dtype)
        rows[np.arange(flat.size), classes] = np.where(kept, g.reshape(-1), 0)
        return unrows(rows, shape)

    def element(
        self, b: Any, index: Any, g: Any, target: Any, ignored: Any, *, shape: Shape, loss: str
    ) -> Any:
        here = index[:1] + index[2:] if len(shape) > 1 else ()
        kept, place = _own_class(b, here, target, ignored, class_count(shape))
        own = b.eq(b.value(place), b.value(index[min(1, len(shape) - 1)]))
        return b.select(b.and_(kept, own), g.at(*here), 0)


def _own_class(b: Any, index: Any, target: Any, ignored: Any, count: int) -> tuple[Any, Any]:
    """Whether a sample counts, and its class as an index."""
    found = target.at(*index)
    kept = b.ne(found, ignored.at())
    return kept, b.index(b.select(kept, found, 0), count)


class_pick = ClassPick()
class_place = ClassPlace()
