"""Networks of convolutions, for pictures (N, H, W, C); see ``in_torch.vision``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

from ..work import RATE, Work, another, labels, normal
from .layers import (
    batch_norm,
    conv,
    conv_params,
    cross_entropy,
    linear,
    linear_params,
    max_pool,
    norm_params,
)
from .optim import adam, sgd
from .steps import inference, training

WIDTHS = (64, 64, 128, 256, 512)


def cnn(batch: int) -> Work:
    """A classifier of 28×28 pictures, and Adam."""
    params = {
        "conv1": conv_params(1, 32, 3, bias=True),
        "conv2": conv_params(32, 64, 3, bias=True),
        "fc1": linear_params(64 * 5 * 5, 128),
        "fc2": linear_params(128, 10),
    }

    def loss(params: Any, key: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Any]:
        key, now = jax.random.split(key)
        for name in ("conv1", "conv2"):
            x = max_pool(jax.nn.relu(conv(params[name], x)), 2, 2)
        x = jnp.where(jax.random.bernoulli(now, 0.75, x.shape), x / 0.75, 0)
        x = jax.nn.relu(linear(params["fc1"], x.reshape(len(x), -1)))
        return cross_entropy(linear(params["fc2"], x), y), key

    def data(count: int) -> tuple[Any, ...]:
        return normal(count, 28, 28, 1), labels(10, count)

    key = jax.random.key(0)
    return training(params, loss, adam(RATE), data(batch), data(another(batch)), extra=key)


def resnet_training(batch: int, size: int = 32) -> Work:
    """ResNet-18 for small pictures of ten classes, and SGD with momentum."""
    params, statistics = resnet18(small=True, classes=10)

    def loss(params: Any, statistics: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Any]:
        scores, statistics = forward(params, statistics, x, small=True, training=True)
        return cross_entropy(scores, y), statistics

    def data(count: int) -> tuple[Any, ...]:
        return normal(count, size, size, 3), labels(10, count)

    optimizer = sgd(RATE, momentum=0.9)
    return training(params, loss, optimizer, data(batch), data(another(batch)), statistics)


def resnet_inference(batch: int, size: int = 224) -> Work:
    """What ResNet-18 says of pictures as large as ImageNet's."""
    params, statistics = resnet18(small=False, classes=1000)

    def answer(params: Any, x: jax.Array, statistics: Any) -> jax.Array:
        return forward(params, statistics, x, small=False, training=False)[0]

    return inference(params, answer, normal(batch, size, size, 3), statistics)


def resnet18(small: bool, classes: int) -> tuple[Any, Any]:
    """Parameters and running statistics."""
    params: dict[str, Any] = {"fc": linear_params(512, classes)}
    _add(params, "stem", 3, 64, 3 if small else 7)
    for stage, (inputs, outputs) in enumerate(pairwise(WIDTHS)):
        _add(params, f"{stage}.0.1", inputs, outputs, 3)
        _add(params, f"{stage}.0.2", outputs, outputs, 3)
        _add(params, f"{stage}.1.1", outputs, outputs, 3)
        _add(params, f"{stage}.1.2", outputs, outputs, 3)
        if inputs != outputs:
            _add(params, f"{stage}.0.around", inputs, outputs, 1)
    statistics = {
        name: {"mean": jnp.zeros_like(p["norm"]["bias"]), "var": jnp.ones_like(p["norm"]["bias"])}
        for name, p in params.items()
        if name != "fc"
    }
    return params, statistics


def forward(
    params: Any, statistics: Any, x: jax.Array, small: bool, training: bool
) -> tuple[jax.Array, Any]:
    """Scores of classes, and new running statistics."""
    new = dict(statistics)

    def unit(name: str, x: jax.Array, stride: int = 1, padding: int = 1) -> jax.Array:
        y = conv(params[name]["conv"], x, stride, padding)
        y, new[name] = batch_norm(params[name]["norm"], statistics[name], y, training)
        return y

    if small:
        x = jax.nn.relu(unit("stem", x))
    else:
        x = max_pool(jax.nn.relu(unit("stem", x, 2, padding=3)), 3, 2, padding=1)
    for stage in range(4):
        for block in range(2):
            name, stride = f"{stage}.{block}", 2 if stage > 0 and block == 0 else 1
            around = f"{name}.around"
            y = unit(f"{name}.2", jax.nn.relu(unit(f"{name}.1", x, stride)))
            x = jax.nn.relu(y + (unit(around, x, stride, padding=0) if around in params else x))
    return linear(params["fc"], x.mean((1, 2))), new


def _add(params: dict[str, Any], name: str, inputs: int, outputs: int, size: int) -> None:
    params[name] = {"conv": conv_params(inputs, outputs, size), "norm": norm_params(outputs)}
