"""NumPy and DLPack: memory shared with others.

Nodes never change, yet an array that shares a tensor's memory can be written by anybody. The
storage of such a tensor is *outside*: an operation on it is computed as soon as it is recorded, so
it sees the memory as it is at that line, and a write to the tensor goes to the memory at once. When
nobody else holds the memory any more, it becomes an ordinary value.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np

from rushlight.base import dtypes
from rushlight.base.buffer import Buffer, Kept
from rushlight.base.dtypes import DType, bfloat16
from rushlight.base.errors import ArgTypeError, ArgValueError, GradError, OperationError
from rushlight.base.shapes import Shape
from rushlight.execute import pending
from rushlight.graph.node import Node, known

from .data import array_dtype
from .look import array_of, buffer_of
from .place import Storage, conjugates
from .tensor import Tensor, method


class Shared:
    """Memory that somebody outside can read and write.

    Args:
        array: the memory, of any positive strides.
    """

    def __init__(self, array: np.ndarray, dtype: DType) -> None:
        self.array = array
        self.dtype = dtype
        # What our own nodes refer to, so that they are no references from outside.
        self._ours = array[...]

    def alive(self) -> bool:
        """Whether anybody else can still reach the memory.

        Every array made from another one refers to the array that owns the memory, so the owner's
        references tell.
        """
        owner = self.array.base
        if owner is None or isinstance(owner, np.ndarray):
            return _references(self) > _OWN_REFERENCES[owner is None]
        return True

    def read(self) -> Node:
        """A node with what the memory holds now.

        A small memory is copied. A large one is read where it is, by whoever records with the node,
        who then has to compute at once.
        """
        if self.array.nbytes <= SMALL or not self.array.flags.c_contiguous:
            return known(Buffer(np.array(self.array, order="C"), self.dtype))
        pending.hurry()
        buffer = Buffer(self._ours, self.dtype)
        buffer.derived = None
        return known(buffer, outside=True)

    def taken(self) -> Node:
        """The memory as an ordinary value, once nobody else can write to it."""
        array = self.array
        if array.base is not None or not array.flags.c_contiguous:
            array = np.ascontiguousarray(self._ours).reshape(self._ours.shape)
        return known(Buffer(array, self.dtype))

    def write(self, node: Node) -> None:
        """Writes a value into the memory, now.

        Raises:
            OperationError: the memory may not be written to.
        """
        if not self.array.flags.writeable:
            raise OperationError(
                "write", "the memory behind this tensor is read-only", hint="Write to a clone()."
            )
        self.array[...] = buffer_of(node).stored

    def strides(self) -> Shape:
        """The memory's strides in elements."""
        return _elements(self.array)


SMALL = 1 << 20
"""Bytes that copying costs less than computing an operation by itself."""


def _references(shared: Shared) -> int:
    """How many references there are to a memory's owner and to the array that shows it."""
    owner = shared.array.base
    count = sys.getrefcount(shared.array) - Kept.references(shared.array)
    return count if owner is None else count + sys.getrefcount(owner) - Kept.references(owner)


def _own_references() -> dict[bool, int]:
    """The references that are our own, for an array that owns its memory and for one that does not.

    Counted rather than written down: interpreters differ in what they count.
    """
    whole = Shared(np.empty(1), dtypes.float64)
    part = Shared(np.empty(2)[:1], dtypes.float64)
    return {True: _references(whole), False: _references(part)}


