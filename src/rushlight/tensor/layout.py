"""How a tensor lies in memory, as PyTorch would have it, and other ways to look at that memory."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.dtypes import DType
from rushlight.base.errors import MissingError, OperationError, ShapeError
from rushlight.base.shapes import axis, contiguous_strides, prod
from rushlight.ops import strided

from .around import AroundLeaf
from .formats import strided as strided_layout
from .place import Detached, LeafPlace, Place, ViewPlace, conjugates
from .tensor import Tensor, method

# What is there ----------------------------------------------------------------------------------


@method
def size(self: Tensor, dim: int | None = None) -> Any:
    """The sizes of all dimensions, or of one."""
    if dim is None:
        return self.shape
    if not self.ndim:
        raise _no_dimension("size", dim)
    return self.shape[axis("size", dim, self.ndim)]


@method
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Elements to step over in memory, per dimension, as PyTorch's layout has them."""
    place = self._place
    steps = contiguous_strides(self._node.shape) if place is None else place.geometry()[1]
    if dim is None:
        return steps
    if not self.ndim:
        raise _no_dimension("stride", dim)
    return steps[axis("stride", dim, self.ndim)]


def _no_dimension(name: str, dim: int) -> Exception:
    from rushlight.base.errors import RangeError

    return RangeError(name, f"Dimension specified as {dim} but tensor has no dimensions")


@method
def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return self.ndim


Tensor.ndimension = dim


@method
def numel(self: Tensor) -> int:
    """The number of elements."""
    return self._node.spec.numel


Tensor.nelement = numel


@method
def storage_offset(self: Tensor) -> int:
    """Where in its storage the first element lies, in elements."""
    return 0 if self._place is None else self._place.geometry()[2]


@method
def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements follow each other in memory in row-major order."""
    place = self._place
    if place is None:
        return True
    shape, steps, _ = place.geometry()
    wanted = contiguous_strides(shape)
    return prod(shape) == 0 or all(
        n == 1 or have == want for n, have, want in zip(shape, steps, wanted, strict=True)
    )


@method
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself when its elements follow each other in memory, else a copy in which they do."""
    return self if self.is_contiguous() else self.clone()


@method
def element_size(self: Tensor) -> int:
    """Bytes per element."""
    return self.dtype.itemsize


@method
def get_device(self: Tensor) -> int:
    """The device's index; -1 for the CPU."""
    return -1


@method
def is_floating_point(self: Tensor) -> bool:
    """Whether the dtype is a floating point type."""
    return self.dtype.is_floating_point


@method
def is_complex(self: Tensor) -> bool:
    """Whether the dtype is complex."""
    return self.dtype.is_complex


@method
def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return self.dtype.is_signed


@method
def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Whether both show the same memory in the same way."""
    if self is tensor:
        return True
    same = self._place is not None and tensor._place is not None
    return (
        same
        and self.place.storage is tensor.place.storage
        and (self.place.geometry() == tensor.place.geometry())
    )


@method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""
    return self.shape == other.shape


@method
def is_pinned(self: Tensor, device: Any = None) -> bool:
    """Whether the memory is pinned for a device: never on the CPU."""
    return False


@method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """Itself: there is no device to pin for."""
    return self


@method
def share_memory_(self: Tensor) -> Tensor:
    """Itself; tensors travel between processes by value."""
    return self


@method
def is_conj(self: Tensor) -> bool:
    """Whether the memory holds the conjugates of the values."""
    return self._place is not None and conjugates(self._place)


@method
def is_neg(self: Tensor) -> bool:
    """Whether the values are negatives that wait to be computed: never, as far as one can see."""
    return False


@method
def resolve_conj(self: Tensor) -> Tensor:
    """Itself, or a copy when its memory holds the conjugates."""
    return self.clone() if self.is_conj() else self


@method
def resolve_neg(self: Tensor) -> Tensor:
    """Itself."""
    return self


def _property(name: str, getter: Any, doc: str) -> None:
    setattr(Tensor, name, property(getter, doc=doc))


_property("nbytes", lambda x: x._node.spec.nbytes, "Bytes that the elements take.")
_property("itemsize", lambda x: x.dtype.itemsize, "Bytes per element.")
_property("is_cpu", lambda x: True, "Whether the tensor is on the CPU.")
_property("layout", lambda x: strided_layout, "How elements are kept: always strided.")
_property("output_nr", lambda x: 0, "Which result of its operation it is: results are their own.")
_property("name", lambda x: None, "No name.")
for _name in (
    "is_cuda", "is_sparse", "is_sparse_csr", "is_quantized", "is_meta", "is_mps", "is_mkldnn",
    "is_xla", "is_xpu", "is_nested",
):  # fmt: skip
    _property(_name, lambda x: False, "Never, here.")


# Other views ------------------------------------------------------------------------------------


@method
def view(self: Tensor, *size: Any, **named: Any) -> Tensor:
    """The same memory in another shape, or its bytes as another dtype.

    Raises:
        RuntimeError: the elements do not lie in memory in a way that this can show.
    """
    if "dtype" in named or (len(size) == 1 and isinstance(size[0], DType)):
        return _bits_as(self, named.get("dtype") or size[0])
    if "size" in named:
        size = (named["size"],)
    shape = size[0] if len(size) == 1 and not hasattr(size[0], "__index__") else size
    node = ops.reshape(self.node, shape)
    alias = self._alias(node)
    if alias._place is None:  # it would be a copy: the geometry says why
        ViewPlace(self.place, node).geometry()
    return alias


def _bits_as(tensor: Tensor, dtype: DType) -> Tensor:
    if dtype is tensor.dtype:
        return tensor._alias(ops.reshape(tensor.node, tensor.node.shape))
    return tensor._alias(ops.bit_cast(tensor.node, dtype))


@method
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """A view in the shape of ``other``."""
    return self.view(other.shape)


@method
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the shape of ``other``."""
    return self.reshape(other.shape)


