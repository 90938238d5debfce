"""Tensors changed in place: other values, another shape, another tensor's memory."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgTypeError, GradError, OperationError
from rushlight.base.shapes import broadcast, contiguous_strides, prod
from rushlight.graph.node import Node
from rushlight.graph.op import recording

from .history import history_of, without_history
from .place import Detached, LeafPlace, Storage, ViewPlace
from .tensor import Tensor, method
from .unset import unset

# Values -----------------------------------------------------------------------------------------


@method
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Writes ``src``, broadcast and converted, into this tensor."""
    if not isinstance(src, Tensor):
        raise ArgTypeError(
            "copy_", f"copy_(): argument 'other' must be Tensor, not {src.__class__.__name__}"
        )
    node = ops.cast(src.node, self.dtype)
    shape = self._node.shape
    if node.shape != shape:
        node = ops.expand(node, broadcast("copy_", shape, node.shape))
        if node.shape != shape:
            return self._write(node, "copy_")  # which says why not
    return self._copy(node)


@method
def _copy(self: Tensor, node: Node) -> Tensor:
    """Writes a value of this tensor's own type."""
    if recording.grad and node.requires_grad and not isinstance(self._place, ViewPlace):
        node = ops.overwrite.record((node, self.node), "copy_")
    return self._write(node, "copy_")


@method
def fill_(self: Tensor, value: Any) -> Tensor:
    """Writes one number everywhere."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise OperationError(
                "fill_",
                "fill_ only supports 0-dimension value tensor but got tensor with"
                f" {value.ndim} dimensions.",
            )
        return self._write(ops.expand(ops.cast(value.node, self.dtype), self._node.shape), "fill_")
    if not isinstance(value, (bool, int, float, complex)) and not hasattr(value, "dtype"):
        raise ArgTypeError(
            "fill_", f"fill_(): argument 'value' must be Number, not {type(value).__name__}"
        )
    from rushlight.ops.scalar import filling

    number = filling("fill_", value, self.dtype)
    return self._write(ops.full.record((number,), self._node.shape), "fill_")


@method
def float_power_(self: Tensor, exponent: Any) -> Tensor:
    """Raises to a power in place, which is computed in doubles.

    Raises:
        RuntimeError: this tensor does not hold doubles.
    """
    power = self.float_power(exponent)  # type: ignore[attr-defined]
    if power.dtype is not self.dtype:
        raise OperationError(
            "float_power_",
            f"the base given to float_power_ has dtype {self.dtype} but the operation's result"
            f" requires dtype {power.dtype}",
        )
    return self._write(power.node, "float_power_")


@method
def zero_(self: Tensor) -> Tensor:
    """Writes zeros everywhere."""
    return self._write(ops.full(self._node.shape, 0, self.dtype), "zero_")


# Shape ------------------------------------------------------------------------------------------


@method
def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Gives this tensor another size, keeping the elements that fit in row-major order.

    As long as its memory has room, the tensor goes on sharing it. When it grows beyond that, it
    gets memory of its own, with zeros behind the elements that were there.

    Raises:
        RuntimeError: the tensor requires gradients, or others share its memory and it grows.
    """
    from .creation import sizes
    from .layout import strided_from

    shape = sizes("resize_", size)
    if self.requires_grad:
        raise OperationError("resize_", "cannot resize variables that require grad")
    if shape == self.shape:
        return self
    strides = contiguous_strides(shape)
    _, _, offset = self.place.geometry()
    if offset + prod(shape) <= self.place.storage.node.spec.numel:
        return self._become(strided_from(self, shape, strides, offset))
    if self.place.storage.lent:
        raise OperationError(
            "resize_",
            "Trying to resize storage that is not resizable",
            rule="The memory is shared with a NumPy array, or others that rely on its size.",
        )
    have, want = self._node.spec.numel, prod(shape)
    behind = ops.full((want - have,), unset(self.dtype), self.dtype)
    grown = ops.cat((ops.reshape(self.node, (have,)), behind), 0)
    self._place = None
    self._node = ops.reshape(grown, shape)
    return self


