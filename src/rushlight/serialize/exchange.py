"""Between Tensors and the storages of a checkpoint: the part that knows how a Tensor is built."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import contiguous_strides
from rushlight.graph.node import Node, known
from rushlight.tensor.look import buffer_of
from rushlight.tensor.place import chain, descend
from rushlight.tensor.tensor import Tensor

from .storage import Storage
from .strided import strided


class View(NamedTuple):
    """A tensor as a look into a storage, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class StorageIndex:
    """The storages that the tensors of one checkpoint look into, each made once."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[object, Storage]] = {}

    def view_of(self, tensor: Tensor) -> View:
        """``tensor`` as a view of its storage, or of a storage of its own when it shares none."""
        node, place = tensor.node, tensor._place
        if place is None or place.storage.node.dtype is not node.dtype:
            return _alone(node)
        try:
            shape, strides, offset = place.geometry()
        except ShapeError:  # a view of values, whose elements have no regular place in memory
            return _alone(node)
        record = place.storage
        if id(record) not in self._found:
            whole_shape, whole_strides, _ = record.geometry()
            elements = _laid_out(buffer_of(record.node).stored, whole_shape, whole_strides)
            self._found[id(record)] = record, Storage(elements, node.dtype)
        return View(self._found[id(record)][1], offset, shape, strides)


def _alone(node: Node) -> View:
    elements = buffer_of(node).stored.reshape(-1)
    return View(Storage(elements, node.dtype), 0, node.shape, contiguous_strides(node.shape))


def _laid_out(values: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """Memory that holds ``values`` with these strides; a NumPy array's need not be contiguous."""
    if strides == contiguous_strides(shape) or not values.size:
        return values.reshape(-1)
    extent = 1 + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    memory = np.zeros(extent, values.dtype)
    _strided_array(memory, shape, strides)[...] = values
    return memory


def _strided_array(
    memory: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...]
) -> np.ndarray:  # fmt: skip
    steps = tuple(step * memory.itemsize for step in strides)
    return np.lib.stride_tricks.as_strided(memory, shape, steps)


def contiguous_tensor(elements: np.ndarray, dtype: DType, shape: tuple[int, ...]) -> Tensor:
    """A tensor of its own that holds ``elements``, which nobody else writes to."""
    return Tensor(known(Buffer(elements.reshape(shape), dtype)))


def tensor_over(view: View) -> Tensor:
    """The tensor that looks into a storage as ``view`` says.

    Tensors over one storage share memory, so that a write to one shows in the others. Only what no
    chain of views can show, such as overlapping windows, is a copy.

    Raises:
        RuntimeError: it would reach outside the storage.
    """
    _check_bounds(view)
    storage, offset, shape, strides = view
    if storage.dtype is None:
        raise OperationError("load", "a tensor looks into a storage without a type")
    whole = offset == 0 and _is_contiguous(shape, strides) and prod(shape) == storage.count
    if storage.tensor is None:
        first = shape if whole else (storage.count,)
        storage.tensor = contiguous_tensor(storage.elements, storage.dtype, first)
        if whole:
            return storage.tensor
    record = storage.tensor.place.storage
    shown = strided(record.node, offset, shape, strides)
    views = None if shown is None else chain(record.node, shown)
    place = None if views is None else descend(record, views)
    if place is None:
        copied = _strided_array(storage.elements[offset:], shape, strides).copy()
        return contiguous_tensor(copied, storage.dtype, shape)
    tensor = Tensor(place.read())
    tensor._settle_in(place)
    return tensor


def of_class(tensor: Tensor, kind: type[Tensor]) -> Tensor:
    """A tensor of the user's class that shares the memory of ``tensor``; no ``__init__`` runs."""
    result = kind.__new__(kind)
    Tensor.__init__(result, tensor.detach().node)
    result._settle_in(tensor.detach().place)
    return result.requires_grad_(tensor.requires_grad)


def _is_contiguous(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = contiguous_strides(shape)
    return all(n == 1 or have == want for n, have, want in zip(shape, strides, expected))


def _check_bounds(view: View) -> None:
    storage, offset, shape, strides = view
    if len(shape) != len(strides):
        raise OperationError("load", f"a tensor has {len(shape)} sizes but {len(strides)} strides")
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if prod(shape) and last >= storage.count:
        raise OperationError(
            "load",
            f"a tensor of size {list(shape)} with strides {list(strides)} and offset {offset} needs"
            f" {last + 1} elements, but its storage has {storage.count}",
        )
