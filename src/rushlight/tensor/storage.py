"""A tensor's memory as PyTorch shows it: bytes without shape or dtype."""

from __future__ import annotations

from .look import buffer_of
from .place import Storage
from .tensor import Tensor, method


class UntypedStorage:
    """The memory that a tensor and its views share. Two of them are equal for one memory."""

    __slots__ = ("_storage",)

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def nbytes(self) -> int:
        """The size in bytes."""
        return self._storage.node.spec.nbytes

    size = nbytes
    __len__ = nbytes

    def data_ptr(self) -> int:
        """The address of the first byte: another one after the next write."""
        return int(buffer_of(self._storage.node).stored.ctypes.data)

    def tolist(self) -> list[int]:
        """The bytes."""
        return list(buffer_of(self._storage.node).stored.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._storage is other._storage

    def __hash__(self) -> int:
        return id(self._storage)


@method
def untyped_storage(self: Tensor) -> UntypedStorage:
    """The memory that this tensor shows."""
    return UntypedStorage(self.place.storage)
