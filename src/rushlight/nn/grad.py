"""Gradients of convolutions, from the sizes of what they are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight as rl
from rushlight import Tensor

from . import functional as F

Ints = int | Sequence[int]


def _input(rank: int) -> Callable[..., Tensor]:
    def function(
        input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: Ints = 1,
        padding: Any = 0, dilation: Ints = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        input = grad_output.new_zeros(tuple(input_size)).requires_grad_()
        return _gradient(rank, input, weight, input, grad_output, stride, padding, dilation, groups)

    return _named(function, f"conv{rank}d_input", "input")


def _weight(rank: int) -> Callable[..., Tensor]:
    def function(
        input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: Ints = 1,
        padding: Any = 0, dilation: Ints = 1, groups: int = 1,
    ) -> Tensor:  # fmt: skip
        weight = grad_output.new_zeros(tuple(weight_size)).requires_grad_()
        return _gradient(
            rank, input, weight, weight, grad_output, stride, padding, dilation, groups
        )

    return _named(function, f"conv{rank}d_weight", "weight")


def _gradient(
    rank: int, input: Tensor, weight: Tensor, of: Tensor, grad_output: Tensor, *options: Any
) -> Tensor:
    """A convolution is linear in each, so that it does not matter what stands for ``of``."""
    other = weight if of is input else input
    follow = rl.is_grad_enabled() and (other.requires_grad or grad_output.requires_grad)
    with rl.enable_grad():
        y = getattr(F, f"conv{rank}d")(input, weight, None, *options)
    (found,) = rl.autograd.grad(y, of, grad_output, create_graph=follow)
    return found  # type: ignore[no-any-return]


def _named(function: Any, name: str, of: str) -> Any:
    function.__name__ = function.__qualname__ = name
    rank = name[4]
    function.__doc__ = f"The gradient of ``conv{rank}d`` for its {of}, from that for its result."
    return function


conv1d_input, conv2d_input, conv3d_input = map(_input, (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = map(_weight, (1, 2, 3))
