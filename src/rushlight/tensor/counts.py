"""``poisson``, ``binomial`` and the draws behind the gamma distribution."""

from __future__ import annotations

from rushlight import ops
from rushlight.base.errors import DTypeError
from rushlight.base.shapes import broadcast
from rushlight.graph.node import Node

from .arguments import unwrapped
from .generator import Generator, chosen
from .tensor import Tensor


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of events that come at the rates in ``input``, of its shape and dtype.

    Raises:
        RuntimeError: a rate is negative, seen when computed; ``input`` is not floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.poisson(rl.zeros(2))
        tensor([0., 0.])
    """
    rate = _floating("poisson", unwrapped(input, "poisson", "input", 1))
    stream = chosen(generator, "poisson").take(1)
    return Tensor(ops.poisson_counts.record((rate, *stream)))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` tries succeed, each with probability ``prob``; the two broadcast.

    Raises:
        RuntimeError: a count is negative or a probability outside of [0, 1], seen when computed.
    Example:
        >>> import rushlight as rl
        >>> rl.binomial(rl.tensor([3.0, 4.0]), rl.tensor(1.0))
        tensor([3., 4.])
    """
    tries = _floating("binomial", unwrapped(count, "binomial", "count", 1))
    chance = _floating("binomial", unwrapped(prob, "binomial", "prob", 2))
    shape = broadcast("binomial", tries.shape, chance.shape)
    stream = chosen(generator, "binomial").take(1)
    return Tensor(ops.binomial_counts.record((tries, chance, *stream), shape, tries.dtype))


def _standard_gamma(concentration: Tensor, generator: Generator | None = None) -> Tensor:
    """Gamma variates of rate 1, through which gradients flow to the concentrations."""
    x = _floating("_standard_gamma", unwrapped(concentration, "_standard_gamma", "self", 1))
    stream = chosen(generator, "_standard_gamma").take(1)
    return Tensor(ops.standard_gamma.record((x, *stream)))


def _floating(name: str, x: Node) -> Node:
    if not x.dtype.is_floating_point:
        raise DTypeError(name, f'"{name}" not implemented for {x.dtype}')
    return x
