"""Looking at values: where recorded work is done for a tensor."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.base.errors import GradError, OperationError
from rushlight.base.half import widen
from rushlight.base.promotion import default_dtype
from rushlight.execute import realize as realize_nodes
from rushlight.execute import value
from rushlight.graph.node import Node, known
from rushlight.graph.spec import Spec

from .grad_fn import grad_fn_of
from .tensor import Tensor, method


def buffer_of(node: Node) -> Buffer:
    """The memory of a node's value, computed now if it has not been."""
    found = value(node)
    if isinstance(found, Buffer):
        return found
    return Buffer.of(np.asarray(found).astype(node.dtype.numpy), node.dtype)


def array_of(tensor: Tensor) -> np.ndarray:
    """The values to read, float32 for the half types. Not to be written to."""
    return buffer_of(tensor.node).values


def realize(*tensors: Tensor) -> None:
    """Computes what ``tensors`` wait for, in one program.

    Example:
        >>> import rushlight as rl
        >>> a = rl.ones(2) + 1
        >>> rl.realize(a)
    """
    realize_nodes([tensor.node for tensor in tensors])


@method
def item(self: Tensor) -> bool | int | float | complex:
    """The only element, as a Python number.

    Raises:
        RuntimeError: there is not exactly one element.
    """
    if self.node.spec.numel != 1:
        raise OperationError(
            "item",
            f"a Tensor with {self.numel()} elements cannot be converted to Scalar",
            rule=f"This tensor is {tuple(self.shape)}.",
            hint="Reduce it first, as in x.sum(), or take x.tolist().",
        )
    found = value(self.node)
    if isinstance(found, Buffer):
        return found.values.item()
    return buffer_of(self.node).values.item()


@method
def tolist(self: Tensor) -> Any:
    """The elements as nested lists of Python numbers (one number for a 0-d tensor)."""
    return array_of(self).tolist()


@method
def __repr__(self: Tensor) -> str:
    from .printing import format_tensor  # most programs print no tensor

    node = self.node
    stored = buffer_of(node).stored
    dtype = node.dtype
    grad_fn = grad_fn_of(node)
    return format_tensor(
        lambda index: widen(stored[index], dtype),
        dtype,
        self.shape,
        default_dtype=default_dtype(),
        requires_grad=node.requires_grad,
        grad_fn=None if grad_fn is None else grad_fn.name(),
    )


@method
def data_ptr(self: Tensor) -> int:
    """The address of the first element: another one after the next write."""
    if self._place is None:
        return int(buffer_of(self._node).stored.ctypes.data)
    whole = int(buffer_of(self._place.storage.node).stored.ctypes.data)
    return whole + self.storage_offset() * self.dtype.itemsize


# Copies -----------------------------------------------------------------------------------------


@method
def __deepcopy__(self: Tensor, memo: dict[int, Any]) -> Tensor:
    if not self.is_leaf:
        raise GradError(
            "deepcopy",
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy"
            " protocol at the moment.",
            hint="Copy x.detach().clone() instead.",
        )
    if id(self) in memo:
        return memo[id(self)]
    result = type(self).__new__(type(self))
    Tensor.__init__(result, known(buffer_of(self.node)))
    memo[id(self)] = result
    for name, held in self.__dict__.items():
        if name not in ("_place", "_seen", "_origin", "_inference"):
            result.__dict__[name] = copy.deepcopy(held, memo)
    if self.requires_grad:
        result.requires_grad_()
    return result


def restored(kind: type[Tensor], stored: np.ndarray, spec: Any, grad: bool, state: Any) -> Tensor:
    """A tensor that was pickled."""
    shape, dtype = spec
    result = kind.__new__(kind)
    Tensor.__init__(result, known(Buffer(np.ascontiguousarray(stored).reshape(shape), dtype)))
    result.__dict__.update(state)
    return result.requires_grad_(grad)


@method
def __reduce_ex__(self: Tensor, protocol: Any) -> Any:
    if not self.is_leaf:
        raise GradError(
            "pickle",
            "Can only pickle tensors that are leaves: call detach() first, which removes the"
            " history.",
        )
    # A copy is no view, and has no gradient.
    own = ("_place", "_seen", "_grad", "_origin", "_inference")
    state = {k: v for k, v in self.__dict__.items() if k not in own}
    spec: Spec = self.node.spec
    arguments = buffer_of(self.node).stored, (spec.shape, spec.dtype), self.requires_grad, state
    return restored, (type(self), *arguments)
