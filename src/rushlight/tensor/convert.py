"""Conversions and copies of tensors, and what they tell about their layout."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.device import device as Device
from rushlight.base.device import resolve
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError, OperationError, ShapeError
from rushlight.base.shapes import contiguous_strides, prod
from rushlight.graph.op import recording

from .look import buffer_of
from .tensor import Tensor, method


@method
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in another dtype or on another device; itself when nothing changes.

    ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` and ``to(other)``, each followed by
    ``non_blocking`` and ``copy``.
    """
    dtype, copy = kwargs.pop("dtype", None), kwargs.pop("copy", False)
    place = kwargs.pop("device", None)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    other = kwargs.pop("other", None)
    if kwargs:
        raise ArgTypeError("to", f"to() got an unexpected keyword argument {next(iter(kwargs))!r}")
    flags = []
    for arg in args:
        if isinstance(arg, DType):
            dtype = arg
        elif isinstance(arg, Tensor):
            other = arg
        elif isinstance(arg, bool):
            flags.append(arg)
        elif isinstance(arg, str | Device | int):
            place = arg
        elif arg is not None:
            raise ArgTypeError(
                "to", f"to() received an invalid combination of arguments - got {type(arg).__name__}"
            )
    if len(flags) > 1:
        copy = flags[1]
    resolve(place)
    if other is not None:
        dtype = other.dtype
    if dtype is None or dtype is self.dtype:
        return self.clone() if copy else self  # type: ignore[attr-defined, no-any-return]
    return Tensor(ops.cast(self.node, dtype))


def _conversion(name: str, dtype: DType) -> None:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return self if self.dtype is dtype else Tensor(ops.cast(self.node, dtype))

    convert.__name__ = name
    convert.__doc__ = f"This tensor as ``{dtype.name}``."
    method(convert)


for _name, _dtype in {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16, "int": dtypes.int32, "long": dtypes.int64, "short": dtypes.int16,
    "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool_, "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}.items():  # fmt: skip
    _conversion(_name, _dtype)

_TYPE_NAMES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16,
    "BFloat16": dtypes.bfloat16, "Byte": dtypes.uint8, "Char": dtypes.int8, "Short": dtypes.int16,
    "Int": dtypes.int32, "Long": dtypes.int64, "Bool": dtypes.bool_,
    "ComplexFloat": dtypes.complex64, "ComplexDouble": dtypes.complex128,
}  # fmt: skip


@method
def type(self: Tensor, dtype: DType | str | None = None, non_blocking: bool = False) -> Any:
    """The type's name, such as ``torch.FloatTensor``; or this tensor in another type."""
    if dtype is None:
        short = next(name for name, known in _TYPE_NAMES.items() if known is self.dtype)
        return f"torch.{short}Tensor"
    if isinstance(dtype, str):
        found = _TYPE_NAMES.get(dtype.removeprefix("torch.").removesuffix("Tensor"))
        if found is None:
            raise ArgTypeError("type", f"invalid type: '{dtype}'")
        dtype = found
    return self.to(dtype)  # type: ignore[attr-defined]


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype of ``other``."""
    return self.to(other.dtype)  # type: ignore[attr-defined, no-any-return]


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """This tensor on the CPU: itself."""
    return self


@method
def cuda(
    self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None
) -> Tensor:
    """This tensor on a CUDA device.

    Raises:
        RuntimeError: there is none.
    """
    resolve("cuda" if device is None else device)
    return self


@method
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself when its elements follow each other in memory, else a copy in which they do."""
    return self if self.is_contiguous() else self.clone()  # type: ignore[attr-defined, no-any-return]


@method
def detach_(self: Tensor) -> Tensor:
    """Cuts this tensor off from its history."""
    if self.requires_grad:
        self._settle_in(self.detach().place)  # type: ignore[attr-defined]
    return self


# In-place ----------------------------------------------------------------------------------------


@method
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Writes ``src``, broadcast and converted, into this tensor."""
    if not isinstance(src, Tensor):
        raise ArgTypeError(
            "copy_", f"copy_(): argument 'other' must be Tensor, not {src.__class__.__name__}"
        )
    node = ops.expand(ops.cast(src.node, self.dtype), self._node.shape)
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
    return self._write(ops.full(self._node.shape, value, self.dtype), "fill_")


@method
def zero_(self: Tensor) -> Tensor:
    """Writes zeros everywhere."""
    return self._write(ops.full(self._node.shape, 0, self.dtype), "zero_")


@method
def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Gives this tensor another size, keeping the elements that fit in row-major order."""
    from .creation import sizes

    shape = sizes("resize_", size)
    if self.requires_grad and recording.grad:
        raise OperationError("resize_", "cannot resize variables that require grad")
    node = self.node
    have, want = prod(node.shape), prod(shape)
    flat = ops.reshape(node, (have,))
    if want <= have:
        flat = ops.slice_(flat, 0, 0, want)
    else:
        grown = ops.full((want,), 0, node.dtype)
        flat = ops.slice_scatter.record((grown, flat, ops.slice_(flat, 0, 0, have).inputs[1]), 0, 1)
    self._place = None
    self._node = ops.reshape(flat, shape)
    return self


