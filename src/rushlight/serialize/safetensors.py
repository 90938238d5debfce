"""Tensors by name in a safetensors file: no pickle, nothing that can run."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from rushlight.base import dtypes
from rushlight.base.errors import ArgTypeError, DTypeError, OperationError
from rushlight.tensor.look import buffer_of
from rushlight.tensor.tensor import Tensor

from .atomic import FilePath, replacing
from .exchange import contiguous_tensor

_NAMES = {
    "BOOL": dtypes.bool_, "U8": dtypes.uint8, "I8": dtypes.int8, "I16": dtypes.int16,
    "I32": dtypes.int32, "I64": dtypes.int64, "F16": dtypes.float16, "BF16": dtypes.bfloat16,
    "F32": dtypes.float32, "F64": dtypes.float64, "C64": dtypes.complex64,
}  # fmt: skip
_LONGEST_HEADER = 100_000_000  # bytes; the limit that the safetensors library sets


def save_safetensors(
    tensors: Mapping[str, Tensor], path: FilePath, metadata: Mapping[str, str] | None = None
) -> None:
    """Saves tensors by name in the safetensors format.

    The file is written beside ``path`` and put in its place at the end. Tensors are saved as
    contiguous values: those that share memory are saved each by itself, gradients not at all.

    Args:
        tensors: such as a ``state_dict()``; every dtype but complex128.
        metadata: text by name, kept in the file's header.

    Raises:
        TypeError: a name or a metadata value is no text, or a value no tensor.
        RuntimeError: a tensor is complex128, which the format does not have.
        OSError: the file cannot be written.

    Example:
        >>> import os, tempfile
        >>> import rushlight as rl
        >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
        >>> rl.save_safetensors({"weight": rl.ones(2)}, path)
        >>> rl.load_safetensors(path)
        {'weight': tensor([1., 1.])}
    """
    library = _library()
    _check_metadata(metadata)
    elements = {_checked_name(name): _contiguous(name, tensor) for name, tensor in tensors.items()}
    specs = {
        name: library.TensorSpec(
            dtype=tensors[name].dtype.name,
            shape=list(tensors[name].shape),
            data_ptr=array.ctypes.data,
            data_len=array.nbytes,
        )
        for name, array in elements.items()  # the arrays outlive the specs that point into them
    }
    with replacing(path) as file:
        file.write(library.serialize(specs, None if metadata is None else dict(metadata)))


def load_safetensors(path: FilePath) -> dict[str, Tensor]:
    """Loads the tensors of a safetensors file by name.

    Raises:
        RuntimeError: the file is cut short or no safetensors file, or holds a type of number that
            rushlight does not have.
        FileNotFoundError: there is no such file.
    """
    library = _library()
    with open(path, "rb") as file:
        content = file.read()
    try:
        entries = library.deserialize(content)
    except library.SafetensorError as error:
        raise _fault(path, f"is cut short or no safetensors file: {error}") from error
    return {name: _tensor(path, name, entry) for name, entry in sorted(entries)}


def safetensors_metadata(path: FilePath) -> dict[str, str]:
    """The metadata of a safetensors file; only its header is read.

    Raises:
        RuntimeError: the file is cut short or no safetensors file.
        FileNotFoundError: there is no such file.
    """
    with open(path, "rb") as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
            return dict(header.get("__metadata__", {}))
        except (struct.error, ValueError, AttributeError) as error:
            raise _fault(path, "is cut short or no safetensors file") from error


def _library() -> Any:
    try:
        import safetensors
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "safetensors files need the safetensors library: pip install 'rushlight[safetensors]'"
        ) from error
    if not hasattr(safetensors, "TensorSpec"):
        raise ImportError(
            f"safetensors {safetensors.__version__} is too old: pip install 'safetensors>=0.8'"
        )
    return safetensors


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise ArgTypeError("save_safetensors", f"names of tensors are text, but got {name!r}")
    return name


def _check_metadata(metadata: Mapping[str, str] | None) -> None:
    for name, value in (metadata or {}).items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ArgTypeError(
                "save_safetensors", f"metadata is text by name, but got {name!r}: {value!r}"
            )


def _contiguous(name: str, tensor: object) -> np.ndarray:
    if not isinstance(tensor, Tensor):
        raise ArgTypeError("save_safetensors", f"{name!r} is no tensor but {tensor!r:.100}")
    if tensor.dtype not in _NAMES.values():
        raise DTypeError("save_safetensors", f"{name!r} is {tensor.dtype}, which the format lacks")
    return buffer_of(tensor.node).stored


def _tensor(path: FilePath, name: str, entry: dict[str, Any]) -> Tensor:
    dtype = _NAMES.get(entry["dtype"])
    if dtype is None:
        raise _fault(path, f"holds {name!r} as {entry['dtype']}, which rushlight does not have")
    elements = np.frombuffer(entry["data"], dtype.storage)
    return contiguous_tensor(elements, dtype, tuple(entry["shape"]))


def _fault(path: FilePath, problem: str) -> OperationError:
    return OperationError("load_safetensors", f"the file {str(path)!r} {problem}")