@method
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor broadcast to the shape of ``other``."""
    return self.expand(other.shape)


def as_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """The memory behind a tensor with any sizes and strides.

    Args:
        storage_offset: where in the memory it begins; where ``input`` does when None.
    Raises:
        RuntimeError: a stride is negative, or it reaches outside of the memory.
    Example:
        >>> import rushlight as rl
        >>> rl.as_strided(rl.arange(4), (2, 3), (1, 1))
        tensor([[0, 1, 2],
                [1, 2, 3]])
    """
    offset = input.storage_offset() if storage_offset is None else storage_offset
    return strided_from(input, tuple(size), tuple(stride), offset)


method(as_strided)


@method
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:  # fmt: skip
    """A copy of the memory behind ``input`` with what :func:`as_strided` shows of it replaced.

    Raises:
        RuntimeError: ``src`` has another shape than ``size``, or as for :func:`as_strided`.
    Example:
        >>> import rushlight as rl
        >>> rl.as_strided_scatter(rl.zeros(2, 2), rl.ones(2), (2,), (3,))
        tensor([[1., 0.],
                [0., 1.]])
    """
    first = input.storage_offset()
    shown = as_strided(input, size, stride, storage_offset)  # refuses what does not fit
    if src.shape != shown.shape:
        raise ShapeError(
            "as_strided_scatter",
            "expected src to have a size equal to the slice of self. src size ="
            f" {list(src.shape)}, slice size = {list(shown.shape)}",
        )
    room = input.place.storage.node.spec.nbytes // input.dtype.itemsize
    copy = strided_from(input, (room,), (1,), 0).clone()  # type: ignore[attr-defined]
    strided_from(copy, tuple(size), tuple(stride), shown.storage_offset()).copy_(src)
    return strided_from(copy, tuple(input.shape), tuple(input.stride()), first)


def strided_from(tensor: Tensor, size: Any, stride: Any, offset: int) -> Tensor:
    """A view of the memory behind ``tensor``."""
    strided.check(size, stride, offset)
    last = offset + strided.extent(size, stride)
    memory = tensor.place.storage.node.spec
    room = memory.nbytes // tensor.dtype.itemsize
    if last > room and prod(size):
        raise OperationError(
            "as_strided",
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and"
            f" itemsize {tensor.dtype.itemsize} requiring a storage size of"
            f" {last * tensor.dtype.itemsize} are out of bounds for storage of size"
            f" {memory.nbytes}",
        )
    place = _holding(tensor, offset, last)
    start = offset - place.geometry()[2]
    node = ops.as_strided(place.read(), size, stride, start)
    alias = Tensor(node)
    alias._settle_in(ViewPlace(place, node))
    alias._origin = tensor._origin or weakref.ref(tensor)
    return alias


def _holding(tensor: Tensor, first: int, last: int) -> Place:
    """The nearest place, upwards from a tensor's, that shows a range of its memory row by row."""
    place, detached = tensor.place, False
    leaf: LeafPlace | None = None
    views: list[ViewPlace] = []  # from the leaf upwards
    while True:
        shape, strides, offset = place.geometry()
        row_major = strides == contiguous_strides(shape)
        inside = row_major and first >= offset and last <= offset + prod(shape)
        if inside and tensor.dtype is place.read().dtype:
            found = place if leaf is None else AroundLeaf(leaf, views, place)
            return Detached(found) if detached else found
        if not isinstance(place, ViewPlace | Detached | LeafPlace):
            raise MissingError("as_strided", "the memory is shared with a strided NumPy array")
        if leaf is not None and isinstance(place, ViewPlace):
            views.append(place)
        if leaf is None and isinstance(place, LeafPlace):
            leaf = place
        detached |= leaf is None and isinstance(place, Detached)
        place = place.parent
