"""SGD, Adam and AdamW on trees of parameters, with PyTorch's defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

Tree = Any


@dataclass(frozen=True)
class Optimizer:
    """An algorithm as two functions.

    Attributes:
        start: what it remembers in the beginning, from the parameters.
        update: new parameters and new memory, from parameters, gradients and memory.
    """

    start: Callable[[Tree], Tree]
    update: Callable[[Tree, Tree, Tree], tuple[Tree, Tree]]


def sgd(rate: float, momentum: float = 0.0) -> Optimizer:
    """Stochastic gradient descent; the momentum is PyTorch's."""

    def start(params: Tree) -> Tree:
        return jax.tree.map(jnp.zeros_like, params) if momentum else ()

    def update(params: Tree, grads: Tree, velocity: Tree) -> tuple[Tree, Tree]:
        if momentum:
            velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, grads)
            grads = velocity
        return jax.tree.map(lambda p, g: p - rate * g, params, grads), velocity

    return Optimizer(start, update)


def adam(rate: float, decay: float = 0.0) -> Optimizer:
    """Kingma & Ba 2015, arXiv:1412.6980; with ``decay``, Loshchilov & Hutter's AdamW."""
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def start(params: Tree) -> Tree:
        return jnp.zeros(()), jax.tree.map(jnp.zeros_like, params), jax.tree.map(
            jnp.zeros_like, params
        )  # fmt: skip

    def update(params: Tree, grads: Tree, memory: Tree) -> tuple[Tree, Tree]:
        count, first, second = memory
        count = count + 1
        first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, grads)
        second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, grads)
        step = rate / (1 - beta1**count)
        root = jnp.sqrt(1 - beta2**count)

        def moved(p: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            return p * (1 - rate * decay) - step * m / (jnp.sqrt(v) / root + epsilon)

        return jax.tree.map(moved, params, first, second), (count, first, second)

    return Optimizer(start, update)
