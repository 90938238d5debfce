"""``grad_fn``: a view on a node, with PyTorch's names."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.graph.node import Node


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
        return tuple(
            (GradFn(x) if x.requires_grad else None, 0) if x.op is not ops.part
            else (GradFn(x.inputs[0]) if x.requires_grad else None, int(x.attrs[0]))
            for x in self._node.inputs
            if x.requires_grad or x.dtype.is_differentiable
        )  # fmt: skip

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


# A part has the name of what it is a part of, a graft that of its history.
_PASSED = (ops.part, ops.graft)


def grad_fn_of(node: Node) -> GradFn | None:
    """The view on ``node``; None for a leaf and for what no gradient flows through."""
    if not node.requires_grad or node.op is ops.leaf:
        return None
    while node.op in _PASSED and node.inputs:
        node = node.inputs[-1]
    return GradFn(node)
