"""Tensors from data, and from nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.buffer import Buffer
from rushlight.base.device import resolve
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError, ArgValueError, MissingError, OperationError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node, known

from .tensor import Tensor, method

Place = Any
Sizes = int | Sequence[int]


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
        ValueError: nested sequences differ in length.
        TypeError: an element is no number.
    Example:
        >>> import rushlight as rl
        >>> rl.tensor([[1, 2], [3, 4]])
        tensor([[1, 2],
                [3, 4]])
    """
    resolve(device)
    if isinstance(data, Tensor):
        result = Tensor(_detached(data.node))
        result = result if dtype is None else Tensor(ops.cast(result.node, dtype))
    else:
        result = Tensor(known(Buffer.of(*_values(data, dtype))))
    return result.requires_grad_(requires_grad) if requires_grad else result


def _detached(node: Node) -> Node:
    return ops.detach(node) if node.requires_grad else node


def _values(data: Any, dtype: DType | None) -> tuple[np.ndarray, DType]:
    """An array that can be computed with, and the dtype it is stored in."""
    if isinstance(data, np.ndarray | np.generic):
        array = np.array(data)
        own = dtypes.from_numpy(array.dtype.newbyteorder("=")) if array.dtype.kind in "biufc" else None
        if own is None:
            raise _refused_array(array)
    else:
        array, own = _from_sequence(data)
    return _converted(array, dtype or own), dtype or own


def _refused_array(array: np.ndarray) -> ArgTypeError:
    return ArgTypeError(
        "tensor",
        f"can't convert np.ndarray of type {array.dtype.type}. The only supported types are:"
        " float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, and"
        " bool.".replace("type <class '", "type ").replace("'>", ""),
    )


def _from_sequence(data: Any) -> tuple[np.ndarray, DType]:
    found = _flat(data)
    if found is not None:
        shape, elements = found
    else:
        shape, elements = (), [data]
    kind = _kind(elements)
    dtype = {
        "bool": dtypes.bool_, "int": dtypes.int64, "float": default_dtype(),
        "complex": default_dtype().to_complex(),
    }[kind]  # fmt: skip
    if any(isinstance(e, np.generic) and e.dtype.kind == "f" for e in elements[:1]):
        dtype = dtypes.from_numpy(elements[0].dtype) or dtype
    wide = {"bool": bool, "int": np.int64, "float": np.float64, "complex": np.complex128}[kind]
    try:
        array = np.array(elements, dtype=wide)
    except OverflowError as error:
        raise OperationError("tensor", f"Overflow when unpacking long: {error}") from error
    return array.reshape(shape), dtype


def _flat(data: Any) -> tuple[tuple[int, ...], list[Any]] | None:
    """The shape and the elements of nested sequences; None for a single element."""
    if isinstance(data, Tensor | np.ndarray):
        data = data.tolist() if data.ndim else None
        return None if data is None else _flat(data)
    if isinstance(data, str | bytes) or not hasattr(data, "__len__") or not hasattr(
        data, "__getitem__"
    ):
        return None
    rows = [_flat(element) for element in data]
    if not any(rows):
        return (len(data),), [_number(element) for element in data]
    first = rows[0]
    if first is None:
        raise _ragged(data, rows)
    for k, row in enumerate(rows):
        if row is None or row[0] != first[0]:
            want, have = first[0][0], row[0][0] if row and row[0] else 0
            raise ArgValueError(
                "tensor", f"expected sequence of length {want} at dim 1 (got {have})",
                rule=f"Row {k} differs from row 0.",
            )
    return (len(data), *first[0]), [element for row in rows if row for element in row[1]]


def _ragged(data: Any, rows: list[Any]) -> ArgTypeError:
    return ArgTypeError("tensor", "not a sequence: a number stands beside sequences")


def _number(element: Any) -> Any:
    if isinstance(element, Tensor | np.ndarray):
        return element.item()
    return element


