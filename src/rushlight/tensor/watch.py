"""What happens to a gradient when it reaches a tensor: hooks, and being kept."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError
from rushlight.graph.node import Node
from rushlight.ops.autocast import resumed

from .function_hooks import FunctionHooks

if TYPE_CHECKING:
    from .tensor import Tensor


class Watch:
    """Hooks on the gradient of one tensor.

    Attributes:
        owner: the tensor, which may be gone.
        hooks: called with each gradient; one may return another in its place.
        after: called with the tensor once a leaf's ``grad`` has been added to.
        keeps: whether a tensor that is no leaf keeps its gradient in ``grad``.
        function: hooks on the operation that made the tensor, or None.
    """

    __slots__ = ("after", "function", "hooks", "keeps", "owner")

    def __init__(self, owner: Tensor | None) -> None:
        self.owner: Callable[[], Tensor | None] = _nobody if owner is None else weakref.ref(owner)
        self.hooks: OrderedDict[int, Callable[[Tensor], Any]] = OrderedDict()
        self.after: OrderedDict[int, Callable[[Tensor], Any]] = OrderedDict()
        self.keeps = False
        self.function: FunctionHooks | None = None

    def receive(self, gradient: Any) -> Any:
        """Runs the hooks and returns the gradient that goes on: a tuple for several results."""
        if self.hooks:
            from .tensor import Tensor

            for hook in list(self.hooks.values()):
                seen = Tensor(gradient)
                with resumed():
                    replaced = hook(seen)
                if replaced is not None:
                    _check(hook, replaced, seen)
                gradient = (seen if replaced is None else replaced).node
        if self.keeps:
            self._keep(gradient)
        return gradient if self.function is None else self.function.arrived(gradient)

    def passed(self, node: Node, given: Any, gradient: Any) -> Any:
        """The gradients of a node's inputs, after the hooks on its operation have seen them."""
        return given if self.function is None else self.function.passed(node, given, gradient)

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


def _nobody() -> None:
    """The owner of a watch on a node that no tensor has asked for yet."""


def _check(hook: Callable[[Tensor], Any], replaced: Any, gradient: Tensor) -> None:
    """Refuses what a hook returns unless it can take the gradient's place."""
    from .tensor import Tensor

    name = getattr(hook, "__name__", type(hook).__name__)
    if not isinstance(replaced, Tensor):
        raise ArgTypeError(
            "register_hook", f"expected Variable, but hook returned '{type(replaced).__name__}'"
        )
    if replaced.dtype is not gradient.dtype:
        raise GradError(
            "register_hook",
            f"hook '{name}' has changed the type of value (was {gradient.type()} got"
            f" {replaced.type()})",
        )
    if replaced.shape != gradient.shape:
        raise GradError(
            "register_hook",
            f"hook '{name}' has changed the size of value",
            rule=f"It was {tuple(gradient.shape)} and is {tuple(replaced.shape)}.",
        )
