"""Writes that leave nothing of what was there."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .scalar import filling


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


class Fill(Composite):
    """The input's shape and dtype with one value everywhere, a number or a 0-d tensor.

    Raises:
        RuntimeError: ``value`` is a tensor with dimensions.
    Example:
        >>> import rushlight as rl
        >>> rl.fill(rl.ones(2), 3.5)
        tensor([3.5000, 3.5000])
    """

    name, torch = "fill", "fill(Tensor input, Any value) -> Tensor"

    def __call__(self, x: Node, value: Any) -> Node:
        if not isinstance(value, Node):
            new = ops.full.record((filling("fill", value, x.dtype),), x.shape)
        elif value.ndim:
            raise OperationError(
                "fill",
                "fill only supports 0-dimension value tensor but got tensor with"
                f" {value.ndim} dimensions.",
            )
        else:
            new = ops.expand(ops.cast(value, x.dtype), x.shape)
        return ops.overwrite.record((new, x), "fill")

    def samples(self, make: Any) -> Any:
        yield make(3, 4), 2.5
        yield make(3, 4), make()
        yield make.int(3), 2.5
        yield make(0), 1

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(1)), RuntimeError, "only supports 0-dimension"


overwrite = Overwrite()
fill = Fill()
