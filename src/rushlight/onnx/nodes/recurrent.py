"""RNN, LSTM and GRU.

What PyTorch's layers compute as well is done by rushlight's own recurrent functions, with the gates
in their order; anything else (other activations, peepholes, clipping, lengths) is unrolled here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rushlight as rl
from rushlight.nn import functional as F

from .movement import reverse_sequence
from .registry import node

Activation = Callable[[rl.Tensor], rl.Tensor]
Cell = Callable[..., tuple[rl.Tensor, ...]]

# Gates as ONNX stacks them, in the order in which PyTorch does: i, f, g, o and r, z, n.
ORDER = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
USUAL = {
    "LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",),
}  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """What a recurrent node says besides its weights."""

    kind: str
    hidden: int
    direction: str
    layout: int
    activations: tuple[str, ...]
    alpha: tuple[float, ...] = ()
    beta: tuple[float, ...] = ()
    clip: float | None = None
    more: dict[str, int] = field(default_factory=dict)

    @property
    def directions(self) -> int:
        return 2 if self.direction == "bidirectional" else 1


def _activation(name: str, alpha: list[float], beta: list[float]) -> Activation:
    """A function by its name, taking what it needs from the lists."""

    def next_of(values: list[float], default: float) -> float:
        return values.pop(0) if values else default

    plain: dict[str, Activation] = {
        "relu": F.relu, "tanh": rl.tanh, "sigmoid": rl.sigmoid, "softsign": F.softsign,
        "softplus": F.softplus,
    }  # fmt: skip
    name = name.lower()
    if name in plain:
        return plain[name]
    defaults = {
        "affine": (1.0, 0.0), "leakyrelu": (0.01, None), "thresholdedrelu": (1.0, None),
        "scaledtanh": (1.0, 1.0), "hardsigmoid": (0.2, 0.5), "elu": (1.0, None),
    }[name]  # fmt: skip
    a = next_of(alpha, defaults[0])
    b = 0.0 if defaults[1] is None else next_of(beta, defaults[1])
    return {
        "affine": lambda x: a * x + b,
        "leakyrelu": lambda x: F.leaky_relu(x, a),
        "thresholdedrelu": lambda x: F.threshold(x, a, 0.0),
        "scaledtanh": lambda x: a * rl.tanh(b * x),
        "hardsigmoid": lambda x: rl.clamp(a * x + b, 0.0, 1.0),
        "elu": lambda x: F.elu(x, a),
    }[name]


def _gates(weight: rl.Tensor, kind: str) -> rl.Tensor:
    """The rows of a weight or bias with PyTorch's order of gates."""
    parts = weight.chunk(len(ORDER[kind]), 0)
    return rl.cat([parts[at] for at in ORDER[kind]]) if len(parts) > 1 else weight


def _is_usual(layer: Layer, lengths: Any, peepholes: Any) -> bool:
    names = [one.lower() for one in layer.activations]
    usual = [one.lower() for one in USUAL[layer.kind]] * layer.directions
    if layer.kind == "RNN" and set(names) == {"relu"}:
        usual = names
    plain = lengths is None and peepholes is None and layer.clip is None
    fits = layer.kind != "GRU" or bool(layer.more.get("linear_before_reset"))
    return plain and fits and names == usual and not layer.more.get("input_forget")


def _fast(
    layer: Layer, x: rl.Tensor, w: rl.Tensor, r: rl.Tensor, b: rl.Tensor | None,
    state: list[rl.Tensor],
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    """By rushlight's own layer; ``x`` is (T, B, I)."""
    weights: list[rl.Tensor] = []
    for at in range(layer.directions):
        weights += [_gates(w[at], layer.kind), _gates(r[at], layer.kind)]
        if b is not None:
            weights += [_gates(half, layer.kind) for half in b[at].chunk(2, 0)]
    turned = layer.direction == "reverse"
    function = {"LSTM": rl.lstm, "GRU": rl.gru, "RNN": rl.rnn_tanh}[layer.kind]
    if layer.activations[0].lower() == "relu":
        function = rl.rnn_relu
    first = tuple(state) if layer.kind == "LSTM" else state[0]
    both = layer.directions == 2
    y, *last = function(
        x.flip(0) if turned else x, first, weights, b is not None, 1, 0.0, False, both, False
    )
    T, B = y.shape[:2]
    y = (y.flip(0) if turned else y).reshape(T, B, layer.directions, layer.hidden)
    return (y.transpose(1, 2), *last)


def _unrolled(
    layer: Layer, cells: list[Cell], x: rl.Tensor, state: list[rl.Tensor], lengths: Any
) -> tuple[rl.Tensor, ...]:
    """Step by step, each direction by itself."""
    ways, last = [], []
    for at, cell in enumerate(cells):
        turned = layer.direction == "reverse" or at == 1
        seen = _turn(x, lengths) if turned else x
        now = tuple(one[at] for one in state)
        outputs = []
        for step in range(x.shape[0]):
            after = cell(seen[step], *now)
            if lengths is not None:
                there = (step < lengths)[:, None]
                after = tuple(rl.where(there, a, b) for a, b in zip(after, now, strict=True))
                outputs.append(rl.where(there, after[0], rl.zeros_like(after[0])))
            else:
                outputs.append(after[0])
            now = after
        y = rl.stack(outputs)
        ways.append(_turn(y, lengths) if turned else y)
        last.append(now)
    ends = [rl.stack(list(column)) for column in zip(*last, strict=True)]
    return (rl.stack(ways, 1), *ends)


def _turn(x: rl.Tensor, lengths: Any) -> rl.Tensor:
    return x.flip(0) if lengths is None else reverse_sequence(x, lengths)


def _bound(x: rl.Tensor, clip: float | None) -> rl.Tensor:
    return x if clip is None else x.clamp(-clip, clip)


def _rnn_cell(layer: Layer, w: Any, r: Any, b: Any, p: Any, functions: list[Activation]) -> Cell:
    def cell(x: rl.Tensor, h: rl.Tensor) -> tuple[rl.Tensor, ...]:
        return (functions[0](_bound(F.linear(x, w, b[0]) + F.linear(h, r, b[1]), layer.clip)),)

    return cell


def _gru_cell(layer: Layer, w: Any, r: Any, b: Any, p: Any, functions: list[Activation]) -> Cell:
    f, g = functions
    H = layer.hidden

    def cell(x: rl.Tensor, h: rl.Tensor) -> tuple[rl.Tensor, ...]:
        from_x = F.linear(x, w, b[0])
        from_h = F.linear(h, r[: 2 * H], b[1][: 2 * H])
        z, reset = f(_bound(from_x[:, : 2 * H] + from_h, layer.clip)).chunk(2, 1)
        last, bias = r[2 * H :], b[1][2 * H :]
        if layer.more.get("linear_before_reset"):
            part = reset * F.linear(h, last, bias)
        else:
            part = F.linear(reset * h, last, bias)
        new = g(_bound(from_x[:, 2 * H :] + part, layer.clip))
        return ((1 - z) * new + z * h,)

    return cell


def _lstm_cell(layer: Layer, w: Any, r: Any, b: Any, p: Any, functions: list[Activation]) -> Cell:
    f, g, squash = functions

    def cell(x: rl.Tensor, h: rl.Tensor, c: rl.Tensor) -> tuple[rl.Tensor, ...]:
        i, o, forget, new = (F.linear(x, w, b[0]) + F.linear(h, r, b[1])).chunk(4, 1)
        if p is not None:
            i, forget = i + p[0] * c, forget + p[2] * c
        i = f(_bound(i, layer.clip))
        kept = 1 - i if layer.more.get("input_forget") else f(_bound(forget, layer.clip))
        c = kept * c + i * g(_bound(new, layer.clip))
        o = o if p is None else o + p[1] * c
        return f(_bound(o, layer.clip)) * squash(c), c

    return cell


CELLS = {"RNN": _rnn_cell, "GRU": _gru_cell, "LSTM": _lstm_cell}


def _cells(layer: Layer, w: Any, r: Any, b: Any, p: Any) -> list[Cell]:
    alpha, beta = list(layer.alpha), list(layer.beta)
    count = len(USUAL[layer.kind])
    cells = []
    for at in range(layer.directions):
        names = layer.activations[at * count : (at + 1) * count]
        functions = [_activation(name, alpha, beta) for name in names]
        bias = (None, None) if b is None else b[at].chunk(2, 0)
        if b is None:
            bias = (rl.zeros(w.shape[1], dtype=w.dtype),) * 2
        peepholes = None if p is None else p[at].chunk(3, 0)
        cells.append(CELLS[layer.kind](layer, w[at], r[at], bias, peepholes, functions))
    return cells


def _run(
    layer: Layer, x: rl.Tensor, w: rl.Tensor, r: rl.Tensor, b: Any, lengths: Any,
    state: Sequence[Any], p: Any = None,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    if layer.layout:
        x = x.transpose(0, 1)
        state = [None if one is None else one.transpose(0, 1) for one in state]
    zero = rl.zeros((layer.directions, x.shape[1], layer.hidden), dtype=x.dtype)
    first = [zero if one is None else one for one in state]
    if _is_usual(layer, lengths, p):
        y, *last = _fast(layer, x, w, r, b, first)
    else:
        y, *last = _unrolled(layer, _cells(layer, w, r, b, p), x, first, lengths)
    if layer.layout:
        return (y.permute(2, 0, 1, 3), *(one.transpose(0, 1) for one in last))
    return (y, *last)


def _layer(kind: str, given: dict[str, Any], more: dict[str, int]) -> Layer:
    direction = given.get("direction", "forward")
    usual = USUAL[kind] * (2 if direction == "bidirectional" else 1)
    return Layer(
        kind, given["hidden_size"], direction, given.get("layout", 0),
        tuple(given.get("activations", usual)), tuple(given.get("activation_alpha", ())),
        tuple(given.get("activation_beta", ())), given.get("clip"), more,
    )  # fmt: skip


@node("RNN")
def rnn(
    x: rl.Tensor, w: rl.Tensor, r: rl.Tensor, b: Any = None, lengths: Any = None, h: Any = None,
    **given: Any,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    return _run(_layer("RNN", given, {}), x, w, r, b, lengths, [h])


@node("GRU")
def gru(
    x: rl.Tensor, w: rl.Tensor, r: rl.Tensor, b: Any = None, lengths: Any = None, h: Any = None,
    *, linear_before_reset: int = 0, **given: Any,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    layer = _layer("GRU", given, {"linear_before_reset": linear_before_reset})
    return _run(layer, x, w, r, b, lengths, [h])


@node("LSTM")
def lstm(
    x: rl.Tensor, w: rl.Tensor, r: rl.Tensor, b: Any = None, lengths: Any = None, h: Any = None,
    c: Any = None, p: Any = None, *, input_forget: int = 0, **given: Any,
) -> tuple[rl.Tensor, ...]:  # fmt: skip
    layer = _layer("LSTM", given, {"input_forget": input_forget})
    return _run(layer, x, w, r, b, lengths, [h, c], p)
