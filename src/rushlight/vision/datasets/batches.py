"""CIFAR's pickles, read without running anything in them."""

from __future__ import annotations

import math
import os
import pickle
from typing import Any

import numpy as np

from rushlight.fetch import FormatError
from rushlight.serialize.unpickle import RestrictedUnpickler


class _Type:
    """Stands for ``numpy.dtype`` of bytes, the only one there is in these files."""

    def __init__(self, name: str, align: Any = 0, copy: Any = 1) -> None:
        if name not in ("u1", "uint8"):
            raise pickle.UnpicklingError(f"the array is of {name}, not of bytes")

    def set(self, state: Any) -> None:
        """What NumPy keeps of a type besides; nothing for bytes."""


class _Array:
    """Stands for ``numpy.ndarray`` until its state comes."""

    values: np.ndarray | None = None

    def set(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        data = data.encode("latin1") if isinstance(data, str) else data  # Python 2's bytes
        if not isinstance(kind, _Type) or math.prod(shape) != len(data):
            raise pickle.UnpicklingError("an array has not the bytes that its shape says")
        flat = np.frombuffer(data, np.uint8)
        self.values = flat.reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: Any, shape: Any, code: Any) -> _Array:
    return _Array()


_NAMES: dict[str, Any] = {"_reconstruct": _reconstruct, "ndarray": _Array, "dtype": _Type}


class _BatchUnpickler(RestrictedUnpickler):
    """Makes containers, text, numbers and arrays of bytes, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] != "numpy" or name not in _NAMES:
            return super().find_class(module, name)
        found = _NAMES[name]
        if found is not _Array:  # which is only ever named, not called
            self.granted[id(found)] = found
        return found

    def load_build(self) -> None:
        if type(self.stack[-2]) not in (_Array, _Type):
            return super().load_build()
        state = self.stack.pop()
        return self.stack[-1].set(state)

    dispatch = RestrictedUnpickler.dispatch | {pickle.BUILD[0]: load_build}


def read_batch(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The dictionary in a file of CIFAR's Python version; arrays of bytes are NumPy's.

    Raises:
        FormatError: the file is damaged or asks for anything but containers, text, numbers and
            bytes; nothing of it was run.
    """
    with open(path, "rb") as file:
        try:
            found = _BatchUnpickler(file, encoding="latin1").load()
        except (pickle.UnpicklingError, UnicodeError) as error:
            raise FormatError(f"{os.fspath(path)} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise FormatError(f"{os.fspath(path)} holds a {type(found).__name__}, not a batch")
    return {
        str(key): value.values if isinstance(value, _Array) else value
        for key, value in found.items()
    }
