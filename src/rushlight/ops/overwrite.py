"""Writes that leave nothing of what was there."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec


class Overwrite(Op):
    """A value written over an old one, whose gradient is zero from here on.

    Attributes:
        by: the operation that wrote, which names the gradient: ``copy_``, ``zero_``.
    """

    name, attrs, transparent = "overwrite", ("by",), True

    def infer(self, new: Spec, old: Spec, *, by: str) -> Spec:
        return new

    def ref(self, new: Any, *rest: Any, **attrs: Any) -> Any:
        return new

    def vjp(self, g: Node, y: Node, new: Node, old: Node, *, by: str) -> tuple[Node | None, ...]:
        return g, ops.zeros(old.spec) if old.requires_grad else None

    def grad_name(self, node: Node) -> str:
        by = str(node.attrs[0])
        if by in ("copy_", "copy_slices"):
            return "CopyBackwards" if by == "copy_" else "CopySlices"
        return f"{''.join(part.title() for part in by.split('_'))}Backward0"


overwrite = Overwrite()