def _kind(elements: list[Any]) -> str:
    order = {"bool": 0, "int": 1, "float": 2, "complex": 3}
    best = "bool" if elements else "float"
    for kind in set(map(type, elements)):
        if issubclass(kind, bool | np.bool_):
            found = "bool"
        elif issubclass(kind, int | np.integer):
            found = "int"
        elif issubclass(kind, float | np.floating):
            found = "float"
        elif issubclass(kind, complex | np.complexfloating):
            found = "complex"
        else:
            if issubclass(kind, str):
                raise ArgTypeError("tensor", "new(): invalid data type 'str'")
            raise ArgTypeError(
                "tensor", f"Could not infer dtype of {kind.__name__}"
            )
        best = max(best, found, key=order.__getitem__)
    return best


def _converted(array: np.ndarray, dtype: DType) -> np.ndarray:
    """Values in the type that ``dtype`` computes in."""
    if dtype.kind == "int" and array.dtype.kind == "f":
        if array.size and not np.isfinite(array).all():
            with np.errstate(all="ignore"):
                return array.astype(np.int64).astype(dtype.numpy)
        return np.trunc(array).astype(np.int64).astype(dtype.numpy)
    with np.errstate(all="ignore"):
        return array.astype(dtype.numpy)


def as_tensor(data: Any, dtype: DType | None = None, device: Place = None) -> Tensor:
    """``data`` as a tensor, without a copy where that is possible."""
    resolve(device)
    if isinstance(data, Tensor):
        return data if dtype is None or data.dtype is dtype else data.to(dtype)  # type: ignore[attr-defined]
    if isinstance(data, np.ndarray) and data.dtype.kind in "biufc":
        from .exchange import from_numpy

        shared = from_numpy(data)
        return shared if dtype is None else as_tensor(shared, dtype)
    return tensor(data, dtype=dtype)


asarray = as_tensor


# Constants --------------------------------------------------------------------------------------


