"""Random tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType, int64
from rushlight.base.errors import ArgTypeError, ArgValueError, OperationError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node, number

from . import draw, fill  # noqa: F401 - fill gives Tensor its methods that draw
from .arguments import unwrapped
from .creation import Place, made, sizes
from .draw import real, whole
from .generator import (  # noqa: F401 - what a user finds beside the draws
    Generator,
    chosen,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from .tensor import Tensor, method


def _dtype(function: str, dtype: DType | None, out: Tensor | None, default: DType) -> DType:
    """The dtype of a draw, which that of ``out`` decides when there is one."""
    if out is None or dtype is out.dtype:
        return dtype or default
    if dtype is None:
        return out.dtype
    wanted, there = (ops.TORCH_NAMES[d.name].strip("'") for d in (dtype, out.dtype))
    raise OperationError(
        function, f"dtype {wanted} does not match dtype of out parameter ({there})"
    )


def _size(function: str, size: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, ...]:
    """The sizes given one by one, as a sequence, or by the name ``size``."""
    if "size" in named and not size:
        size = (named.pop("size"),)
    if named:
        name = next(iter(named))
        raise ArgTypeError(function, f"{function}() got an unexpected keyword argument '{name}'")
    if not size:
        raise ArgTypeError(
            function, f"{function}() received an invalid combination of arguments - got ()"
        )
    return sizes(function, size)


def rand(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1) of the given sizes.

    Raises:
        NotImplementedError: the dtype is not floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.rand(2, 3).shape
        torch.Size([2, 3])
    """
    dtype = _dtype("rand", dtype, out, default_dtype())
    node = draw.uniform("rand", _size("rand", size, named), dtype, generator, 0.0, 1.0)
    return made(node, device, requires_grad, out)


def randn(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Tensor:  # fmt: skip
    """Normal numbers with mean 0 and variance 1 of the given sizes.

    Raises:
        NotImplementedError: the dtype is not floating point.
    """
    dtype = _dtype("randn", dtype, out, default_dtype())
    node = draw.normal("randn", _size("randn", size, named), dtype, generator, 0.0, 1.0)
    return made(node, device, requires_grad, out)


def rand_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType | None = None,
    layout: Any = None, device: Place = None, requires_grad: bool = False,
    pin_memory: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1) of the size and, unless given, the dtype of ``input``."""
    x = unwrapped(input, "rand_like", "input", 1)
    node = draw.uniform("rand_like", x.shape, dtype or x.dtype, generator, 0.0, 1.0)
    return made(node, device, requires_grad)


def randn_like(
    input: Tensor, *, generator: Generator | None = None, dtype: DType | None = None,
    layout: Any = None, device: Place = None, requires_grad: bool = False,
    pin_memory: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Normal numbers of the size and, unless given, the dtype of ``input``."""
    x = unwrapped(input, "randn_like", "input", 1)
    node = draw.normal("randn_like", x.shape, dtype or x.dtype, generator, 0.0, 1.0)
    return made(node, device, requires_grad)


