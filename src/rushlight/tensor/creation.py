"""Tensors from nothing: constants, ranges, identity matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.device import resolve
from rushlight.base.dtypes import DType, of_number
from rushlight.base.errors import ArgTypeError, MissingError, OperationError, ShapeError
from rushlight.base.promotion import default_dtype, number_dtype
from rushlight.graph.node import Node
from rushlight.ops.scalar import filling

from .data import Place, as_dtype, tensor, tracked
from .tensor import Tensor, method
from .unset import unset

Sizes = int | Sequence[int]
_NUMBERS = (bool, int, float, complex)


def sizes(function: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape from ``zeros(2, 3)``, ``zeros((2, 3))`` and ``zeros([2, 3])`` alike.

    Raises:
        TypeError: a size is no integer.
        RuntimeError: a size is negative.
    """
    spread = not (len(given) == 1 and isinstance(given[0], (tuple, list)))
    listed = given if spread else tuple(given[0])
    result = []
    for position, size in enumerate(listed):
        if type(size) is not int:
            if isinstance(size, bool) or not hasattr(size, "__index__"):
                raise _wrong_size(function, size, position, spread)
            size = size.__index__()
        if size < 0:
            raise ShapeError(
                function,
                "zeros: Dimension size must be non-negative."
                if function == "zeros"
                else f"Trying to create tensor with negative dimension {size}: {list(listed)}",
                rule=f"The sizes are {list(listed)}.",
            )
        result.append(size)
    return tuple(result)


def _wrong_size(function: str, size: Any, position: int, spread: bool) -> ArgTypeError:
    kind = type(size).__name__
    if not spread:
        problem = f"(position 1) must be tuple of ints, but found element of type {kind} at pos"
        return ArgTypeError(function, f"{function}(): argument 'size' {problem} {position}")
    if position:
        return ArgTypeError(
            function,
            f"{function}(): argument 'size' failed to unpack the object at pos {position + 1} with"
            f' error "type must be tuple of ints,but got {kind}"',
        )
    return ArgTypeError(
        function, f"{function}(): argument 'size' (position 1) must be tuple of ints, not {kind}"
    )


def made(node: Node, device: Place, requires_grad: bool, out: Tensor | None = None) -> Tensor:
    """A new tensor, or the one given as ``out=``."""
    resolve(device)
    if out is not None:
        from .arguments import fit

        fit(out, node.shape)
        return out._write(node)
    result = Tensor(node)
    return tracked(result) if requires_grad else result


def _constant(name: str, value: int | None, doc: str) -> Any:
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
        elif not size:
            raise ArgTypeError(name, f'{name}() missing 1 required positional arguments: "size"')
        if named:
            unknown = next(iter(named))
            raise ArgTypeError(name, f"{name}() got an unexpected keyword argument {unknown!r}")
        kind = as_dtype(name, dtype) or (out.dtype if out is not None else default_dtype())
        number = unset(kind) if value is None else value
        return made(ops.full(sizes(name, size), number, kind), device, requires_grad, out)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