def sizes(function: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape from ``zeros(2, 3)``, ``zeros((2, 3))`` and ``zeros([2, 3])`` alike."""
    if len(given) == 1 and not isinstance(given[0], int) and hasattr(given[0], "__len__"):
        given = tuple(given[0])
    result = []
    for position, size in enumerate(given):
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise ArgTypeError(
                function,
                f"{function}(): argument 'size' must be tuple of ints, but found element of type"
                f" {type(size).__name__} at pos {position}",
            )
        size = size.__index__()
        if size < 0:
            raise OperationError(
                function,
                f"Trying to create tensor with negative dimension {size}: {list(given)}",
            )
        result.append(size)
    return tuple(result)


def made(node: Node, device: Place, requires_grad: bool, out: Tensor | None = None) -> Tensor:
    """A new tensor, or the one given as ``out=``."""
    resolve(device)
    if out is not None:
        if out.shape != node.shape:
            out.resize_(node.shape)  # type: ignore[attr-defined]
        return out._write(node)
    result = Tensor(node)
    return result.requires_grad_() if requires_grad else result


def _constant(name: str, value: int, doc: str) -> Any:
    def function(
        *size: Any,
        out: Tensor | None = None,
        dtype: DType | None = None,
        layout: Any = None,
        device: Place = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
        names: Any = None,
        **named: Any,
    ) -> Tensor:
        if "size" in named:
            size = (named.pop("size"),)
        if named:
            raise ArgTypeError(name, f"{name}() got an unexpected keyword argument {next(iter(named))!r}")
        node = ops.full(sizes(name, size), value, dtype or default_dtype())
        return made(node, device, requires_grad, out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


zeros = _constant("zeros", 0, "A tensor of zeros of the given sizes.")
ones = _constant("ones", 1, "A tensor of ones of the given sizes.")
empty = _constant(
    "empty", 0, "A tensor of the given sizes. Its values mean nothing; here they are zeros."
)


def full(
    size: Sizes,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of one number; its dtype follows the number's type when None."""
    if isinstance(fill_value, Tensor):
        dtype, fill_value = dtype or fill_value.dtype, fill_value.item()
    if dtype is None:
        kind = dtypes.of_number(fill_value)
        dtype = {
            "bool": dtypes.bool_, "int": dtypes.int64, "float": default_dtype(),
            "complex": default_dtype().to_complex(),
        }[kind]  # fmt: skip
    shape = sizes("full", (size,))
    return made(ops.full(shape, fill_value, dtype), device, requires_grad, out)


def _like(name: str, value: int | None, doc: str) -> Any:
    def function(
        input: Tensor,
        *fill: Any,
        dtype: DType | None = None,
        layout: Any = None,
        device: Place = None,
        requires_grad: bool = False,
        memory_format: Any = None,
        pin_memory: bool = False,
        **named: Any,
    ) -> Tensor:
        number = value if value is not None else (fill[0] if fill else named["fill_value"])
        if isinstance(number, Tensor):
            number = number.item()
        node = ops.full(input._node.shape, number, dtype or input.dtype)
        return made(node, device, requires_grad)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


zeros_like = _like("zeros_like", 0, "Zeros of the size and dtype of ``input``.")
ones_like = _like("ones_like", 1, "Ones of the size and dtype of ``input``.")
empty_like = _like("empty_like", 0, "A tensor of the size and dtype of ``input``.")
full_like = _like("full_like", None, "``fill_value`` in the size and dtype of ``input``.")


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``start``, ``start + step``, ... below ``end``; with one argument from 0.

    Raises:
        RuntimeError: ``step`` is 0, or leads away from ``end``.
    """
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise OperationError("arange", "step must be nonzero")
    if (end - start) * step < 0:
        raise OperationError(
            "arange", "upper bound and lower bound inconsistent with step sign"
        )
    if dtype is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        dtype = dtypes.int64 if whole else default_dtype()
    if all(isinstance(v, int) for v in (start, end, step)):
        length = max(0, -((start - end) // step))
    else:
        length = max(0, math.ceil((end - start) / step))
    return made(ops.arange(start, step, length, dtype), device, requires_grad, out)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, evenly spaced."""
    return made(_spaced(start, end, steps, dtype or default_dtype()), device, requires_grad, out)


def _spaced(start: Any, end: Any, steps: int, dtype: DType) -> Node:
    start, end = (v.item() if isinstance(v, Tensor) else v for v in (start, end))
    if steps < 0:
        raise OperationError("linspace", "number of steps must be non-negative")
    if isinstance(start, complex) or isinstance(end, complex):
        raise MissingError("linspace", "complex bounds are not there yet")
    if steps <= 1:
        return ops.full((steps,), start, dtype)
    # From both ends, so that each is exact and the middle symmetric.
    step = (end - start) / (steps - 1)
    places = ops.arange(0.0, 1.0, steps, dtypes.float64)
    low = places * step + start
    high = (places - (steps - 1)) * step + end
    return ops.cast(ops.where(places < steps // 2, low, high), dtype)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """``base`` to the power of ``steps`` evenly spaced numbers from ``start`` to ``end``."""
    exponents = _spaced(start, end, steps, dtypes.float64)
    powers = ops.cast(ops.pow(float(base), exponents), dtype or default_dtype())
    return made(powers, device, requires_grad, out)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Ones on the diagonal of ``n`` rows and ``m`` columns (``n`` when None)."""
    rows, columns = sizes("eye", (n, n if m is None else m))
    return made(ops.eye(rows, columns, dtype or default_dtype()), device, requires_grad, out)


# On a tensor: the same dtype ---------------------------------------------------------------------


def _new(name: str) -> None:
    function = globals()[name]

    def method_(self: Tensor, *size: Any, dtype: DType | None = None, **options: Any) -> Tensor:
        return function(*size, dtype=dtype or self.dtype, **options)  # type: ignore[no-any-return]

    method_.__name__ = f"new_{name}"
    method_.__doc__ = f"As :func:`{name}`, with this tensor's dtype."
    method(method_)


for _name in ("zeros", "ones", "empty", "full", "tensor"):
    _new(_name)
