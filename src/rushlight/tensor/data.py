"""Tensors from data: numbers, nested sequences, arrays and other tensors."""

from __future__ import annotations

import warnings
from functools import reduce
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.buffer import Buffer
from rushlight.base.device import resolve
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError, ArgValueError, GradError, OperationError
from rushlight.base.promotion import number_dtype, promote_types
from rushlight.graph.node import known
from rushlight.ops.scalar import fits

from .tensor import Tensor

Place = Any
Shape = tuple[int, ...]

_PYTHON_TYPES: dict[Any, DType] = {
    bool: dtypes.bool_, int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128,
}  # fmt: skip


def as_dtype(function: str, dtype: Any) -> Any:
    """The dtype a user asked for: one of ours, or Python's ``float`` and its like; None stays.

    Raises:
        TypeError: it is something else.
    """
    if dtype is None or isinstance(dtype, DType):
        return dtype
    if isinstance(dtype, type) and dtype in _PYTHON_TYPES:
        return _PYTHON_TYPES[dtype]
    raise ArgTypeError(
        function,
        f"{function}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}",
    )


def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor with a copy of ``data``: numbers, nested sequences, a NumPy array, a tensor.

    Args:
        dtype: from the data when None; Python floats become the default dtype.
    Raises:
        ValueError: nested sequences differ in length, or a whole number has more than 64 bits.
        TypeError: an element is no number.
        RuntimeError: a number does not fit the dtype.
    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    resolve(device)
    dtype = as_dtype("tensor", dtype)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use"
            " sourceTensor.detach().clone() or sourceTensor.detach().clone().requires_grad_(True),"
            " rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        node = ops.clone(ops.detach(data.node) if data.requires_grad else data.node)
        result = Tensor(node if dtype is None else ops.cast(node, dtype))
    else:
        result = fresh(data, dtype)
    return tracked(result) if requires_grad else result


def tracked(result: Tensor) -> Tensor:
    """A new tensor, which collects gradients from now on.

    Raises:
        RuntimeError: its dtype cannot have any.
    """
    if not result.dtype.is_differentiable:
        raise GradError(
            "requires_grad",
            "Only Tensors of floating point and complex dtype can require gradients",
            rule=f"This tensor is {result.dtype}.",
            hint="Make it floating point, as in dtype=torch.float32.",
        )
    return result.requires_grad_()


def fresh(data: Any, dtype: DType | None = None) -> Tensor:
    """A tensor with a copy of data that is no tensor."""
    if isinstance(data, (np.ndarray, np.generic)):
        return Tensor(known(_of_array(data, dtype)))
    return Tensor(known(_of_sequence(data, dtype)))


# Arrays -----------------------------------------------------------------------------------------


def array_dtype(array: Any) -> DType:
    """The dtype of an array.

    Raises:
        TypeError: there is no such dtype.
        ValueError: the bytes are in another order than this machine's.
    """
    kind = array.dtype
    if kind.kind in "biufc" and not kind.isnative:
        raise ArgValueError(
            "tensor",
            "given numpy array has byte order different from the native byte order. Conversion"
            " between byte orders is currently not supported.",
        )
    own = dtypes.from_numpy(kind)
    if own is None:
        raise ArgTypeError(
            "tensor",
            f"can't convert np.ndarray of type {kind.type.__module__}.{kind.type.__name__}. The"
            " only supported types are: float64, float32, float16, complex64, complex128, int64,"
            " int32, int16, int8, uint8, and bool.",
        )
    return own


def _of_array(data: Any, dtype: DType | None) -> Buffer:
    array = np.array(data)
    return _stored(array, dtype or array_dtype(array))


def _stored(array: np.ndarray, dtype: DType) -> Buffer:
    """Values, wrapped around where an integer type is too small, as a conversion does."""
    with np.errstate(all="ignore"):
        if array.dtype.kind == "c" and not dtype.is_complex:
            array = array.real
        if dtype.kind == "int" and array.dtype.kind == "f":
            array = np.trunc(array).astype(np.int64)
        return Buffer.of(array.astype(dtype.numpy), dtype)


# Sequences --------------------------------------------------------------------------------------


