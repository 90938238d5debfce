"""What happens to a gradient when it reaches a tensor: hooks, and being kept."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rushlight import ops
from rushlight.graph.node import Node

if TYPE_CHECKING:
    from .tensor import Tensor


class Watch:
    """Hooks on the gradient of one tensor.

    Attributes:
        owner: the tensor, which may be gone.
        hooks: called with each gradient; one may return another in its place.
        after: called with the tensor once a leaf's ``grad`` has been added to.
        keeps: whether a tensor that is no leaf keeps its gradient in ``grad``.
    """

    __slots__ = ("after", "hooks", "keeps", "owner")

    def __init__(self, owner: Tensor) -> None:
        self.owner = weakref.ref(owner)
        self.hooks: OrderedDict[int, Callable[[Tensor], Any]] = OrderedDict()
        self.after: OrderedDict[int, Callable[[Tensor], Any]] = OrderedDict()
        self.keeps = False

    def receive(self, gradient: Node) -> Node:
        """Runs the hooks and returns the gradient that goes on."""
        if self.hooks:
            from .tensor import Tensor

            for hook in list(self.hooks.values()):
                replaced = hook(Tensor(gradient))
                if replaced is not None:
                    gradient = replaced.node
        if self.keeps:
            self._keep(gradient)
        return gradient

    def follow(self, old: Node, new: Node) -> None:
        """Keeps the gradient of what a tensor holds now rather than of what was there before.

        Hooks stay with the value that they were registered on.
        """
        if self.keeps and new is not old and new.watch is None:
            owner = self.owner()
            if owner is not None:
                self.keeps = False
                new.watch = watch = Watch(owner)
                watch.keeps = True

    def _keep(self, gradient: Node) -> None:
        from .tensor import Tensor

        owner = self.owner()
        if owner is not None:
            there = owner._grad
            owner._grad = Tensor(gradient if there is None else ops.add(there.node, gradient))
