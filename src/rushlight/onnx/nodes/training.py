"""Steps of optimizers that ONNX has as operators (``ai.onnx.preview.training``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight as rl

from .registry import node

DOMAIN = "ai.onnx.preview.training"
Update = Callable[..., tuple[rl.Tensor, ...]]


def _for_each(update: Update, states: int) -> Callable[..., tuple[rl.Tensor, ...]]:
    """A node updates several tensors: all of them, then all gradients, then each state of all."""

    def updated(rate: rl.Tensor, count: rl.Tensor, *tensors: rl.Tensor, **given: Any) -> Any:
        number = len(tensors) // (2 + states)
        groups = [tensors[at * number : (at + 1) * number] for at in range(2 + states)]
        results = [update(rate, count, *one, **given) for one in zip(*groups, strict=True)]
        return tuple(value for column in zip(*results, strict=True) for value in column)

    return updated


def _adagrad(
    rate: rl.Tensor, count: rl.Tensor, x: rl.Tensor, g: rl.Tensor, h: rl.Tensor, *,
    decay_factor: float = 0.0, epsilon: float = 1e-6, norm_coefficient: float = 0.0,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    step = rate / (1 + count * decay_factor)
    g = g + norm_coefficient * x
    h = h + g * g
    return x - step * g / (rl.sqrt(h) + epsilon), h


def _adam(
    rate: rl.Tensor, count: rl.Tensor, x: rl.Tensor, g: rl.Tensor, v: rl.Tensor, h: rl.Tensor, *,
    alpha: float = 0.9, beta: float = 0.999, epsilon: float = 1e-6,
    norm_coefficient: float = 0.0, norm_coefficient_post: float = 0.0,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    g = g + norm_coefficient * x
    v = alpha * v + (1 - alpha) * g
    h = beta * h + (1 - beta) * g * g
    turn = count.to(x.dtype)
    corrected = rate * rl.sqrt(1 - beta**turn) / (1 - alpha**turn)
    step = rl.where(count > 0, corrected, rate)
    x = x - step * v / (rl.sqrt(h) + epsilon)
    return (1 - norm_coefficient_post) * x, v, h


def _momentum(
    rate: rl.Tensor, count: rl.Tensor, x: rl.Tensor, g: rl.Tensor, v: rl.Tensor, *, alpha: float,
    beta: float, mode: str, norm_coefficient: float,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    g = g + norm_coefficient * x
    weight = rl.where(count > 0, beta, 1.0)
    v = alpha * v + weight * g
    return x - rate * (g + alpha * v if mode == "nesterov" else v), v


node("Adagrad", domain=DOMAIN)(_for_each(_adagrad, 1))
node("Adam", domain=DOMAIN)(_for_each(_adam, 2))
node("Momentum", domain=DOMAIN)(_for_each(_momentum, 1))
