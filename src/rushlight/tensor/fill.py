"""Methods that write random numbers over a tensor."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import ArgTypeError

from . import draw
from .draw import real, whole
from .generator import Generator
from .tensor import Tensor, method


def _named(function: str, names: tuple[str, ...], given: tuple[Any, ...], named: Any) -> list[Any]:
    """Arguments by position or by name (``from`` is a keyword in Python); None where absent."""
    if len(given) > len(names):
        raise ArgTypeError(
            function,
            f"{function}() takes {len(names)} positional arguments but {len(given)} were given",
        )
    for name in named:
        if name not in names[len(given) :]:
            raise ArgTypeError(
                function, f"{function}() got an unexpected keyword argument '{name}'"
            )
    return [*given, *(named.get(name) for name in names[len(given) :])]


@method
def uniform_(
    self: Tensor, *bounds: float, generator: Generator | None = None, **named: float
) -> Tensor:
    """``x.uniform_(from=0, to=1)``: writes uniform numbers in [from, to).

    Raises:
        RuntimeError: the range is empty, or not finite in this dtype.
        NotImplementedError: the dtype is not floating point.
    Example:
        >>> import rushlight as rl
        >>> x = rl.empty(100).uniform_(2, 3)
        >>> bool((x >= 2).all() and (x < 3).all())
        True
    """
    low, high = _named("uniform_", ("from", "to"), bounds, named)
    low = 0.0 if low is None else real(low, "uniform_", "from", 1)
    high = 1.0 if high is None else real(high, "uniform_", "to", 2)
    node = draw.uniform("uniform_", self._node.shape, self.dtype, generator, low, high)
    return self._write(node, "uniform_")


@method
def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Writes normal numbers.

    Raises:
        RuntimeError: ``std`` is negative.
        NotImplementedError: the dtype is not floating point.
    """
    mean, std = real(mean, "normal_", "mean", 1), real(std, "normal_", "std", 2)
    node = draw.normal("normal_", self._node.shape, self.dtype, generator, mean, std)
    return self._write(node, "normal_")


@method
def random_(
    self: Tensor, *bounds: int | None, generator: Generator | None = None, **named: int | None
) -> Tensor:
    """Writes whole numbers from ``from`` (0) up to, not including, ``to``; one bound is ``to``.

    Without ``to`` the last is the largest that the dtype holds; for floats, the last whole number
    before the first that they do not hold.

    Raises:
        RuntimeError: the range is empty, or the dtype does not hold it.
        NotImplementedError: the dtype is complex.
    """
    if self.dtype.is_complex:
        raise draw.refused("random_", "random_kernel_cpu", self.dtype)
    names = ("to",) if len(bounds) + len(named) < 2 else ("from", "to")
    low, high = [0, *_named("random_", names, bounds, named)][-2:]
    low = whole(low, "random_", "from", 1)
    last = draw.last_whole(self.dtype)
    high = last + 1 if high is None else whole(high, "random_", "to", len(names))
    node = draw.integers("random_", self._node.shape, self.dtype, generator, low, high)
    return self._write(node, "random_")


@method
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Writes 1 with probability ``p``, a number or a tensor that broadcasts, else 0.

    Raises:
        RuntimeError: a probability is outside of [0, 1]; that of a tensor is seen when computed.
    """
    shape = self._node.shape
    if isinstance(p, Tensor):
        chance = p.expand(shape).node
    else:
        chance = real(p, "bernoulli_", "p", 1)
    node = draw.bernoulli("bernoulli_", shape, self.dtype, generator, chance)
    return self._write(node, "bernoulli_")


@method
def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Writes positive waiting times with rate ``lambd``.

    Raises:
        RuntimeError: ``lambd`` is not positive, or the dtype is not floating point.
    """
    rate = real(lambd, "exponential_", "lambd", 1)
    node = draw.exponential("exponential_", self._node.shape, self.dtype, generator, rate)
    return self._write(node, "exponential_")


@method
def cauchy_(
    self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Writes numbers of a Cauchy distribution, which has no mean.

    Raises:
        RuntimeError: ``sigma`` is not positive, or the dtype is not floating point.
    """
    median, sigma = real(median, "cauchy_", "median", 1), real(sigma, "cauchy_", "sigma", 2)
    node = draw.cauchy("cauchy_", self._node.shape, self.dtype, generator, median, sigma)
    return self._write(node, "cauchy_")


@method
def log_normal_(
    self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None
) -> Tensor:
    """Writes numbers whose logarithms are normal, of the mean and deviation given.

    Raises:
        RuntimeError: ``std`` is not positive.
        NotImplementedError: the dtype is not floating point.
    """
    mean, std = real(mean, "log_normal_", "mean", 1), real(std, "log_normal_", "std", 2)
    node = draw.log_normal("log_normal_", self._node.shape, self.dtype, generator, mean, std)
    return self._write(node, "log_normal_")


@method
def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Writes numbers of trials up to the first success, whose probability is ``p``.

    Raises:
        RuntimeError: ``p`` is not between 0 and 1.
        NotImplementedError: the dtype is bool or complex.
    """
    chance = real(p, "geometric_", "p", 1)
    node = draw.geometric("geometric_", self._node.shape, self.dtype, generator, chance)
    return self._write(node, "geometric_")
