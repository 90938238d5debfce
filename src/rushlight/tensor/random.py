"""Random tensors and the generators they are drawn from."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.device import resolve
from rushlight.base.dtypes import DType, float64, int64
from rushlight.base.errors import ArgTypeError, ArgValueError, OperationError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node, number

from .creation import Place, made, sizes, tensor
from .look import array_of
from .tensor import Tensor, method

_STATE_BYTES = 16


class Generator:
    """A stream of random numbers: a seed, and how far the stream has been used.

    Recording a draw moves the generator on; the numbers themselves are a function of the seed and
    the place in the stream and are made when somebody looks.

    Example:
        >>> import rushlight as rl
        >>> g = rl.Generator().manual_seed(1)
        >>> a = rl.rand(2, generator=g)
        >>> bool((rl.rand(2, generator=g.manual_seed(1)) == a).all())
        True
    """

    def __init__(self, device: Place = "cpu") -> None:
        self.device = resolve(device)
        self._seed = _DEFAULT_SEED
        self._offset = 0
        self._lock = threading.Lock()

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream of ``seed`` from its beginning."""
        seed = _checked_seed(seed)
        with self._lock:
            self._seed, self._offset = seed, 0
        return self

    def initial_seed(self) -> int:
        """The seed."""
        return self._seed

    def seed(self) -> int:
        """Takes a seed from the operating system, and returns it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
        return self._seed

    def get_state(self) -> Tensor:
        """Seed and place in the stream, as a tensor of bytes."""
        state = np.array([self._seed, self._offset], np.uint64).view(np.uint8)
        return tensor(state)

    def set_state(self, new_state: Tensor) -> Generator:
        """Goes to where :meth:`get_state` was called.

        Raises:
            TypeError: no byte tensor.
            RuntimeError: of another length.
        """
        if not isinstance(new_state, Tensor) or new_state.dtype is not dtypes.uint8:
            raise ArgTypeError("set_state", "expected a torch.ByteTensor")
        if new_state.numel() != _STATE_BYTES:  # type: ignore[attr-defined]
            raise OperationError("set_state", "RNG state is wrong size")
        words = np.ascontiguousarray(array_of(new_state)).view(np.uint64)
        with self._lock:
            self._seed, self._offset = int(words[0]), int(words[1])
        return self

    def clone_state(self) -> Generator:
        """Another generator at the same place of the same stream."""
        twin = Generator()
        twin._seed, twin._offset = self._seed, self._offset
        return twin

    def take(self, blocks: int) -> tuple[Node, Node]:
        """Seed and offset of the next ``blocks`` blocks of the stream, which are used up."""
        with self._lock:
            offset = self._offset
            self._offset += blocks
        return number(self._seed, _BITS), number(offset, _BITS)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._seed, self._offset)


def _restored(seed: int, offset: int) -> Generator:
    generator = Generator()
    generator._seed, generator._offset = seed, offset
    return generator


# PyTorch's own default seed.
_DEFAULT_SEED = 67280421310721
# Seeds and offsets are 64 bits that nobody does arithmetic on; int64 holds them.
_BITS = int64

default_generator = Generator()


def _checked_seed(seed: int) -> int:
    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise OperationError("manual_seed", "Overflow when unpacking long")
    return seed % 2**64


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator, and returns it.

    Example:
        >>> import rushlight as rl
        >>> _ = rl.manual_seed(0)
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seeds the default generator from the operating system, and returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The default generator's seed."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Sets the default generator's state."""
    default_generator.set_state(new_state)


# Draws as nodes -----------------------------------------------------------------------------------


def drawn(op: Any, shape: tuple[int, ...], dtype: DType, generator: Generator | None) -> Node:
    """A recorded draw."""
    source = generator or default_generator
    return op.record(source.take(op.blocks(shape, dtype)), shape, dtype)  # type: ignore[no-any-return]


def uniform(
    shape: tuple[int, ...], dtype: DType, generator: Generator | None, low: float, high: float
) -> Node:
    """Uniform numbers in [low, high)."""
    node = drawn(ops.random_uniform, shape, dtype, generator)
    return node if (low, high) == (0.0, 1.0) else node * (high - low) + low


def normal_numbers(
    shape: tuple[int, ...], dtype: DType, generator: Generator | None, mean: float, std: float
) -> Node:
    """Normal numbers."""
    node = drawn(ops.random_normal, shape, dtype, generator)
    return node if (mean, std) == (0.0, 1.0) else node * std + mean


def integers(
    shape: tuple[int, ...], dtype: DType, generator: Generator | None, low: int, high: int
) -> Node:
    """Whole numbers from ``low`` up to, not including, ``high``."""
    op = ops.random_integer
    seed_, offset = (generator or default_generator).take(op.blocks(shape, dtype))
    return op.record((seed_, offset, number(low, int64), number(high, int64)), shape, dtype)


