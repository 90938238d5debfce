"""A recurrent layer as ONNX's LSTM, GRU or RNN; ``to`` is the export's writer."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight.base.dtypes import int32

KINDS = {"lstm": "LSTM", "gru": "GRU", "tanh": "RNN", "relu": "RNN"}
ORDERS = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "tanh": (0,), "relu": (0,)}
"""Where ONNX's gates stand among ours: i, o, f, c and z, r, h."""
FORMS: dict[str, dict[str, Any]] = {
    "gru": {"linear_before_reset": 1}, "tanh": {"activations": ["Tanh"]},
    "relu": {"activations": ["Relu"]},
}  # fmt: skip


def ran(to: Any, cell: str, inputs: Any, reverse: bool) -> Any:
    """The outputs and the last states."""
    w = inputs.parameters
    if w.w_hr is not None:
        return None
    count = len(ORDERS[cell])
    hidden = w.w_hh.shape[1]
    lengths = None if inputs.lengths is None else to.cast(inputs.lengths, int32)
    made = to(
        KINDS[cell], inputs.x, *(_ordered(to, each, cell, hidden) for each in (w.w_ih, w.w_hh)),
        _biases(to, w, cell, hidden, count), lengths,
        *(to("Unsqueeze", state, [0]) for state in inputs.state),
        results=1 + len(inputs.state), hidden_size=hidden,
        direction="reverse" if reverse else "forward", **FORMS.get(cell, {}),
    )  # fmt: skip
    outputs, *states = made
    return (to("Squeeze", outputs, [1]), *(to("Squeeze", state, [0]) for state in states))


def _ordered(to: Any, weight: Any, cell: str, hidden: int) -> Any:
    """A weight with its gates in ONNX's order, for one direction."""
    return to("Unsqueeze", _gates(to, weight, cell, hidden), [0])


def _gates(to: Any, weight: Any, cell: str, hidden: int) -> Any:
    order = ORDERS[cell]
    if len(order) == 1:
        return weight
    parts = to("Split", weight, [hidden] * len(order), results=len(order), axis=0)
    return to("Concat", *(parts[k] for k in order), axis=0)


def _biases(to: Any, w: Any, cell: str, hidden: int, count: int) -> Any:
    """Both biases behind each other; None where there are none."""
    if w.b_ih is None and w.b_hh is None:
        return None
    zeros = to.like(np.zeros(count * hidden), w.w_hh)
    both = [zeros if b is None else _gates(to, b, cell, hidden) for b in (w.b_ih, w.b_hh)]
    return to("Unsqueeze", to("Concat", *both, axis=0), [0])
