"""Single operations, and formulas of a few; see ``in_torch.maths``."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..work import Work, normal
from .layers import layer_norm, norm_params
from .steps import inference, results


def matrix_product(size: int) -> Work:
    """A product of two square matrices."""
    return results(jax.jit(jnp.matmul), normal(size, size), normal(size, size).T.copy())


def formula(count: int) -> Work:
    """``tanh(2a + 1) * sigmoid(a) - a`` of each number."""

    def compute(a: jax.Array) -> jax.Array:
        return jnp.tanh(2 * a + 1) * jax.nn.sigmoid(a) - a

    return results(jax.jit(compute), normal(count))


def softmax(rows: int, columns: int) -> Work:
    """Softmax of each row."""
    return results(jax.jit(jax.nn.softmax), normal(rows, columns))


def norm_gelu(rows: int, columns: int) -> Work:
    """Layer norm of each row, and GELU."""

    def compute(params: Any, x: jax.Array, extra: Any) -> jax.Array:
        return jax.nn.gelu(layer_norm(params, x), approximate=False)

    return inference(norm_params(columns), compute, normal(rows, columns))


def moments(rows: int, columns: int) -> Work:
    """Variance and mean of each row."""

    def compute(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return x.var(1, ddof=1), x.mean(1)

    return results(jax.jit(compute), normal(rows, columns))


def chain(count: int) -> Work:
    """Sums that each wait for the one before, given to JAX one by one."""
    return results(lambda a, b: _sums(a, b, count), normal(8), normal(8))


def chain_compiled(count: int) -> Work:
    """The same sums as one function."""
    return results(jax.jit(lambda a, b: _sums(a, b, count)), normal(8), normal(8))


def _sums(a: jax.Array, b: jax.Array, count: int) -> jax.Array:
    for _ in range(count):
        a = a + b
    return a