@property  # type: ignore[misc]
def _data(self: Tensor) -> Tensor:
    return self.detach()  # type: ignore[attr-defined, no-any-return]


@_data.setter
def _data(self: Tensor, other: Tensor) -> None:
    if self.requires_grad and self.is_leaf:
        watch = self._place.watch  # type: ignore[union-attr]
        from .place import LeafPlace

        self._settle_in(LeafPlace(other.detach().place, watch))  # type: ignore[attr-defined]
    else:
        self._settle_in(other.detach().place)  # type: ignore[attr-defined]


Tensor.data = _data  # type: ignore[attr-defined]


@method
def set_(self: Tensor, source: Tensor) -> Tensor:
    """Makes this tensor share the memory of ``source``."""
    _data.fset(self, source)  # type: ignore[attr-defined]
    return self


# Layout ------------------------------------------------------------------------------------------


@method
def size(self: Tensor, dim: int | None = None) -> Any:
    """The sizes of all dimensions, or of one."""
    if dim is None:
        return self.shape
    from rushlight.base.shapes import axis

    place = axis("size", dim, self.ndim)
    return self.shape[place]


@method
def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return self.ndim


ndimension = dim
Tensor.ndimension = dim  # type: ignore[attr-defined]


@method
def numel(self: Tensor) -> int:
    """The number of elements."""
    return self._node.spec.numel


Tensor.nelement = numel  # type: ignore[attr-defined]


@method
def stride(self: Tensor, dim: int | None = None) -> Any:
    """Elements to step over in memory, per dimension, as PyTorch's layout has them."""
    place = self._place
    steps = contiguous_strides(self._node.shape) if place is None else place.geometry()[1]
    return steps if dim is None else steps[dim]


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
    same = self._place is not None and tensor._place is not None
    return same and self.place.storage is tensor.place.storage and (
        self.place.geometry() == tensor.place.geometry()
    )


@method
def is_pinned(self: Tensor) -> bool:
    """Whether the memory is pinned for a device: never on the CPU."""
    return False


@method
def pin_memory(self: Tensor) -> Tensor:
    """Itself: there is no device to pin for."""
    return self


@method
def share_memory_(self: Tensor) -> Tensor:
    """Itself; tensors travel between processes by value."""
    return self


def _transposed(self: Tensor) -> Tensor:
    if self.ndim < 2:
        raise ShapeError(
            "mT", f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D"
            " tensor.",
        )
    return self.transpose(-2, -1)  # type: ignore[attr-defined, no-any-return]


def _reversed(self: Tensor) -> Tensor:
    return self.permute(tuple(range(self.ndim - 1, -1, -1)))  # type: ignore[attr-defined, no-any-return]


for _name, _getter in {
    "T": _reversed, "mT": _transposed, "H": lambda x: _transposed(x).conj(),
    "mH": lambda x: _transposed(x).conj(), "nbytes": lambda x: x._node.spec.nbytes,
    "itemsize": lambda x: x.dtype.itemsize, "is_cuda": lambda x: False,
    "is_sparse": lambda x: False, "is_quantized": lambda x: False, "is_meta": lambda x: False,
    "is_mps": lambda x: False, "is_cpu": lambda x: True, "layout": lambda x: "torch.strided",
    "output_nr": lambda x: 0,
    "_base": lambda x: None,
}.items():  # fmt: skip
    setattr(Tensor, _name, property(_getter))


@method
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """A view in the shape of ``other``."""
    return self.view(other.shape)  # type: ignore[attr-defined, no-any-return]


@method
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the shape of ``other``."""
    return self.reshape(other.shape)  # type: ignore[attr-defined, no-any-return]


@method
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor broadcast to the shape of ``other``."""
    return self.expand(other.shape)  # type: ignore[attr-defined, no-any-return]


@method
def view(self: Tensor, *size: Any) -> Tensor:
    """The same memory in another shape, or its bytes as another dtype of the same size.

    Raises:
        RuntimeError: the elements do not lie in memory in a way that this shape can show.
    """
    if len(size) == 1 and isinstance(size[0], DType):
        return _bits_as(self, size[0])
    shape = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    node = ops.reshape(self.node, shape)
    if self._place is not None:
        ops.reshape.strides(*self._place.geometry(), shape=node.shape)
    return self._alias(node)


def _bits_as(tensor: Tensor, dtype: DType) -> Tensor:
    """The same bits read as another dtype (a copy: writes do not reach the original)."""
    from rushlight.base.buffer import Buffer
    from rushlight.graph.node import known

    if dtype is tensor.dtype:
        return tensor
    stored = buffer_of(tensor.node).stored
    if not stored.ndim and dtype.itemsize != tensor.dtype.itemsize:
        raise OperationError(
            "view",
            f"self.dim() cannot be 0 to view {tensor.dtype} as {dtype} (different element sizes)",
        )
    wide = stored.shape[-1] * tensor.dtype.itemsize if stored.ndim else dtype.itemsize
    if wide % dtype.itemsize:
        raise OperationError(
            "view",
            f"self.size(-1) must be divisible by {dtype.itemsize // tensor.dtype.itemsize} to view"
            f" {tensor.dtype} as {dtype} (different element sizes), but got {stored.shape[-1]}",
        )
    return Tensor(known(Buffer(stored.view(dtype.storage).copy(), dtype)))


