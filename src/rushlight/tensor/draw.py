"""Recorded draws: what a distribution's parameters must be, and the nodes that draw from it."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, DType, float16, float32, float64, int64
from rushlight.base.errors import ArgTypeError, ArgValueError, NoKernelError, OperationError
from rushlight.base.shapes import Shape, broadcast
from rushlight.graph.node import Node, number

from .generator import Generator, chosen
from .tensor import Tensor

# What PyTorch's messages call the types.
_C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int",
    "int32": "int", "int64": "long", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
    "float32": "float", "float64": "double",
}  # fmt: skip


def refused(function: str, kernel: str, dtype: DType) -> NoKernelError:
    """The fault of a draw in a dtype that does not have it."""
    return NoKernelError(function, f'"{kernel}" not implemented for {ops.TORCH_NAMES[dtype.name]}')


# Numbers that users give ------------------------------------------------------------------------


def real(value: Any, function: str, name: str, position: int) -> float:
    """A parameter as a Python float; a tensor of one number will do.

    Raises:
        TypeError: it is no real number.
    """
    if isinstance(value, Tensor) and value.ndim == 0 and not value.dtype.is_complex:
        return float(value.item())
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value)
    raise ArgTypeError(
        function,
        f"{function}(): argument '{name}' (position {position}) must be float,"
        f" not {type(value).__name__}",
    )


def whole(value: Any, function: str, name: str, position: int) -> int:
    """A bound of whole numbers as a Python int; a tensor of one will do.

    Raises:
        TypeError: it is no whole number.
        ValueError: it does not fit in 64 bits.
    """
    if isinstance(value, Tensor) and value.ndim == 0 and value.dtype.kind == "int":
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgTypeError(
            function,
            f"{function}(): argument '{name}' (position {position}) must be int,"
            f" not {type(value).__name__}",
        )
    if not -(2**63) <= value < 2**63:
        raise ArgValueError(function, "Overflow when unpacking long long")
    return int(value)


# Draws ------------------------------------------------------------------------------------------


def uniform(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, low: float, high: float
) -> Node:
    """Uniform numbers in [low, high).

    Raises:
        RuntimeError: the range is empty, or its bounds or its length are not finite in ``dtype``.
    """
    if dtype.kind not in ("float", "complex"):
        raise refused(function, "check_uniform_bounds", dtype)
    kind = dtype.to_real()
    limit = _largest(kind)
    for name, bound in (("from", low), ("to", high)):
        if not -limit <= bound <= limit:  # NaN is neither
            raise OperationError(
                function, f"{name} is out of bounds for {_C_NAMES[kind.name]}",
                rule=f"{name} is {bound:g}; the largest number is {limit:g}.",
            )  # fmt: skip
    if low > high:
        raise OperationError(
            function,
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}",
        )
    if high - low > limit:
        name = ops.TORCH_NAMES[kind.name].strip("'")
        raise OperationError(
            function,
            f"uniform_ expects to-from <= std::numeric_limits<{name}>::max(), but found to={high:g}"
            f" and from={low:g} which result in to-from to exceed the limit",
        )
    op = ops.random_uniform
    stream = chosen(generator, function).take(op.blocks(shape, dtype))
    return op.record((*stream, number(low, kind), number(high, kind)), shape, dtype)


def _largest(dtype: DType) -> float:
    if dtype.is_half:
        return 65504.0 if dtype is float16 else float.fromhex("0x1.fep127")
    return float(np.finfo(dtype.numpy).max)


def normal(
    function: str,
    shape: Shape | None,
    dtype: DType,
    generator: Generator | None,
    mean: Any,
    std: Any,
) -> Node:
    """Normal numbers; mean and standard deviation may be nodes, which broadcast.

    Raises:
        RuntimeError: a standard deviation is negative.
    """
    if dtype.kind not in ("float", "complex"):
        raise refused(function, "normal_kernel_cpu", dtype)
    if not isinstance(std, Node) and not std >= 0:
        raise OperationError(function, f"normal expects std >= 0.0, but found std {std:g}")
    given = [x for x in (mean, std) if isinstance(x, Node)]
    if shape is None:
        shape = broadcast(function, *(x.shape for x in given))
    op, kind = ops.random_normal, dtype.to_real()
    stream = chosen(generator, function).take(op.blocks(shape, dtype))
    parameters = [x if isinstance(x, Node) else number(float(x), kind) for x in (mean, std)]
    return op.record((*stream, *parameters), shape, dtype)


def exponential(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, rate: float
) -> Node:
    """Waiting times of events that come at a rate.

    Raises:
        RuntimeError: the rate is not positive, or the dtype is not floating point.
    """
    if not dtype.is_floating_point:
        name = ops.TORCH_NAMES[dtype.name].strip("'")
        raise OperationError(
            function,
            "Exponential distribution is a continuous probability distribution. dtype must be a"
            f" floating point but you specified {name}",
        )
    if not rate > 0:
        raise OperationError(
            function, f"exponential_ expects lambda > 0.0, but found lambda={rate:g}"
        )
    op = ops.random_exponential
    stream = chosen(generator, function).take(op.blocks(shape, dtype))
    return op.record((*stream, number(rate)), shape, dtype)


def cauchy(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, median: float,
    sigma: float,
) -> Node:  # fmt: skip
    """Where lines of random direction through a point ``sigma`` away meet an axis.

    Raises:
        RuntimeError: ``sigma`` is not positive, or the dtype is not floating point.
    """
    if not dtype.is_floating_point:
        raise OperationError(
            function,
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating"
            f" point but you specified {_C_NAMES.get(dtype.name, dtype.name)}",
        )
    if not sigma > 0:
        raise OperationError(function, f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    turns = uniform(function, shape, _wide(dtype), generator, -0.5, 0.5)
    return ops.tan(turns * math.pi) * sigma + median


def log_normal(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, mean: float, std: float
) -> Node:
    """Numbers whose logarithms are normal.

    Raises:
        RuntimeError: ``std`` is not positive, or the dtype is not floating point.
    """
    if not dtype.is_floating_point:
        raise refused(function, "log_normal_cpu", dtype)
    if not std > 0:
        raise OperationError(function, f"log_normal_ expects std > 0.0, but found std={std:g}")
    return ops.exp(normal(function, shape, _wide(dtype), generator, mean, std))


def geometric(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, p: float
) -> Node:
    """How many trials there are up to the first that succeeds, each with probability ``p``.

    Raises:
        RuntimeError: ``p`` is not between 0 and 1, or the dtype is bool or complex.
    """
    if dtype.kind not in ("int", "float"):
        raise refused(function, "geometric_cpu", dtype)
    if not 0 < p < 1:
        raise OperationError(function, f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    numbers = uniform(function, shape, float64, generator, 0.0, 1.0)
    trials = ops.ceil(ops.log1p(-numbers) / math.log1p(-p))
    return ops.cast(ops.clamp_min(trials, 1), dtype)


def _wide(dtype: DType) -> DType:
    """The type that numbers are computed in."""
    return float64 if dtype is float64 else float32


def bernoulli(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, p: Any
) -> Node:
    """1 with probability ``p``, a number or a node that broadcasts to ``shape``, else 0.

    Raises:
        RuntimeError: a probability is outside of [0, 1].
    """
    if dtype.is_complex:
        raise refused(function, "bernoulli_scalar_cpu_", dtype)
    if isinstance(p, Node):
        if p.dtype not in FLOATS:
            raise refused(function, "bernoulli_tensor_cpu_p_", p.dtype)
    elif not 0 <= p <= 1:
        raise OperationError(function, f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    op = ops.random_bernoulli
    stream = chosen(generator, function).take(op.blocks(shape))
    chance = p if isinstance(p, Node) else number(p)
    return op.record((chance, *stream), shape, dtype)


def integers(
    function: str, shape: Shape, dtype: DType, generator: Generator | None, low: int, high: int
) -> Node:
    """Whole numbers from ``low`` up to, not including, ``high``, which may be 2^63.

    Raises:
        RuntimeError: the range is empty, or the dtype does not hold it.
    """
    if dtype.is_complex:
        raise OperationError(
            function, "check_random_bounds handles only integral, floating-point and boolean types"
        )
    if low >= high:
        raise OperationError(
            function,
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}",
        )
    _check_held(function, "from", low, dtype)
    _check_held(function, "to - 1", high - 1, dtype)
    op = ops.random_integer
    stream = chosen(generator, function).take(op.blocks(shape, dtype))
    return op.record((*stream, number(low, int64), number(high, int64)), shape, dtype)


def last_whole(dtype: DType) -> int:
    """The end of the range of whole numbers that ``dtype`` holds without a gap."""
    if dtype.is_floating_point:
        return 2 ** ops.DIGITS[dtype]
    return 1 if dtype.kind == "bool" else int(np.iinfo(dtype.numpy).max)


def _check_held(function: str, name: str, bound: int, dtype: DType) -> None:
    last, kind = last_whole(dtype), _C_NAMES[dtype.name]
    if dtype.is_floating_point:
        if not -_largest(dtype) <= bound <= _largest(dtype):
            raise OperationError(function, f"{name} is out of bounds for {kind}")
        if not -last <= bound <= last:
            power = f"2^{ops.DIGITS[dtype]}"
            warnings.warn(
                f"{name} is out of bounds [-({power}), {power}]. Due to precision limitations"
                f" {kind} can support discrete uniform distribution only within this range.",
                stacklevel=4,
            )
        return
    first = -last - 1 if dtype.is_signed and dtype.kind == "int" else 0
    if not first <= bound <= last:
        raise OperationError(
            function, f"{name} is out of bounds for {kind}",
            rule=f"{dtype} holds {first} to {last}, not {bound}.",
        )  # fmt: skip