_OWN_REFERENCES = _own_references()


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the memory of ``ndarray``: each sees what is written to the other.

    Args:
        ndarray: float16 to float64, int8 to int64, uint8, bool, complex64 or complex128.
    Raises:
        TypeError: another type, or no array at all.
        ValueError: negative strides.
    Example:
        >>> import numpy as np, rushlight as rl
        >>> a = np.zeros(2)
        >>> t = rl.from_numpy(a)
        >>> a[0] = 1
        >>> t
        tensor([1., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise ArgTypeError("from_numpy", f"expected np.ndarray (got {type(ndarray).__name__})")
    dtype = array_dtype(ndarray)
    if any(step < 0 for step in ndarray.strides):
        raise ArgValueError(
            "from_numpy",
            "At least one stride in the given numpy array is negative, and tensors with negative"
            " strides are not currently supported.",
            hint="Make a copy with array.copy() first.",
        )
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable"
            " tensors. This means writing to this tensor will result in undefined behavior. You may"
            " want to copy the array to protect its data or make it writable before converting it"
            " to a tensor.",
            UserWarning,
            stacklevel=2,
        )
    return shared_memory(ndarray, dtype)


def shared_memory(array: np.ndarray, dtype: DType) -> Tensor:
    """A tensor over the memory of an array."""
    outside = Shared(array, dtype)
    storage = Storage(outside.taken())
    storage.outside, storage.lent = outside, True
    storage.strides = outside.strides()
    result = Tensor(storage.node)
    result._settle_in(storage)
    return result


@method
def numpy(self: Tensor, *, force: bool = False) -> np.ndarray:
    """The values as an array that shares this tensor's memory.

    Raises:
        RuntimeError: the tensor requires gradients (``force=True`` detaches it first).
        TypeError: NumPy has no such type (bfloat16).
    """
    if self.requires_grad and not force:
        raise GradError(
            "numpy",
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
        )
    if self.dtype is bfloat16:
        raise ArgTypeError(
            "numpy", "Got unsupported ScalarType BFloat16", hint="Convert first: x.float().numpy()."
        )
    if conjugates(self.place):
        if not force:
            raise GradError(
                "numpy",
                "Can't call numpy() on Tensor that has conjugate bit set. Use"
                " tensor.resolve_conj().numpy() instead.",
            )
        return array_of(self).copy()
    return _arranged(self, _lent(self.place.storage))


def _lent(storage: Storage) -> np.ndarray:
    """The storage's memory, from now on shared with whoever gets the array."""
    storage.refresh()
    if storage.outside is None:
        storage.outside, storage.lent = _shared(storage), True
    array: np.ndarray = storage.outside.array
    return array


def _shared(storage: Storage) -> Shared:
    """The memory of a storage's value, if nobody else sees that; else of a copy.

    Others must not see what is written.
    """
    stored, dtype = buffer_of(storage.node).stored, storage.node.dtype
    mine = stored.flags.writeable and stored.base is None and not storage.node.requires_grad
    del stored
    if not mine or _holders(storage) != _OWN_HOLDERS:
        return Shared(buffer_of(storage.node).stored.copy(), dtype)
    shared = Shared(buffer_of(storage.node).stored, dtype)
    storage.node.buffer = Buffer(shared._ours, dtype)
    return shared


def _holders(storage: Storage) -> tuple[int, int, int]:
    """The references to a storage's node, to its Buffer and to the memory."""
    node = storage.node
    buffer = buffer_of(node)
    memory = sys.getrefcount(buffer.stored) - Kept.references(buffer.stored)
    return sys.getrefcount(node), sys.getrefcount(buffer), memory


def _own_holders() -> tuple[int, int, int]:
    """Those of a tensor that nothing else shows."""
    tensor = Tensor(known(Buffer(np.empty(1), dtypes.float64)))
    return _holders(tensor.place.storage)


_OWN_HOLDERS = _own_holders()


def _arranged(tensor: Tensor, memory: np.ndarray) -> np.ndarray:
    """The part of ``memory`` that a tensor shows, as a view of it."""
    shape, strides, offset = tensor.place.geometry()
    dtype = tensor.dtype.storage
    steps = tuple(n * dtype.itemsize for n in strides)
    if (shape, dtype, steps) == (memory.shape, memory.dtype, memory.strides):
        return memory[...]
    return np.asarray(_Window(memory, shape, dtype, steps, offset * dtype.itemsize))


class _Window:
    """Part of an array's memory, in NumPy's own terms; it keeps the array."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(
        self, memory: np.ndarray, shape: Shape, dtype: np.dtype, steps: Shape, offset: int
    ) -> None:
        start, readonly = memory.__array_interface__["data"]
        self._memory = memory
        self.__array_interface__ = {
            "version": 3, "shape": shape, "typestr": dtype.str, "strides": steps,
            "data": (start + offset if memory.size else start, readonly),
        }  # fmt: skip


@method
def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    array: np.ndarray = self.numpy()
    array = array.copy() if copy else array
    return array if dtype is None else array.astype(dtype, copy=False)


# Arithmetic between an array and a tensor is the tensor's.
Tensor.__array_priority__ = 1000


@method
def __dlpack__(
    self: Tensor, *, stream: Any = None, max_version: tuple[int, int] | None = None,
    dl_device: tuple[Any, int] | None = None, copy: bool | None = None,
) -> Any:  # fmt: skip
    """A DLPack capsule that shares this tensor's memory.

    Args:
        stream: of other devices; -1 is none.
        max_version: the newest form of capsule that the caller knows.
        dl_device: where the memory has to be; here when None.
        copy: whether it has to be a copy, must not be one, or may be.
    Raises:
        BufferError: the tensor requires gradients, or the memory is not where it has to be.
    """
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    given = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
    said = {name: value for name, value in given.items() if value is not None}
    return self.numpy().__dlpack__(stream=None if stream == -1 else stream, **said)


@method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    """DLPack's number for the CPU."""
    return (1, 0)


@method
def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The tensor on a device: what the array API standard calls :meth:`to`."""
    return self.to(device=device)


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of an object with ``__dlpack__``.

    Example:
        >>> import numpy as np, rushlight as rl
        >>> rl.from_dlpack(np.ones(2))
        tensor([1., 1.], dtype=torch.float64)
    """
    array = np.from_dlpack(ext_tensor)
    return from_numpy(array.copy() if copy else array)


def _elements(array: np.ndarray) -> Shape:
    return tuple(step // array.itemsize for step in array.strides)