zeros = _constant("zeros", 0, "A tensor of zeros of the given sizes.")
ones = _constant("ones", 1, "A tensor of ones of the given sizes.")
empty = _constant(
    "empty", None, "A tensor of the given sizes. Its values mean nothing; here they are zeros."
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
    """A tensor of one number; its dtype follows the number's type when None.

    Raises:
        TypeError: ``size`` is no sequence, or ``fill_value`` no number.
        RuntimeError: the number does not fit the dtype.
    """
    if isinstance(size, int):
        raise ArgTypeError(
            "full", "full(): argument 'size' (position 1) must be tuple of ints, not int"
        )
    dtype = as_dtype("full", dtype)
    value, dtype = _fill("full", fill_value, dtype)
    node = ops.full.record((filling("full", value, dtype),), sizes("full", (tuple(size),)))
    return made(node, device, requires_grad, out)


def _fill(function: str, value: Any, dtype: DType | None) -> tuple[Any, DType]:
    """A number to fill with, and the dtype to do it in."""
    if isinstance(value, Tensor):
        return value.item(), dtype or value.dtype
    if hasattr(value, "item") and not isinstance(value, _NUMBERS):
        value = value.item()
    if not isinstance(value, _NUMBERS):
        raise ArgTypeError(
            function,
            f"{function}(): argument 'fill_value' (position 2) must be Number,"
            f" not {type(value).__name__}",
        )
    return value, dtype or number_dtype(of_number(value))


def _like(name: str, value: int | None, doc: str) -> Any:
    def function(
        input: Tensor,
        *,
        dtype: DType | None = None,
        layout: Any = None,
        device: Place = None,
        requires_grad: bool = False,
        memory_format: Any = None,
        pin_memory: bool = False,
    ) -> Tensor:
        model = _model(name, input)
        kind = as_dtype(name, dtype) or model.dtype
        number = unset(kind) if value is None else value
        return made(ops.full(model._node.shape, number, kind), device, requires_grad)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


def _model(function: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        raise ArgTypeError(
            function,
            f"{function}(): argument 'input' (position 1) must be Tensor,"
            f" not {type(input).__name__}",
        )
    return input


zeros_like = _like("zeros_like", 0, "Zeros of the size and dtype of ``input``.")
ones_like = _like("ones_like", 1, "Ones of the size and dtype of ``input``.")
empty_like = _like("empty_like", None, "A tensor of the size and dtype of ``input``.")


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """``fill_value`` in the size and dtype of ``input``."""
    model = _model("full_like", input)
    return full(
        model.shape, fill_value, dtype=dtype or model.dtype, device=device,
        requires_grad=requires_grad,
    )  # fmt: skip


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Place = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of the given sizes and strides. Its values mean nothing; here they are zeros."""
    from rushlight.ops.strided import extent

    memory = empty(extent(tuple(size), tuple(stride)), dtype=dtype, device=device)
    result: Tensor = memory.as_strided(size, stride)
    return tracked(result) if requires_grad else result


# Ranges -----------------------------------------------------------------------------------------


def arange(
    start: Any = 0,
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
        RuntimeError: ``step`` is 0 or leads away from ``end``, or a bound is not finite.
    """
    if end is None:
        start, end = 0, start
    dtype = as_dtype("arange", dtype)
    start, end, step = (
        _bound("arange", name, value)
        for name, value in (("start", start), ("end", end), ("step", step))
    )
    if dtype is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        dtype = dtypes.int64 if whole else default_dtype()
    if dtype.kind in ("bool", "complex"):
        name = ops.TORCH_NAMES[dtype.name]
        raise MissingError("arange", f'"arange_cpu" not implemented for {name}')
    if dtype.kind == "int" and all(map(math.isfinite, (start, end, step))):
        start, end, step = int(start), int(end), int(step)
    return made(
        ops.arange(start, step, _steps(start, end, step), dtype), device, requires_grad, out
    )


def _bound(function: str, name: str, value: Any) -> Any:
    """A number from a number or a tensor with one."""
    if isinstance(value, Tensor) or (hasattr(value, "item") and not isinstance(value, _NUMBERS)):
        value = value.item()
    if not isinstance(value, _NUMBERS):
        raise ArgTypeError(
            function,
            f"{function}(): argument '{name}' (position 1) must be Number,"
            f" not {type(value).__name__}",
        )
    if isinstance(value, complex):
        raise OperationError(function, "value cannot be converted to type double without overflow")
    return value


def _steps(start: Any, end: Any, step: Any) -> int:
    """How many steps lie between two bounds."""
    if step == 0:
        raise OperationError("arange", "step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise OperationError("arange", f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise OperationError("arange", "upper bound and lower bound inconsistent with step sign")
    if all(isinstance(v, int) for v in (start, end, step)):
        return max(0, -((start - end) // step))
    return max(0, math.ceil((end - start) / step))


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
    dtype = as_dtype("linspace", dtype) or default_dtype()
    node = _spaced("linspace", start, end, steps, dtype)
    return made(ops.cast(node, dtype), device, requires_grad, out)


def _spaced(function: str, start: Any, end: Any, steps: int, dtype: DType) -> Node:
    start, end = _bound(function, "start", start), _bound(function, "end", end)
    if dtype.kind == "int" and steps > 1:  # as bounds, too, are of the result's type
        start, end = int(start), int(end)
    if isinstance(steps, bool) or not isinstance(steps, int):
        raise ArgTypeError(
            function,
            f"{function}() received an invalid combination of arguments - got"
            f" (steps={type(steps).__name__})",
        )
    if steps < 0:
        raise OperationError(function, "number of steps must be non-negative")
    if steps <= 1:
        return ops.full((steps,), start, dtypes.float64)
    # From both ends, so that each is exact and the middle symmetric.
    step = (end - start) / (steps - 1)
    places = ops.arange(0.0, 1.0, steps, dtypes.float64)
    low = places * step + start
    high = (places - (steps - 1)) * step + end
    return ops.where(places < steps // 2, low, high)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """``base`` to the power of ``steps`` evenly spaced numbers from ``start`` to ``end``."""
    dtype = as_dtype("logspace", dtype) or default_dtype()
    powers = ops.pow(float(base), _spaced("logspace", start, end, steps, dtype))
    return made(ops.cast(powers, dtype), device, requires_grad, out)


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
    for position, (name, size) in enumerate((("n", n), ("m", n if m is None else m)), 1):
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise ArgTypeError(
                "eye",
                f"eye(): argument '{name}' (position {position}) must be int,"
                f" not {type(size).__name__}",
            )
        if size < 0:
            raise OperationError("eye", f"{name} must be greater or equal to 0, got {size}")
    rows, columns = sizes("eye", (n, n if m is None else m))
    dtype = as_dtype("eye", dtype) or default_dtype()
    return made(ops.eye(rows, columns, dtype), device, requires_grad, out)


# On a tensor: the same dtype --------------------------------------------------------------------


def _new(name: str, function: Any) -> None:
    def method_(self: Tensor, *size: Any, dtype: DType | None = None, **options: Any) -> Tensor:
        return function(*size, dtype=dtype or self.dtype, **options)

    method_.__name__ = f"new_{name}"
    method_.__doc__ = f"As :func:`{name}`, with this tensor's dtype."
    method(method_)


for _name, _function in {
    "zeros": zeros, "ones": ones, "empty": empty, "full": full, "tensor": tensor,
    "empty_strided": empty_strided,
}.items():  # fmt: skip
    _new(_name, _function)
