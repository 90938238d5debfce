"""Making arrays."""

from __future__ import annotations

from typing import Any

import rushlight as rl

Array = rl.Tensor
DType = rl.dtype


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: DType | None = None,
    device: Any = None,
) -> Array:  # fmt: skip
    """Numbers at equal steps, ``stop`` not among them; empty if there are none on the way."""
    if dtype is None and any(isinstance(each, float) for each in (start, stop, step)):
        dtype = rl.get_default_dtype()
    first, last = (0, start) if stop is None else (start, stop)
    if (last - first) * step < 0:
        last = first
    return rl.arange(first, last, step, dtype=dtype, device=device)


def asarray(
    obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None
) -> Array:
    """An array of what is given: an array, nested sequences, or what shares memory."""
    return rl.asarray(obj, dtype=dtype, device=device, copy=copy)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
    """An array on memory that another library owns."""
    found = rl.from_dlpack(x)
    return found.to(device=device or found.device, copy=bool(copy))


def empty(shape: Any, *, dtype: DType | None = None, device: Any = None) -> Array:
    """Any numbers."""
    return rl.empty(shape, dtype=dtype, device=device)


def zeros(shape: Any, *, dtype: DType | None = None, device: Any = None) -> Array:
    """Zeros."""
    return rl.zeros(shape, dtype=dtype, device=device)


def ones(shape: Any, *, dtype: DType | None = None, device: Any = None) -> Array:
    """Ones."""
    return rl.ones(shape, dtype=dtype, device=device)


def full(
    shape: Any, fill_value: complex, *, dtype: DType | None = None, device: Any = None
) -> Array:
    """One number at every place."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    return rl.full(sizes, fill_value, dtype=dtype, device=device)


def empty_like(x: Array, /, *, dtype: DType | None = None, device: Any = None) -> Array:
    """Any numbers, in the shape of another array."""
    return rl.empty_like(x, dtype=dtype, device=device)


def zeros_like(x: Array, /, *, dtype: DType | None = None, device: Any = None) -> Array:
    """Zeros in the shape of another array."""
    return rl.zeros_like(x, dtype=dtype, device=device)


def ones_like(x: Array, /, *, dtype: DType | None = None, device: Any = None) -> Array:
    """Ones in the shape of another array."""
    return rl.ones_like(x, dtype=dtype, device=device)


def full_like(
    x: Array, /, fill_value: complex, *, dtype: DType | None = None, device: Any = None
) -> Array:
    """One number at every place of another array's shape."""
    return rl.full_like(x, fill_value, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None,
    device: Any = None,
) -> Array:  # fmt: skip
    """Ones on diagonal ``k``, zeros elsewhere."""
    columns = n_rows if n_cols is None else n_cols
    places = rl.arange(columns, device=device) - rl.arange(n_rows, device=device)[:, None]
    return (places == k).to(dtype or rl.get_default_dtype())


def linspace(
    start: complex, stop: complex, /, num: int, *, dtype: DType | None = None, device: Any = None,
    endpoint: bool = True,
) -> Array:  # fmt: skip
    """``num`` numbers at equal distances from ``start`` to ``stop``, that one included or not."""
    if endpoint:
        return rl.linspace(start, stop, num, dtype=dtype, device=device)  # type: ignore[arg-type]
    return rl.linspace(start, stop, num + 1, dtype=dtype, device=device)[:-1]  # type: ignore[arg-type]


def meshgrid(*arrays: Array, indexing: str = "xy") -> list[Array]:
    """The coordinates of a grid's points, an array for each direction."""
    return list(rl.meshgrid(*arrays, indexing=indexing))


def tril(x: Array, /, *, k: int = 0) -> Array:
    """What is above diagonal ``k`` becomes zero."""
    return rl.tril(x, k)


def triu(x: Array, /, *, k: int = 0) -> Array:
    """What is below diagonal ``k`` becomes zero."""
    return rl.triu(x, k)


__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip
