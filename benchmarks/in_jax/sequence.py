"""Recurrent networks and a small GPT; see ``in_torch.sequence``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ..work import RATE, Work, another, labels, normal
from .layers import cross_entropy, layer_norm, linear, linear_params, norm_params, spread
from .optim import adam, sgd
from .steps import inference, training

CLASSES, VOCABULARY, HEADS, LAYERS = 10, 256, 4, 4
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}

# From what a step is given (already through the input's weights), the state, and the recurrent
# layer: the next state. An LSTM's state is the pair of its output and its memory.
Recurrence = Callable[[jax.Array, Any, Any], Any]


def rnn_step(given: jax.Array, state: jax.Array, layer: Any) -> jax.Array:
    """Elman's network."""
    return jnp.tanh(given + linear(layer, state))


def gru_step(given: jax.Array, state: jax.Array, layer: Any) -> jax.Array:
    """Cho et al. 2014, as PyTorch has it: the reset gate works on the product."""
    r1, z1, n1 = jnp.split(given, 3, axis=-1)
    r2, z2, n2 = jnp.split(linear(layer, state), 3, axis=-1)
    z = jax.nn.sigmoid(z1 + z2)
    return (1 - z) * jnp.tanh(n1 + jax.nn.sigmoid(r1 + r2) * n2) + z * state


def lstm_step(given: jax.Array, state: Any, layer: Any) -> Any:
    """Hochreiter & Schmidhuber 1997, with a forget gate."""
    output, memory = state
    i, f, g, o = jnp.split(given + linear(layer, output), 4, axis=-1)
    memory = jax.nn.sigmoid(f) * memory + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(memory), memory


STEPS: dict[str, Recurrence] = {"RNN": rnn_step, "GRU": gru_step, "LSTM": lstm_step}


def recurrent(kind: str, batch: int, steps: int = 50, inputs: int = 32, hidden: int = 64) -> Work:
    """Two layers of RNN, LSTM or GRU, a classifier on their last output, and Adam."""
    layers = [recurrent_params(kind, inputs, hidden), recurrent_params(kind, hidden, hidden)]
    params = {"layers": layers, "classifier": linear_params(hidden, CLASSES)}

    def loss(params: Any, extra: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Any]:
        for layer in params["layers"]:
            x = unrolled(kind, layer, x, hidden)
        return cross_entropy(linear(params["classifier"], x[-1]), y), extra

    def data(count: int) -> tuple[Any, ...]:
        return normal(steps, count, inputs), labels(CLASSES, count)

    return training(params, loss, adam(RATE), data(batch), data(another(batch)))


def unrolled(kind: str, layer: Any, x: jax.Array, hidden: int) -> jax.Array:
    """Outputs of all steps: the input's part in one product, the rest in a scan."""
    zero = jnp.zeros((x.shape[1], hidden))
    start = (zero, zero) if kind == "LSTM" else zero

    def once(state: Any, given: jax.Array) -> tuple[Any, jax.Array]:
        state = STEPS[kind](given, state, layer["recurrent"])
        return state, state[0] if kind == "LSTM" else state

    return lax.scan(once, start, linear(layer["input"], x))[1]


def recurrent_params(kind: str, inputs: int, hidden: int) -> Any:
    """Both layers of a recurrence, with the two biases that PyTorch has."""
    width = GATES[kind] * hidden

    def layer(rows: int) -> Any:
        return {"weight": spread((rows, width), hidden), "bias": spread((width,), hidden)}

    return {"input": layer(inputs), "recurrent": layer(hidden)}


def cell(batch: int, steps: int = 50, inputs: int = 32, hidden: int = 64) -> Work:
    """A recurrence of one layer, and SGD; a loop over time is a scan in JAX."""
    params = {
        "layer": recurrent_params("RNN", inputs, hidden),
        "classifier": linear_params(hidden, CLASSES),
    }

    def loss(params: Any, extra: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Any]:
        state = unrolled("RNN", params["layer"], x, hidden)[-1]
        return cross_entropy(linear(params["classifier"], state), y), extra

    def data(count: int) -> tuple[Any, ...]:
        return normal(steps, count, inputs), labels(CLASSES, count)

    return training(params, loss, sgd(RATE), data(batch), data(another(batch)))


def gpt_training(batch: int, length: int = 256) -> Work:
    """Next tokens, and AdamW."""

    def loss(params: Any, extra: Any, x: jax.Array, y: jax.Array) -> tuple[jax.Array, Any]:
        return cross_entropy(gpt(params, x), y), extra

    def data(count: int) -> tuple[Any, ...]:
        text = labels(VOCABULARY, count, length + 1)
        return text[:, :-1].copy(), text[:, 1:].copy()

    optimizer = adam(RATE, decay=0.01)
    return training(gpt_params(length), loss, optimizer, data(batch), data(another(batch)))


def gpt_inference(length: int = 256) -> Work:
    """Scores of every next token of one text."""

    def answer(params: Any, tokens: jax.Array, extra: Any) -> jax.Array:
        return gpt(params, tokens)

    return inference(gpt_params(length), answer, labels(VOCABULARY, 1, length))


def gpt(params: Any, tokens: jax.Array) -> jax.Array:
    """Scores of every next token."""
    x = params["tokens"][tokens] + params["places"][: tokens.shape[1]]
    for layer in params["layers"]:
        x = x + attention(layer, layer_norm(layer["norm1"], x))
        y = jax.nn.gelu(linear(layer["up"], layer_norm(layer["norm2"], x)), approximate=False)
        x = x + linear(layer["down"], y)
    return linear(params["scores"], layer_norm(params["norm"], x))


def attention(layer: Any, x: jax.Array) -> jax.Array:
    """Causal attention with several heads."""
    B, T, C = x.shape
    q, k, v = jnp.split(linear(layer["qkv"], x).reshape(B, T, 3 * HEADS, C // HEADS), 3, axis=2)
    y = jax.nn.dot_product_attention(q, k, v, is_causal=True)  # (B, T, H, D)
    return linear(layer["out"], y.reshape(B, T, C))


def gpt_params(length: int, width: int = 128) -> Any:
    """Embeddings, layers, and the last product."""
    layer = lambda: {
        "norm1": norm_params(width),
        "qkv": linear_params(width, 3 * width),
        "out": linear_params(width, width),
        "norm2": norm_params(width),
        "up": linear_params(width, 4 * width),
        "down": linear_params(4 * width, width),
    }
    return {
        "tokens": spread((VOCABULARY, width), 1),
        "places": spread((length, width), 1),
        "layers": [layer() for _ in range(LAYERS)],
        "norm": norm_params(width),
        "scores": linear_params(width, VOCABULARY, bias=False),
    }
