"""Elements laid where they were picked: gradients that need no scattering."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .places import Indexing


class LayOne(Indexing):
    """Zeros with one element laid at its place in each line along a dimension.

    The gradient of picking one element of each line. The index has size 1 along the dimension.
    """

    name, backward = "lay_one", "ScatterAdd"
    attrs = ("dim", "size")

    def infer(self, index: Spec, part: Spec, *, dim: int, size: int) -> Spec:
        return part.with_shape((*part.shape[:dim], size, *part.shape[dim + 1 :]))

    def vjp(
        self, g: Node, y: Node, index: Node, part: Node, *, dim: int, size: int
    ) -> tuple[Node | None, ...]:
        return None, ops.gather.record((g, index), dim)

    def ref(self, index: Any, part: Any, *, dim: int, size: int) -> Any:
        result = np.zeros((*part.shape[:dim], size, *part.shape[dim + 1 :]), part.dtype)
        np.put_along_axis(result, self.places(index, dim, size), part, dim)
        return result

    def element(self, b: Any, index: Any, places: Any, part: Any, *, dim: int, size: int) -> Any:
        line = (*index[:dim], 0, *index[dim + 1 :])
        here = b.value(self.place(b, places.at(*line), size))
        return b.select(b.eq(here, b.value(index[dim])), part.at(*line), 0)


class Refold(Op):
    """Sliding windows added up where they lie: the gradient of :class:`~.sliding.Unfold`.

    A kernel looks, for each place, at the windows that have it.
    """

    name, attrs, backward = "refold", ("dim", "length", "step"), "UnfoldBackward"

    def infer(self, windows: Spec, *, dim: int, length: int, step: int) -> Spec:
        return windows.with_shape((*windows.shape[:dim], length, *windows.shape[dim + 1 : -1]))

    def vjp(
        self, g: Node, y: Node, windows: Node, *, dim: int, length: int, step: int
    ) -> tuple[Node | None, ...]:
        return (ops.unfold.record((g,), dim, windows.shape[-1], step),)

    def ref(self, windows: Any, *, dim: int, length: int, step: int) -> Any:
        result = np.zeros(
            (*windows.shape[:dim], length, *windows.shape[dim + 1 : -1]), windows.dtype
        )
        count = windows.shape[dim]
        for tap in range(windows.shape[-1] if count else 0):
            there = slice(tap, tap + (count - 1) * step + 1, step)
            result[(slice(None),) * dim + (there,)] += windows[..., tap]
        return result

    def element(self, b: Any, index: Any, windows: Any, *, dim: int, length: int, step: int) -> Any:
        count, size = windows.shape[dim], windows.shape[-1]

        def one(k: Any) -> Any:
            window, tap = index[dim] // step - k, index[dim] % step + k * step
            inside = b.all([b.inside(window, 0, count), b.inside(tap, 0, size)])
            return windows.at(*index[:dim], window, *index[dim + 1 :], tap, when=inside)

        return b.reduce("sum", [-(-size // step)], one)


lay_one = LayOne()
refold = Refold()
