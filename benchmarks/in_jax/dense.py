"""Networks of linear layers; see ``in_torch.dense``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..work import RATE, Work, another, labels, normal, uniform
from .layers import cross_entropy, linear, linear_params
from .optim import adam
from .steps import training


def mlp(batch: int, inputs: int = 784, hidden: int = 128, classes: int = 10) -> Work:
    """A classifier with one hidden layer, and Adam."""
    params = [linear_params(inputs, hidden), linear_params(hidden, classes)]

    def loss(params: Any, extra: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Any]:
        scores = linear(params[1], jax.nn.relu(linear(params[0], x)))
        return cross_entropy(scores, y), extra

    def data(count: int) -> tuple[Any, ...]:
        return normal(count, inputs), labels(classes, count)

    return training(params, loss, adam(RATE), data(batch), data(another(batch)))


def pinn(points: int, hidden: int = 32) -> Work:
    """Burgers' equation, with derivatives of a function of one point, for all points."""
    params = [linear_params(2, hidden), linear_params(hidden, hidden), linear_params(hidden, 1)]

    def u(params: Any, x: jax.Array, t: jax.Array) -> jax.Array:
        y = jnp.stack([x, t])
        for layer in params[:-1]:
            y = jnp.tanh(linear(layer, y))
        return linear(params[-1], y)[0]

    def residual(params: Any, x: jax.Array, t: jax.Array) -> jax.Array:
        value, (u_x, u_t) = jax.value_and_grad(u, argnums=(1, 2))(params, x, t)
        u_xx = jax.grad(jax.grad(u, argnums=1), argnums=1)(params, x, t)
        return u_t + value * u_x - 0.01 * u_xx

    def loss(params: Any, extra: Any, x: jax.Array, t: jax.Array) -> tuple[jax.Array, Any]:
        residuals = jax.vmap(residual, in_axes=(None, 0, 0))(params, x, t)
        return (residuals**2).mean(), extra

    def data(count: int) -> tuple[Any, ...]:
        both = uniform(count, 2)
        return both[:, 0].copy(), both[:, 1].copy()

    return training(params, loss, adam(RATE), data(points), data(another(points)))
