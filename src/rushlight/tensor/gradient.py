"""Gradients as a tensor's user meets them: ``grad``, ``backward``, hooks."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError
from rushlight.base.hooks import RemovableHandle
from rushlight.graph.node import Node
from rushlight.graph.op import recording

from .grad_fn import GradFn, grad_fn_of
from .place import LeafPlace
from .tensor import Tensor, method
from .watch import Watch


def _grad_fn(self: Tensor) -> GradFn | None:
    """The operation that made this tensor; None for a leaf."""
    return grad_fn_of(self.node)


Tensor.grad_fn = property(_grad_fn)


def _get_grad(self: Tensor) -> Tensor | None:
    """The gradient that ``backward`` collected, or None."""
    if self._grad is None and not self.is_leaf:
        watch = self.node.watch
        if not (isinstance(watch, Watch) and watch.keeps):
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its"
                " .grad attribute won't be populated during autograd.backward(). If you indeed want"
                " the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the"
                " non-leaf Tensor.",
                UserWarning,
                stacklevel=2,
            )
    return self._grad


def _set_grad(self: Tensor, new: Tensor | None) -> None:
    if new is not None:
        if not isinstance(new, Tensor):
            raise ArgTypeError(
                "grad",
                "assigned grad expected to be a Tensor or None but got grad of type"
                f" {type(new).__name__}",
            )
        if new is self:
            raise GradError("grad", "can't assign Variable as its own grad")
        if new.shape != self.shape:
            raise GradError(
                "grad",
                f"attempting to assign a gradient of size '{list(new.shape)}' to a tensor of size"
                f" '{list(self.shape)}'. Please ensure that the gradient and the tensor are the"
                " same size",
            )
        if new.dtype is not self.dtype:
            raise GradError(
                "grad",
                f"attempting to assign a gradient with dtype '{new.dtype}' to a tensor with dtype"
                f" '{self.dtype}'.",
            )
    self._grad = new


def _delete_grad(self: Tensor) -> None:
    self._grad = None


Tensor.grad = property(_get_grad, _set_grad, _delete_grad)


@method
def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Adds the gradients of this tensor to the ``grad`` of the leaves it depends on.

    Args:
        gradient: the weight of each element; not needed for a scalar.
        retain_graph: whether to allow another walk through the same graph.
        create_graph: whether the gradients can be differentiated themselves.
        inputs: leaves to collect for; all when None.
    """
    _walk()(self, gradient, retain_graph, create_graph, inputs=inputs)


@cache
def _walk() -> Any:
    """The public ``backward``, which is in a layer above; an import costs as much as two nodes."""
    from rushlight.autograd.walk import backward as walk

    return walk


@method
def _write_untracked(self: Tensor, node: Node) -> Tensor:
    """Writes a value that no gradient flows through."""
    before = recording.grad
    recording.grad = False
    try:
        return self._write(node)
    finally:
        recording.grad = before


@method
def _watch(self: Tensor) -> Watch:
    """The watch on this tensor's gradient, made when there is none."""
    if isinstance(self._place, LeafPlace):
        self.node  # noqa: B018 - brings the leaf up to date
        return self._place.watch
    node = self.node
    if not isinstance(node.watch, Watch):
        node.watch = Watch(self)
    elif node.watch.owner() is None:  # hooks on the operation were there before
        node.watch.owner = weakref.ref(self)
    return node.watch


@method
def register_hook(self: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Calls ``hook(gradient)`` with each gradient of this tensor; it may return another one.

    Raises:
        RuntimeError: the tensor does not require gradients.
    """
    if not self.requires_grad:
        raise GradError(
            "register_hook", "cannot register a hook on a tensor that doesn't require gradient"
        )
    hooks = self._watch().hooks
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


@method
def register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], Any]
) -> RemovableHandle:
    """Calls ``hook(tensor)`` after ``grad`` of this leaf was added to."""
    if not self.requires_grad or not self.is_leaf:
        raise GradError(
            "register_post_accumulate_grad_hook",
            "post accumulate grad hooks cannot be registered on non-leaf tensors",
        )
    hooks = self._watch().after
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


@method
def retain_grad(self: Tensor) -> None:
    """Keeps the gradient of this tensor in ``grad`` although it is no leaf."""
    if not self.requires_grad:
        raise GradError("retain_grad", "can't retain_grad on Tensor that has requires_grad=False")
    if self.node.op is not ops.leaf:
        self._watch().keeps = True


Tensor.retains_grad = property(
    lambda self: isinstance(self.node.watch, Watch) and self.node.watch.keeps
)


@method
def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return self._inference
