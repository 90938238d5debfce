"""Layers as functions of parameters, with PyTorch's ranges for random beginnings."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Params = dict[str, Any]

_keys = (jax.random.key(number) for number in itertools.count())


def spread(shape: tuple[int, ...], fan_in: int) -> jax.Array:
    """Evenly distributed within one over the root of ``fan_in``."""
    bound = fan_in**-0.5
    return jax.random.uniform(next(_keys), shape, minval=-bound, maxval=bound)


def linear_params(inputs: int, outputs: int, bias: bool = True) -> Params:
    """Weight (inputs, outputs) and bias."""
    params = {"weight": spread((inputs, outputs), inputs)}
    return {**params, "bias": spread((outputs,), inputs)} if bias else params


def linear(params: Params, x: jax.Array) -> jax.Array:
    """``x W + b``."""
    y = x @ params["weight"]
    return y + params["bias"] if "bias" in params else y


def conv_params(inputs: int, outputs: int, size: int, bias: bool = False) -> Params:
    """Weight (height, width, inputs, outputs), as XLA likes it, and bias."""
    fan_in = inputs * size * size
    params = {"weight": spread((size, size, inputs, outputs), fan_in)}
    return {**params, "bias": spread((outputs,), fan_in)} if bias else params


def conv(params: Params, x: jax.Array, stride: int = 1, padding: int = 0) -> jax.Array:
    """Convolution of pictures (N, H, W, C)."""
    y = lax.conv_general_dilated(
        x, params["weight"], (stride, stride), [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )  # fmt: skip
    return y + params["bias"] if "bias" in params else y


def max_pool(x: jax.Array, size: int, stride: int, padding: int = 0) -> jax.Array:
    """Largest values of windows of pictures (N, H, W, C)."""
    around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    return lax.reduce_window(
        x, -jnp.inf, lax.max, (1, size, size, 1), (1, stride, stride, 1), around
    )


def norm_params(width: int) -> Params:
    """Scale and shift."""
    return {"weight": jnp.ones(width), "bias": jnp.zeros(width)}


def layer_norm(params: Params, x: jax.Array) -> jax.Array:
    """Zero mean and unit variance of the last dimension, then scaled and shifted."""
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * params["weight"] + params["bias"]


def batch_norm(
    params: Params, statistics: Params, x: jax.Array, training: bool
) -> tuple[jax.Array, Params]:
    """The same over pictures (N, H, W, C) for each channel, and the running statistics."""
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        count = x.size / x.shape[-1]
        statistics = {
            "mean": 0.9 * statistics["mean"] + 0.1 * mean,
            "var": 0.9 * statistics["var"] + 0.1 * variance * (count / (count - 1)),
        }
    else:
        mean, variance = statistics["mean"], statistics["var"]
    scale = params["weight"] * lax.rsqrt(variance + 1e-5)
    return (x - mean) * scale + params["bias"], statistics


def cross_entropy(scores: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean negative logarithm of the softmax at the labels."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(scores), labels[..., None], axis=-1)
    return -chosen.mean()
