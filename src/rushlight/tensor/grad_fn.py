"""``grad_fn``: a view on a node, with PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from rushlight import ops
from rushlight.base.hooks import RemovableHandle
from rushlight.graph.node import Node

from .function_hooks import FunctionHooks, counts, inputs_of
from .watch import Watch


class GradFn:
    """The operation that made a tensor, as the gradient's walk will meet it.

    Two views on one node are equal. ``next_functions`` lists those of the inputs with the index
    of the result they use; a leaf's is named ``AccumulateGrad``.
    """

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    def name(self) -> str:
        """The name, such as ``AddBackward0``."""
        if self._node.op is ops.leaf:
            return "torch::autograd::AccumulateGrad"
        return self._node.op.grad_name(self._node)

    @property
    def next_functions(self) -> tuple[tuple[GradFn | None, int], ...]:
        """The functions of the inputs."""
        return tuple([edge_of(x) for x in inputs_of(self._node) if counts(x)])

    @property
    def metadata(self) -> dict[Any, Any]:
        """Whatever a user wants to note about the operation."""
        return _metadata.setdefault(self._node, {})

    def register_hook(self, fn: Callable[[Any, Any], Any]) -> RemovableHandle:
        """Calls ``fn(grad_inputs, grad_outputs)`` once the gradients of the inputs are there.

        Both are tuples with None where there is no gradient. ``fn`` may return other gradients of
        the inputs.
        """
        return self._hook(self._hooks().after, fn)

    def register_prehook(self, fn: Callable[[Any], Any]) -> RemovableHandle:
        """Calls ``fn(grad_outputs)`` before; it may return other gradients of the results."""
        return self._hook(self._hooks().before, fn)

    def _hooks(self) -> FunctionHooks:
        watch: Any = self._node.watch
        if watch is None:
            watch = self._node.watch = Watch(None)
        if watch.function is None:
            watch.function = FunctionHooks()
        return watch.function  # type: ignore[no-any-return]

    @staticmethod
    def _hook(hooks: Any, fn: Any) -> RemovableHandle:
        handle = RemovableHandle(hooks)
        hooks[handle.id] = fn
        return handle

    @property
    def variable(self) -> Any:
        """The leaf whose gradient is collected here."""
        watch: Any = self._node.watch
        if self._node.op is not ops.leaf or watch is None:
            raise AttributeError(f"{self.name()} has no attribute 'variable'")
        return watch.owner()

    def __repr__(self) -> str:
        return f"<{self.name().rpartition(':')[2]} object at {hex(id(self._node))}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GradFn) and self._node is other._node

    def __hash__(self) -> int:
        return hash(self._node)


_metadata: WeakKeyDictionary[Node, dict[Any, Any]] = WeakKeyDictionary()


def edge_of(x: Node) -> tuple[GradFn | None, int]:
    """The function that made an input, and which of its results that is."""
    while x.op is ops.graft and x.inputs and x.requires_grad:
        x = x.inputs[1]
    if x.op is ops.part:
        return GradFn(x.inputs[0]) if x.requires_grad else None, int(x.attrs[0])  # type: ignore[call-overload]
    return GradFn(x) if x.requires_grad else None, 0


# A part has the name of what it is a part of, a graft that of its history.
_PASSED = (ops.part, ops.graft)


def grad_fn_of(node: Node) -> GradFn | None:
    """The view on ``node``; None for a leaf and for what no gradient flows through."""
    if not node.requires_grad or node.op is ops.leaf:
        return None
    while node.op in _PASSED and node.inputs:
        node = node.inputs[-1]
    return GradFn(node)