@method
def resize_as_(self: Tensor, the_template: Tensor, memory_format: Any = None) -> Tensor:
    """Gives this tensor the size of another."""
    return self.resize_(the_template.shape)


def _rearranging(name: str) -> None:
    """``x.t_()`` and the like: the tensor becomes a view of itself."""

    def change(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if recording.grad:
            self._check_writable(name, self.node)
        place = self._place
        if not isinstance(place, LeafPlace):
            return self._become(getattr(self, name[:-1])(*args, **kwargs))
        # A leaf stays one: what lies below it is arranged another way.
        below = Tensor(place.parent.read())
        below._settle_in(place.parent)
        turned = getattr(below, name[:-1])(*args, **kwargs)
        self._settle_in(LeafPlace(turned.place, place.watch))
        return self

    change.__name__, change.__qualname__ = name, f"Tensor.{name}"
    change.__doc__ = f"In-place version of :meth:`{name.rstrip('_')}`."
    method(change)


for _name in (
    "t_", "transpose_", "swapaxes_", "swapdims_", "squeeze_", "unsqueeze_", "as_strided_",
):  # fmt: skip
    _rearranging(_name)


# Memory -----------------------------------------------------------------------------------------


@property
def _data(self: Tensor) -> Tensor:
    """The same memory without history."""
    return self.detach()


@_data.setter
def _data(self: Tensor, other: Tensor) -> None:
    if not isinstance(other, Tensor):
        raise ArgTypeError(
            "data", f"Variable data has to be a tensor, but got {type(other).__name__}"
        )
    node = self.node
    if node.requires_grad and not other.dtype.is_differentiable:
        raise GradError(
            "data",
            "data set to a tensor that requires gradients must be floating point or complex dtype",
            rule=f"The data is {other.dtype}.",
        )
    memory = Detached(other.place)
    if isinstance(self._place, LeafPlace):
        self._settle_in(LeafPlace(memory, self._place.watch))
    else:
        memory.history = history_of(node) if node.requires_grad else None
        memory.forget()
        self._settle_in(memory)


Tensor.data = _data


@method
def set_(
    self: Tensor, source: Tensor | None = None, storage_offset: int = 0, size: Any = None,
    stride: Any = None,
) -> Tensor:  # fmt: skip
    """Makes this tensor share the memory of ``source``, shown with any sizes and strides."""
    if source is None:
        source = Tensor(ops.full((0,), 0, self.dtype))
    if not isinstance(source, Tensor):
        raise ArgTypeError(
            "set_", f"set_(): argument 'source' must be Tensor, not {type(source).__name__}"
        )
    if source.dtype is not self.dtype:
        raise OperationError(
            "set_",
            f"Could not set tensor of type {source.dtype} to a tensor of type {self.dtype}",
        )
    if size is not None:
        source = source.as_strided(
            size, contiguous_strides(tuple(size)) if stride is None else stride, storage_offset
        )
    _data.fset(self, source)
    return self


@method
def detach_(self: Tensor) -> Tensor:
    """Cuts this tensor off from its history.

    Raises:
        RuntimeError: it is a view, whose history is its base's.
    """
    if self._is_view():
        raise OperationError(
            "detach_", "Can't detach views in-place. Use detach() instead.",
            rule="A view has the history of what it is a view of.",
        )  # fmt: skip
    place, node = self._place, without_history(self.node)
    if isinstance(place, LeafPlace):
        self._settle_in(place.parent)
    elif isinstance(place, Storage):  # views keep the history they have until the next write
        place.node = self._node = node
    elif isinstance(place, Detached):
        place.history = None
        place.forget()
        self._settle_in(place)
    elif place is None:
        self._node = node
    else:
        self._settle_in(Detached(place))
    return self
