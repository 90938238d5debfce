"""A storage of a checkpoint: a flat run of elements that any number of tensors look into."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rushlight.base import dtypes
from rushlight.base.device import device
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError, DeviceError, OperationError

from .archive import ArchiveReader

if TYPE_CHECKING:
    from rushlight.tensor.tensor import Tensor

MapLocation = Callable[[Any, str], Any] | device | str | Mapping[str, str] | None


class Storage:
    """Elements in a row.

    Attributes:
        elements: one-dimensional, as memory holds them (``dtype.storage``).
        dtype: their type; None for an untyped storage, which holds bytes.
        location: the device they were saved from or go to, such as ``"cpu"``.
        tensor: the first tensor that was loaded from them; others share its memory.
    """

    __slots__ = ("dtype", "elements", "location", "tensor")

    def __init__(self, elements: np.ndarray, dtype: DType | None, location: str = "cpu") -> None:
        self.elements = elements
        self.dtype = dtype
        self.location = location
        self.tensor: Tensor | None = None

    @property
    def count(self) -> int:
        """The number of elements (bytes, when untyped)."""
        return len(self.elements)

    def typed(self, dtype: DType) -> Storage:
        """The same memory as elements of ``dtype``.

        Raises:
            RuntimeError: it has another type, or its size is no multiple of an element.
        """
        if self.dtype is dtype:
            return self
        if self.dtype is not None or self.elements.nbytes % dtype.itemsize:
            raise OperationError("load", f"the file reads one storage as {self} and as {dtype}")
        return Storage(_view(self.elements, dtype), dtype, self.location)

    def raw(self) -> memoryview:
        """Its bytes, as a file holds them."""
        return memoryview(self.elements.view(np.uint8))

    def cpu(self) -> Storage:
        """This storage on the CPU, for functions given as ``map_location``."""
        return self if self.location == "cpu" else Storage(self.elements, self.dtype)

    def __repr__(self) -> str:
        kind = "untyped" if self.dtype is None else repr(self.dtype)
        return f"Storage({kind}, {self.count} elements, {self.location!r})"


@dataclass(frozen=True, slots=True)
class StorageType:
    """Stands for ``torch.FloatStorage`` and its kin, which say the type of a storage's elements."""

    name: str
    dtype: DType | None

    def __repr__(self) -> str:
        return f"torch.{self.name}"


def _kinds() -> dict[DType | None, StorageType]:
    stems = {
        dtypes.bool_: "Bool", dtypes.uint8: "Byte", dtypes.int8: "Char", dtypes.int16: "Short",
        dtypes.int32: "Int", dtypes.int64: "Long", dtypes.float16: "Half",
        dtypes.bfloat16: "BFloat16", dtypes.float32: "Float", dtypes.float64: "Double",
        dtypes.complex64: "ComplexFloat", dtypes.complex128: "ComplexDouble", None: "Untyped",
    }  # fmt: skip
    return {dtype: StorageType(f"{stem}Storage", dtype) for dtype, stem in stems.items()}


STORAGE_TYPES = _kinds()


class StorageSource(Protocol):
    """Gives the storage that a checkpoint's pickle names by a persistent id."""

    def __call__(self, reference: object) -> Storage: ...


class Reference:
    """A persistent id taken apart: ``("storage", type, key, location, number of elements, ...)``.

    Raises:
        UnpicklingError: it has another form.
    """

    __slots__ = ("count", "dtype", "key", "location")

    def __init__(self, reference: object) -> None:
        match reference:
            case ("storage", StorageType() as kind, str(key), str(location), int(count), *rest):
                if count >= 0 and rest in ([], [None]):
                    self.dtype, self.key = kind.dtype, key
                    self.location, self.count = location, count
                    return
        raise pickle.UnpicklingError(f"the pickle refers to a storage by {reference!r:.200}")

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return 1 if self.dtype is None else self.dtype.itemsize

    def storage(self, data: np.ndarray, swapped: bool, location: MapLocation) -> Storage:
        """The storage that ``data``, the bytes in the file, hold.

        Raises:
            RuntimeError: the file holds fewer or more bytes than the reference says, or the device
                is not available.
        """
        if data.nbytes != self.count * self.itemsize:
            raise OperationError(
                "load",
                f"storage {self.key!r} has {data.nbytes} bytes in the file, but {self.count}"
                f" elements of {self.dtype or 'one byte'} take {self.count * self.itemsize}",
            )
        elements = _view(data, self.dtype or dtypes.uint8)
        if swapped:
            elements = elements.byteswap()
        return restored(Storage(elements, self.dtype, self.location), location)


class ArchiveStorages:
    """The storages of a zip checkpoint, each read when the pickle first names it."""

    def __init__(self, archive: ArchiveReader, location: MapLocation) -> None:
        self._archive = archive
        self._location = location
        self._swapped = archive.swapped
        self._found: dict[str, Storage] = {}

    def __call__(self, reference: object) -> Storage:
        wanted = Reference(reference)
        found = self._found.get(wanted.key)
        if found is None:
            data = self._archive.read_array(f"data/{wanted.key}")
            found = wanted.storage(data, self._swapped, self._location)
            self._found[wanted.key] = found
        if found.dtype is not wanted.dtype:
            raise OperationError("load", f"the pickle reads storage {wanted.key!r} as two types")
        return found


def _view(data: np.ndarray, dtype: DType) -> np.ndarray:
    if data.ctypes.data % dtype.storage.alignment:
        data = data.copy()  # a mapped file of another writer need not be aligned
    return data.view(dtype.storage)


def check_location(wanted: object) -> None:
    """Refuses what is no ``map_location``.

    Raises:
        TypeError: it is no device, str, dict, function or None.
    """
    if not (wanted is None or isinstance(wanted, str | device | Mapping) or callable(wanted)):
        raise ArgTypeError(
            "load", f"map_location must be a device, str, dict or function, not {wanted!r}"
        )


def restored(storage: Storage, wanted: MapLocation) -> Storage:
    """``storage`` moved where ``wanted`` says; None leaves it where it was saved from.

    Raises:
        RuntimeError: that device is not available here, or the tag names none, or ``wanted`` is a
            function and gave neither a storage nor None.
    """
    location = storage.location
    if isinstance(wanted, Mapping):
        location = wanted.get(location, location)
    elif isinstance(wanted, str | device):
        location = str(wanted)
    elif callable(wanted):
        given = wanted(storage, location)
        if isinstance(given, Storage):
            return given
        if given is not None:
            raise OperationError("load", f"map_location gave {given!r}, no storage and not None")
    if location.startswith("cuda"):
        raise DeviceError(
            "load",
            "Attempting to deserialize object on a CUDA device but rushlight runs on the CPU.",
            hint="Pass map_location=rushlight.device('cpu') to bring the tensors to the CPU.",
        )
    if location != "cpu":
        raise DeviceError(
            "load",
            f"don't know how to restore data location of {storage!r} (tagged with {location})",
        )
    return Storage(storage.elements, storage.dtype)
