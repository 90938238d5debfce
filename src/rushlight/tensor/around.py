"""The memory around a leaf that is itself a view of something larger."""

from __future__ import annotations

from rushlight.graph.node import Node

from .history import without_history
from .place import Geometry, LeafPlace, Place, ViewPlace, write_value


class AroundLeaf(LeafPlace):
    """What a leaf is a view of: the leaf's elements have gradients, those around it have none.

    Args:
        views: the views that lead to the leaf, from its own up to ``whole``.
        whole: the place that the last of them is a view of.
    """

    __slots__ = ("leaf", "views", "whole")

    def __init__(self, leaf: LeafPlace, views: list[ViewPlace], whole: Place) -> None:
        super().__init__(leaf.parent, leaf.watch)
        self.leaf = leaf
        self.views = views
        self.whole = whole

    def read(self) -> Node:
        node = self._node
        if node is None or self._version != self.storage.version:
            node = self.leaf.read()
            for view in self.views:
                outside = without_history(view.parent.read())
                node = view.op.put(outside, node, *view.rest, **view._keywords())
            self._node, self._version = node, self.storage.version
        return node

    def write(self, node: Node) -> None:
        write_value(self.whole, node)

    def geometry(self) -> Geometry:
        return self.whole.geometry()