def _of_sequence(data: Any, dtype: DType | None) -> Buffer:
    shape, elements = _flattened(data)
    kinds = set(map(type, elements))
    found = dtype or _common_dtype(elements, kinds)
    if kinds - _NUMBERS:
        elements = [_number(element, found) for element in elements]
    return Buffer.of(_array(elements, found).reshape(shape), found)


_NUMBERS = {bool, int, float, complex}


def _flattened(data: Any) -> tuple[Shape, list[Any]]:
    """The shape of nested sequences, told by their first elements, and all the elements."""
    shape: list[int] = []
    probe = data
    while _is_sequence(probe):
        shape.append(len(probe))
        if not shape[-1]:
            break
        probe = probe[0]
        if isinstance(probe, (str, bytes)):
            raise ArgValueError("tensor", f"too many dimensions '{type(probe).__name__}'")
    level = [data]
    for depth, size in enumerate(shape):
        below: list[Any] = []
        for row in level:
            if not _is_sequence(row):
                raise ArgTypeError("tensor", "not a sequence")
            if len(row) != size:
                raise ArgValueError(
                    "tensor",
                    f"expected sequence of length {size} at dim {depth} (got {len(row)})",
                )
            below.extend(row)
        level = below
    return tuple(shape), level


def _is_sequence(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return True
    if isinstance(value, (Tensor, str, bytes, dict)):
        return False
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return hasattr(value, "__len__") and hasattr(value, "__getitem__")


def _common_dtype(elements: list[Any], kinds: set[type]) -> DType:
    """What the elements promote to."""
    if not elements:
        return number_dtype("float")
    plain = [number_dtype(kind.__name__) for kind in kinds & _NUMBERS]
    other = {_dtype_of(element) for element in elements if type(element) not in _NUMBERS}
    return reduce(promote_types, [*plain, *other])


def _dtype_of(element: Any) -> DType:
    if isinstance(element, Tensor):
        return element.dtype
    if isinstance(element, (np.generic, np.ndarray)):
        return array_dtype(element)
    for kind in (bool, int, float, complex):
        if isinstance(element, kind):
            return number_dtype(kind.__name__)
    if isinstance(element, (str, bytes)):
        raise ArgTypeError("tensor", f"new(): invalid data type '{type(element).__name__}'")
    if isinstance(element, (list, tuple)):
        return _common_dtype(*_typed(_flattened(element)[1])) if element else number_dtype("float")
    raise OperationError("tensor", f"Could not infer dtype of {type(element).__name__}")


def _typed(elements: list[Any]) -> tuple[list[Any], set[type]]:
    return elements, set(map(type, elements))


def _number(element: Any, dtype: DType) -> Any:
    """An element as a Python number."""
    if isinstance(element, Tensor):
        return _only_number(element)
    if isinstance(element, (np.generic, np.ndarray)):
        return element.item()
    if isinstance(element, (bool, int, float, complex)):
        return element
    name = type(element).__name__
    if dtype.kind == "int":
        raise ArgTypeError("tensor", f"'{name}' object cannot be interpreted as an integer")
    raise ArgTypeError("tensor", f"must be real number, not {name}")


def _only_number(element: Tensor) -> Any:
    if element._node.spec.numel == 1:
        return element.item()
    if element.dtype.kind in ("bool", "int"):
        raise ArgTypeError(
            "tensor", "only integer tensors of a single element can be converted to an index"
        )
    raise ArgValueError(
        "tensor", "only one element tensors can be converted to Python scalars",
        hint="Use torch.stack for a list of tensors.",
    )  # fmt: skip


def _array(elements: list[Any], dtype: DType) -> np.ndarray:
    """Python numbers as an array in the type that ``dtype`` computes in.

    Raises:
        ArgValueError: a whole number has more than 64 bits.
        OperationError: a number is out of the dtype's range.
    """
    if dtype.is_complex:
        return np.array(elements, np.complex128).astype(dtype.numpy)
    if any(type(element) is complex for element in elements):
        wanted = "must be real number, not complex"
        if dtype.kind == "int":
            wanted = "'complex' object cannot be interpreted as an integer"
        raise ArgTypeError("tensor", wanted)
    if dtype.kind == "bool":
        return np.array([bool(element) for element in elements], bool)
    if dtype.kind == "int":
        return _integers(elements, dtype)
    with np.errstate(all="ignore"):
        return np.array(elements, np.float64).astype(dtype.numpy)


def _integers(elements: list[Any], dtype: DType) -> np.ndarray:
    if dtype is not dtypes.int64 or any(type(element) is float for element in elements):
        for element in elements:
            if not fits(element, dtype):
                raise OperationError(
                    "tensor",
                    f"value cannot be converted to type {dtype.name} without overflow",
                    rule=f"The value is {element}.",
                )
        elements = [int(element) for element in elements]
    try:
        return np.array(elements, np.int64).astype(dtype.numpy)
    except OverflowError:
        raise ArgValueError("tensor", "Overflow when unpacking long long") from None


# Without a copy ---------------------------------------------------------------------------------


def as_tensor(data: Any, dtype: DType | None = None, device: Place = None) -> Tensor:
    """``data`` as a tensor: itself, or the same memory, where that is possible.

    Args:
        data: a tensor, an array, or what :func:`tensor` takes.
        dtype: the data's own when None.
    """
    resolve(device)
    dtype = as_dtype("as_tensor", dtype)
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype is dtype else data.to(dtype)
    if isinstance(data, np.ndarray):
        from .exchange import from_numpy

        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return fresh(data, dtype)


def asarray(
    obj: Any, *, dtype: DType | None = None, device: Place = None, copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """``obj`` as a tensor.

    Args:
        copy: True always copies, False never does, None only where it has to.
    Raises:
        ValueError: ``copy`` is False and there has to be one.
    """
    resolve(device)
    dtype = as_dtype("asarray", dtype)
    if not isinstance(obj, (Tensor, np.ndarray)):
        if copy is False:
            raise ArgValueError("asarray", "can't alias arbitrary sequence into a tensor.")
        result = fresh(obj, dtype)
    else:
        found = as_tensor(obj)
        if dtype not in (None, found.dtype):
            if copy is False:
                raise ArgValueError(
                    "asarray",
                    f"can't alias tensor with dtype '{found.dtype}' into dtype '{dtype}'.",
                )
            found = found.to(dtype)
        elif copy:
            found = found.clone()
        result = found if requires_grad else _untracked(found)
    return tracked(result) if requires_grad else result


def _untracked(found: Tensor) -> Tensor:
    return found.detach() if found.requires_grad else found


def scalar_tensor(
    s: Any, *, dtype: DType | None = None, device: Place = None, requires_grad: bool = False,
    layout: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A 0-d tensor with one number, of the default dtype when None is given."""
    return tensor(
        s, dtype=dtype or number_dtype("complex" if isinstance(s, complex) else "float"),
        device=device, requires_grad=requires_grad,
    )  # fmt: skip


def frombuffer(
    buffer: Any, *, dtype: DType, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A one-dimensional tensor over an object's memory, such as a bytearray's.

    Args:
        count: how many elements; all that follow when negative.
        offset: how many bytes to skip.
    Raises:
        ValueError: the memory is too short, or does not hold whole elements.
    """
    from .exchange import shared_memory

    size = memoryview(buffer).nbytes
    if offset < 0 or offset >= max(size, 1):
        raise ArgValueError(
            "frombuffer",
            f"offset must be non-negative and no greater than buffer length ({size}) , but got"
            f" {offset}",
        )
    if count < 0 and (size - offset) % dtype.itemsize:
        raise ArgValueError(
            "frombuffer",
            f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a"
            f" multiple of element size ({dtype.itemsize})",
        )
    count = (size - offset) // dtype.itemsize if count < 0 else count
    if offset + count * dtype.itemsize > size:
        raise ArgValueError(
            "frombuffer",
            f"requested buffer length ({count} * {dtype.itemsize} bytes) after offset ({offset}"
            f" bytes) must not be greater than actual buffer length ({size} bytes)",
        )
    result = shared_memory(np.frombuffer(buffer, dtype.storage, count, offset), dtype)
    return tracked(result) if requires_grad else result
