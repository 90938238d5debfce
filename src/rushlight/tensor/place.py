"""Where a tensor's value is kept when several tensors share it.

Nodes never change, so a write gives the shared place another node. All aliases share one
:class:`Storage`, which holds the node of the whole. A view is a place of its own: reading it applies
its operation to what its parent holds now, writing it puts the new part into the parent.
"""

from __future__ import annotations

from typing import Any, Protocol

from rushlight import ops
from rushlight.base.shapes import Shape, contiguous_strides
from rushlight.graph.node import Node, Watch
from rushlight.graph.op import View as ViewOp
from rushlight.graph.op import recording

Geometry = tuple[Shape, Shape, int]
"""Shape, strides and offset in elements, as PyTorch would have them."""


class Outside(Protocol):
    """Memory that others can write to, such as a NumPy array that shares a tensor's."""

    def alive(self) -> bool: ...

    def read(self) -> Node: ...

    def taken(self) -> Node: ...

    def write(self, node: Node) -> None: ...

    def strides(self) -> Shape: ...


class Storage:
    """The one record of a value that several tensors show.

    Attributes:
        node: the whole, now.
        version: how many times it was written.
        outside: memory shared with others, read again before each use and written through.
    """

    __slots__ = ("__weakref__", "history", "node", "outside", "version")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.version = 0
        self.outside: Outside | None = None
        self.history: Node | None = None

    def share(self, outside: Outside) -> None:
        """Lets others write to the memory. The gradients' way stays as it was."""
        self.outside = outside
        self.history = self.node if self.node.requires_grad else None

    @property
    def storage(self) -> Storage:
        """Itself: the place where every chain of views ends."""
        return self

    def refresh(self) -> None:
        """Reads memory that others may have written since."""
        outside = self.outside
        if outside is not None:
            if outside.alive():
                node = outside.read()
            else:
                node = outside.taken()
                self.outside = None
            self.node = node if self.history is None else ops.graft(node, self.history)
            self.version += 1

    def read(self) -> Node:
        return self.node

    def write(self, node: Node) -> None:
        if self.outside is not None:
            self.outside.write(node)
            self.history = node if node.requires_grad else None
        self.node = node
        self.version += 1

    def geometry(self) -> Geometry:
        shape = self.node.shape
        strides = contiguous_strides(shape) if self.outside is None else self.outside.strides()
        return shape, strides, 0


class LeafPlace:
    """A place whose value collects gradients: readers see a leaf node."""

    __slots__ = ("_node", "_version", "parent", "storage", "watch")

    def __init__(self, parent: Place, watch: Watch) -> None:
        self.parent = parent
        self.storage: Storage = parent.storage
        self.watch = watch
        self._version = -1
        self._node: Node | None = None

    def read(self) -> Node:
        node = self._node
        if node is None or self._version != self.storage.version:
            node = self._node = ops.leaf(self.parent.read())
            node.watch = self.watch
            self._version = self.storage.version
        return node

    def write(self, node: Node) -> None:
        self.parent.write(node)

    def geometry(self) -> Geometry:
        return self.parent.geometry()


class ViewPlace:
    """Part of another place."""

    __slots__ = ("_node", "_tracks", "_version", "attrs", "op", "parent", "rest", "storage")

    def __init__(self, parent: Place, node: Node) -> None:
        self.parent = parent
        self.storage: Storage = parent.storage
        self.op: Any = node.op
        self.rest = node.inputs[1:]
        self.attrs = node.attrs
        self._node = node
        self._version = parent.storage.version
        # A view made under no_grad stays without gradients when its base has some.
        self._tracks = node.requires_grad or recording.grad

    def read(self) -> Node:
        if self._version != self.storage.version:
            before = recording.grad
            recording.grad = self._tracks
            try:
                whole = self.parent.read()
                self._node = self.op.record((whole, *self.rest), *self.attrs)
            finally:
                recording.grad = before
            self._version = self.storage.version
        return self._node

    def write(self, node: Node) -> None:
        op: ViewOp = self.op
        self.parent.write(op.put(self.parent.read(), node, *self.rest, **self._keywords()))

    def geometry(self) -> Geometry:
        shape, strides, offset = self.parent.geometry()
        # What views take besides their base are Python numbers: where a slice starts.
        rest = [x.buffer for x in self.rest]
        steps, start = self.op.strides(shape, strides, offset, *rest, **self._keywords())
        return self._node.shape, steps, start

    def _keywords(self) -> dict[str, Any]:
        return dict(zip(self.op.attrs, self.attrs, strict=True))


Place = Storage | LeafPlace | ViewPlace


def chain(base: Node, result: Node) -> list[Node] | None:
    """The views that lead from ``base`` to ``result``, nearest first; None if others are between."""
    views: list[Node] = []
    node = result
    while node is not base:
        if not isinstance(node.op, ViewOp) or not node.inputs:
            return None
        views.append(node)
        node = node.inputs[0]
    views.reverse()
    return views


def descend(place: Place, views: list[Node]) -> Place:
    """The place that a chain of views shows."""
    for node in views:
        place = ViewPlace(place, node)
    return place


def is_leaf_view(place: Place) -> bool:
    """Whether a place is part of a leaf that requires gradients."""
    while isinstance(place, ViewPlace):
        if place.op is ops.detach or not place._tracks:
            return False
        place = place.parent
    return isinstance(place, LeafPlace)