def randint(
    low: Any = 0, high: Any = None, size: Any = None, *,
    generator: Generator | None = None, out: Tensor | None = None, dtype: DType | None = None,
    layout: Any = None, device: Place = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers from ``low`` (0 when one bound is given) up to, not including, ``high``.

    Called as ``randint(high, size)`` or ``randint(low, high, size)``.

    Raises:
        RuntimeError: the range is empty, or the dtype does not hold it.
    Example:
        >>> import rushlight as rl
        >>> bool((rl.randint(3, (100,)) < 3).all())
        True
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if not isinstance(size, Sequence):
        raise ArgTypeError(
            "randint",
            "randint(): argument 'size' (position 2) must be tuple of ints, not"
            f" {type(size).__name__}",
        )
    return _integers("randint", low, high, sizes("randint", (size,)), generator, out,
                     _dtype("randint", dtype, out, int64), device, requires_grad)  # fmt: skip


def randint_like(
    input: Tensor, low: Any = 0, high: Any = None, *, generator: Generator | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Whole numbers of the size and, unless given, the dtype of ``input``."""
    x = unwrapped(input, "randint_like", "input", 1)
    low, high = (0, low) if high is None else (low, high)
    return _integers("randint_like", low, high, x.shape, generator, None, dtype or x.dtype,
                     device, requires_grad)  # fmt: skip


def _integers(
    function: str, low: Any, high: Any, shape: tuple[int, ...], generator: Generator | None,
    out: Tensor | None, dtype: DType, device: Place, requires_grad: bool,
) -> Tensor:  # fmt: skip
    bounds = whole(low, function, "low", 1), whole(high, function, "high", 1 + (low != 0))
    node = draw.integers(function, shape, dtype, generator, *bounds)
    return made(node, device, requires_grad, out)


def randperm(
    n: int, *, generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The whole numbers below ``n`` in a random order.

    Raises:
        RuntimeError: ``n`` is negative, or the dtype does not hold all the numbers.
    Example:
        >>> import rushlight as rl
        >>> rl.randperm(5).sort().values
        tensor([0, 1, 2, 3, 4])
    """
    n = whole(n, "randperm", "n", 1)
    dtype = _dtype("randperm", dtype, out, int64)
    _check_permutation(n, dtype)
    op = ops.random_permutation
    node = op.record(chosen(generator, "randperm").take(op.blocks((n,), int64)), (n,), int64)
    return made(ops.cast(node, dtype), device, requires_grad, out)


def order(n: int, generator: Generator | None) -> Any:
    """The array of ``randperm(n)``, at once: for what goes through the numbers in Python."""
    op = ops.random_permutation
    place = chosen(generator, "randperm").take(op.blocks((n,), int64))
    return op.ref(*(node.buffer for node in place), shape=(n,), dtype=int64)


def _check_permutation(n: int, dtype: DType) -> None:
    if n < 0:
        raise OperationError(
            "randperm", f"Trying to create tensor with negative dimension {n}: [{n}]"
        )
    if dtype.kind not in ("int", "float"):
        raise draw.refused("randperm", "randperm", dtype)
    last = draw.last_whole(dtype)
    if n - 1 <= last:
        return
    if dtype.is_floating_point:
        name = ops.TORCH_NAMES[dtype.name].strip("'")
        raise OperationError("randperm", f"n cannot be greater than {last + 1} for {name} type.")
    problem = f"value cannot be converted to type {dtype.name}_t without overflow"
    raise OperationError("randperm", problem, rule=f"{dtype} holds no more than {last}.")


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *,
    generator: Generator | None = None, out: Tensor | None = None, dtype: DType | None = None,
    layout: Any = None, device: Place = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers; mean and standard deviation may be tensors, which broadcast.

    Numbers for both need a ``size``.

    Raises:
        RuntimeError: a standard deviation is negative; one in a tensor is seen when computed.
    Example:
        >>> import rushlight as rl
        >>> rl.normal(rl.tensor([1.0, 2.0]), 0.0)
        tensor([1., 2.])
    """
    given = [x.node for x in (mean, std) if isinstance(x, Tensor)]
    if bool(given) == isinstance(size, Sequence):
        kinds = ", ".join(type(x).__name__ for x in (mean, std, size) if x is not None)
        raise ArgTypeError(
            "normal",
            f"normal() received an invalid combination of arguments - got ({kinds})",
            rule="Two numbers come with a size; a tensor brings its own.",
        )
    for x in given:
        if x.dtype.kind not in ("float", "complex"):
            raise draw.refused("normal", "normal_kernel_cpu", x.dtype)
    kind = given[0].dtype if given else _dtype("normal", dtype, out, default_dtype())
    shape = None if given else sizes("normal", (size,))
    parameters = _parameter(mean, "mean", 1), _parameter(std, "std", 2)
    return made(
        draw.normal("normal", shape, kind, generator, *parameters), device, requires_grad, out
    )


def _parameter(value: Any, name: str, position: int) -> Node | float:
    return value.node if isinstance(value, Tensor) else real(value, "normal", name, position)


@method
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """1 with the probability that ``input`` holds at each place (or ``p``), else 0.

    Raises:
        RuntimeError: a probability is outside of [0, 1]; one in a tensor is seen when computed.
        NotImplementedError: ``input`` holds no floating point probabilities.
    Example:
        >>> import rushlight as rl
        >>> rl.bernoulli(rl.tensor([0.0, 1.0]))
        tensor([0., 1.])
    """
    x = unwrapped(input, "bernoulli", "input", 1)
    chance = x if p is None else real(p, "bernoulli", "p", 2)
    dtype = x.dtype if out is None else out.dtype
    return made(draw.bernoulli("bernoulli", x.shape, dtype, generator, chance), None, False, out)


@method
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *,
    generator: Generator | None = None, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Places drawn in proportion to the weights in each row of ``input``.

    Shape:
        input (C) or (N, C), floating; output (num_samples) or (N, num_samples), int64.
    Raises:
        RuntimeError: fewer places than samples without replacement; weights that are negative, not
            finite or all zero, which is seen when computed.
    Example:
        >>> import rushlight as rl
        >>> rl.multinomial(rl.tensor([0.0, 1.0, 0.0]), 3, replacement=True)
        tensor([1, 1, 1])
    """
    x = unwrapped(input, "multinomial", "input", 1)
    num_samples = whole(num_samples, "multinomial", "num_samples", 2)
    _check_multinomial(x, num_samples, replacement, out)
    op = ops.multinomial
    stream = chosen(generator, "multinomial").take(op.blocks(x.shape, num_samples, replacement))
    return made(op.record((x, *stream), num_samples, bool(replacement)), None, False, out)


def _check_multinomial(x: Node, num_samples: int, replacement: bool, out: Tensor | None) -> None:
    problem = ""
    if out is not None and out.dtype is not int64:
        name = ops.TORCH_NAMES[out.dtype.name].strip("'")
        problem = f"multinomial expects Long tensor out, got: {name}"
    elif x.ndim not in (1, 2):
        problem = "prob_dist must be 1 or 2 dim"
    elif not x.dtype.is_floating_point:
        name = ops.TORCH_NAMES[x.dtype.name].strip("'")
        problem = f"multinomial only supports floating-point dtypes for input, got: {name}"
    elif num_samples <= 0:
        problem = "cannot sample n_sample <= 0 samples"
    elif not replacement and num_samples > x.shape[-1]:
        problem = "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
    if problem:
        raise OperationError("multinomial", problem)
    if isinstance(x.buffer, Buffer):  # known already, so refused on this line
        ops.multinomial.check(x.buffer.values)


def dropout(x: Tensor, p: float, generator: Generator | None = None) -> Tensor:
    """The input with elements zeroed with probability ``p``, the others scaled by ``1/(1-p)``.

    Raises:
        ValueError: ``p`` is outside of [0, 1].
        RuntimeError: ``x`` is not floating point.
    """
    if not 0 <= p <= 1:
        raise ArgValueError(
            "dropout", f"dropout probability has to be between 0 and 1, but got {p}"
        )
    node = unwrapped(x, "dropout", "input", 1)
    stream = chosen(generator, "dropout").take(ops.dropout.blocks(node.shape))
    return Tensor(ops.dropout(node, number(float(p)), *stream))