def _floating(function: str, dtype: DType | None) -> DType:
    dtype = dtype or default_dtype()
    if not dtype.is_floating_point:
        name = {"bool": "Bool", "int64": "Long", "int32": "Int"}.get(dtype.name, dtype.name)
        raise OperationError(function, f'"{function}" not implemented for \'{name}\'')
    return dtype


# Public functions -----------------------------------------------------------------------------------


def rand(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1) of the given sizes."""
    node = uniform(sizes("rand", size), _floating("rand", dtype), generator, 0.0, 1.0)
    return made(node, device, requires_grad, out)


def randn(
    *size: Any, generator: Generator | None = None, out: Tensor | None = None,
    dtype: DType | None = None, layout: Any = None, device: Place = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers with mean 0 and variance 1 of the given sizes."""
    node = normal_numbers(sizes("randn", size), _floating("normal_kernel_cpu", dtype), generator, 0.0, 1.0)
    return made(node, device, requires_grad, out)


def rand_like(input: Tensor, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """Uniform numbers of the size and dtype of ``input``."""
    return rand(tuple(input.shape), dtype=dtype or input.dtype, **_known(options))


def randn_like(input: Tensor, *, dtype: DType | None = None, **options: Any) -> Tensor:
    """Normal numbers of the size and dtype of ``input``."""
    return randn(tuple(input.shape), dtype=dtype or input.dtype, **_known(options))


def _known(options: dict[str, Any]) -> dict[str, Any]:
    options.pop("memory_format", None)
    return options


def randint(
    low: int, high: Any = None, size: Sequence[int] | None = None, *,
    generator: Generator | None = None, out: Tensor | None = None, dtype: DType | None = None,
    layout: Any = None, device: Place = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Whole numbers from ``low`` (0 when one bound is given) up to, not including, ``high``.

    Raises:
        RuntimeError: the range is empty.
    """
    if size is None and not isinstance(high, int):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise ArgTypeError("randint", "randint(): argument 'size' is missing")
    if low >= high:
        raise OperationError(
            "randint", f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    node = integers(sizes("randint", (size,)), dtype or int64, generator, int(low), int(high))
    return made(node, device, requires_grad, out)


def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: DType | None = None, **options: Any
) -> Tensor:
    """Whole numbers of the size and dtype of ``input``."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), dtype=dtype or input.dtype, **_known(options))


def randperm(
    n: int, *, generator: Generator | None = None, out: Tensor | None = None, dtype: DType = int64,
    layout: Any = None, device: Place = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """The whole numbers below ``n`` in a random order."""
    if n < 0:
        raise OperationError("randperm", f"n must be non-negative, got {n}")
    node = drawn(ops.random_permutation, (n,), int64, generator)
    return made(ops.cast(node, dtype), device, requires_grad, out)


def normal(
    mean: Any, std: Any = 1.0, size: Sequence[int] | None = None, *,
    generator: Generator | None = None, out: Tensor | None = None, dtype: DType | None = None,
    device: Place = None, requires_grad: bool = False, layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers; mean and standard deviation may be tensors."""
    if size is not None:
        node = normal_numbers(sizes("normal", (size,)), dtype or default_dtype(), generator, mean, std)
        return made(node, device, requires_grad, out)
    given = [v for v in (mean, std) if isinstance(v, Tensor)]
    shape = ops.add(*[v.node for v in given]).shape if len(given) == 2 else given[0].shape
    unit = drawn(ops.random_normal, tuple(shape), given[0].dtype, generator)
    mean, std = (v.node if isinstance(v, Tensor) else v for v in (mean, std))
    return made(unit * std + mean, device, requires_grad, out)


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """1 with the probability that ``input`` holds at each place (or ``p``), else 0.

    Raises:
        RuntimeError: a probability is outside of [0, 1].
    """
    wide = float64 if input.dtype is float64 else default_dtype()
    draw = drawn(ops.random_uniform, tuple(input.shape), wide, generator)
    if p is not None and not 0 <= p <= 1:
        raise OperationError("bernoulli", f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    if p is None:
        given = array_of(input)
        if not ((given >= 0) & (given <= 1)).all():
            raise OperationError("bernoulli", "Expected p_in >= 0 && p_in <= 1 to be true")
    chance = p if p is not None else ops.detach(input.node)
    return made(ops.cast(draw < chance, input.dtype), None, False, out)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *,
    generator: Generator | None = None, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Places drawn in proportion to the weights in each row of ``input``.

    Raises:
        RuntimeError: weights are negative or not finite, or too few are positive.
    """
    weights = array_of(input).astype(np.float64)
    _check_weights(weights, num_samples, replacement)
    rows = np.atleast_2d(weights)
    shape = (rows.shape[0], num_samples if replacement else rows.shape[1])
    draws = array_of(Tensor(drawn(ops.random_uniform, shape, float64, generator)))
    if replacement:
        edges = np.cumsum(rows, axis=1)
        wanted = draws * edges[:, -1:]
        found = np.stack([np.searchsorted(e, w, "right") for e, w in zip(edges, wanted, strict=True)])
    else:
        # The smallest of exponential waiting times come first in proportion to the weights.
        with np.errstate(divide="ignore"):
            waits = -np.log1p(-draws) / rows
        found = np.argsort(waits, axis=1, kind="stable")[:, :num_samples]
    result = tensor(found.astype(np.int64).reshape(*weights.shape[:-1], num_samples))
    return result if out is None else out._write(result.node)


def _check_weights(weights: np.ndarray, num_samples: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2):
        raise OperationError("multinomial", "prob_dist must be 1 or 2 dim")
    if num_samples <= 0:
        raise OperationError("multinomial", "cannot sample n_sample <= 0 samples")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise OperationError(
            "multinomial", "probability tensor contains either `inf`, `nan` or element < 0"
        )
    if (weights.sum(axis=-1) <= 0).any():
        raise OperationError(
            "multinomial", "invalid multinomial distribution (sum of probabilities <= 0)"
        )
    if not replacement and num_samples > weights.shape[-1]:
        raise OperationError(
            "multinomial",
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement",
        )


# In place -------------------------------------------------------------------------------------------


@method
def uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None,
    **named: float,
) -> Tensor:  # fmt: skip
    """Writes uniform numbers in [from, to)."""
    low = named.get("from", named.get("a", from_))
    high = named.get("b", to)
    if low > high:
        raise OperationError(
            "uniform_", f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}"
        )
    return self._write(uniform(self._node.shape, self.dtype, generator, low, high), "uniform_")


@method
def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Writes normal numbers."""
    if std < 0:
        raise OperationError("normal_", f"normal expects std >= 0.0, but found std {std}")
    return self._write(
        normal_numbers(self._node.shape, self.dtype, generator, mean, std), "normal_"
    )


@method
def random_(
    self: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None,
    **named: int,
) -> Tensor:  # fmt: skip
    """Writes whole numbers from ``from`` up to, not including, ``to``."""
    low = named.get("from", from_)
    if to is None and low and "from" not in named:
        low, to = 0, low
    if to is None:
        to = _largest(self.dtype)
    node = integers(self._node.shape, self.dtype if self.dtype.kind == "int" else int64, generator, low, to)
    return self._write(ops.cast(node, self.dtype), "random_")


def _largest(dtype: DType) -> int:
    """One more than the largest whole number that ``dtype`` holds exactly."""
    if dtype.kind == "int":
        return int(np.iinfo(dtype.numpy).max) + (dtype is not int64)
    return {"float64": 2**53, "float32": 2**24, "float16": 2**11, "bfloat16": 2**8}.get(dtype.name, 2)


@method
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Writes 1 with probability ``p``, else 0."""
    if isinstance(p, Tensor):
        return self._write(bernoulli(p.expand(self.shape), generator=generator).node, "bernoulli_")  # type: ignore[attr-defined]
    if not 0 <= p <= 1:
        raise OperationError("bernoulli_", f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    draw = drawn(ops.random_uniform, self._node.shape, default_dtype(), generator)
    return self._write(ops.cast(draw < p, self.dtype), "bernoulli_")


@method
def exponential_(
    self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Writes waiting times with rate ``lambd``."""
    if lambd <= 0:
        raise OperationError("exponential_", f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    draw = drawn(ops.random_uniform, self._node.shape, self.dtype, generator)
    return self._write(ops.log(1 - draw) * (-1 / lambd), "exponential_")


# A function whose first parameter is a tensor is a method too.
method(bernoulli)
method(multinomial)


def dropout(x: Tensor, p: float, generator: Generator | None = None) -> Tensor:
    """The input with elements zeroed with probability ``p``, the others scaled by ``1/(1-p)``.

    Raises:
        ValueError: ``p`` is outside of [0, 1].
    """
    if not 0 <= p <= 1:
        raise ArgValueError(
            "dropout", f"dropout probability has to be between 0 and 1, but got {p}"
        )
    node = x.node
    source = generator or default_generator
    seed_, offset = source.take(ops.dropout.blocks(node.shape))
    return Tensor(ops.dropout(node, number(float(p)), seed_, offset))

