"""Recurrent layers and cells as functions of their weights, as PyTorch has them at its top."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from rushlight import Tensor

from . import functional as F
from . import rnn as layers
from .utils.rnn import PackedSequence
from .utils.stateless import replaced

Tensors = Sequence[Tensor]


def _layer(kind: str, params: Tensors, options: dict[str, Any]) -> tuple[Any, dict[str, Tensor]]:
    """A layer of the sizes that the weights have, and its weights by name."""
    count = options["num_layers"] * (1 + options["bidirectional"])
    projected = len(params) // count == (5 if options["bias"] else 3)
    name, word = {"rnn_tanh": ("RNN", "tanh"), "rnn_relu": ("RNN", "relu")}.get(kind, (kind, ""))
    more: dict[str, Any] = {"nonlinearity": word} if word else {}
    if projected:
        more["proj_size"] = params[1].shape[1]
    hidden = params[0].shape[0] // {"lstm": 4, "gru": 3}.get(kind, 1)
    made = _bare(name.upper(), params[0].shape[1], hidden, {**options, **more})
    names = [name for place in made._places() for name in made._names(*place)]
    return made, dict(zip(names, params, strict=True))


class _Kept(threading.local):
    """Layers by what they are made with; a thread has its own, since weights are put into them."""

    def __init__(self) -> None:
        self.layers: dict[tuple[Any, ...], Any] = {}


_kept = _Kept()
MOST_KEPT = 64


def _bare(name: str, width: int, hidden: int, options: dict[str, Any]) -> Any:
    """A layer whose own weights nobody looks at."""
    key = (name, width, hidden, *sorted(options.items()))
    found = _kept.layers.get(key)
    if found is None:
        if len(_kept.layers) >= MOST_KEPT:
            _kept.layers.clear()
        found = _kept.layers[key] = _UNDRAWN[name](width, hidden, **options)
    return found


def _undrawn(name: str) -> type:
    """A layer's class without the first values of its weights: drawing them would be noticed."""
    return type(name, (getattr(layers, name),), {"reset_parameters": lambda self: None})


_UNDRAWN = {name: _undrawn(name) for name in ("RNN", "LSTM", "GRU")}


def _sequence(kind: str) -> Callable[..., tuple[Tensor, ...]]:
    def function(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, ...]:
        packed = "batch_sizes" in kwargs or (args and _is_sizes(args, kwargs))
        call = _packed if packed else _padded
        return call(kind, input, *args, **kwargs)

    function.__name__ = function.__qualname__ = kind
    function.__doc__ = (
        f"``{kind}`` over a sequence: ``(input, hx, params, has_biases, num_layers, dropout, train,"
        " bidirectional, batch_first)``, or ``(data, batch_sizes, hx, params, has_biases,"
        " num_layers, dropout, train, bidirectional)`` for a packed one."
    )
    return function


def _is_sizes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether what follows the input are sizes of batches: weights then are in the third place."""
    third = args[2] if len(args) > 2 else kwargs.get("params")
    return isinstance(third, list | tuple) and isinstance(args[0], Tensor)


def _padded(
    kind: str, input: Tensor, hx: Any, params: Tensors, has_biases: bool, num_layers: int,
    dropout: float, train: bool, bidirectional: bool, batch_first: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    options = {
        "num_layers": num_layers, "bias": has_biases, "batch_first": batch_first,
        "dropout": dropout if train and num_layers > 1 else 0.0, "bidirectional": bidirectional,
    }  # fmt: skip
    return _called(kind, params, options, input, hx)


def _packed(
    kind: str, data: Tensor, batch_sizes: Tensor, hx: Any, params: Tensors, has_biases: bool,
    num_layers: int, dropout: float, train: bool, bidirectional: bool,
) -> tuple[Tensor, ...]:  # fmt: skip
    options = {
        "num_layers": num_layers, "bias": has_biases, "bidirectional": bidirectional,
        "dropout": dropout if train and num_layers > 1 else 0.0,
    }  # fmt: skip
    given = PackedSequence(data, batch_sizes)
    y, *last = _called(kind, params, options, given, hx)
    return (y.data, *last)


def _called(
    kind: str, params: Tensors, options: dict[str, Any], input: Any, hx: Any
) -> tuple[Any, ...]:
    layer, weights = _layer(kind, params, options)
    state = tuple(hx) if kind == "lstm" else hx
    with replaced(layer, weights):
        y, last = layer(input, state)
    return (y, *last) if kind == "lstm" else (y, last)


rnn_tanh, rnn_relu, lstm, gru = map(_sequence, ("rnn_tanh", "rnn_relu", "lstm", "gru"))


# Cells --------------------------------------------------------------------------------------


def _gates(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None
) -> tuple[Tensor, Tensor]:
    return F.linear(input, w_ih, b_ih), F.linear(hx, w_hh, b_hh)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The next state of a recurrent layer with ``tanh``."""
    x, h = _gates(input, hx, w_ih, w_hh, b_ih, b_hh)
    return (x + h).tanh()


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The next state of a recurrent layer with ``relu``."""
    x, h = _gates(input, hx, w_ih, w_hh, b_ih, b_hh)
    return (x + h).relu()


def lstm_cell(
    input: Tensor, hx: Tensors, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The next output and memory of an LSTM."""
    hidden, memory = hx
    x, h = _gates(input, hidden, w_ih, w_hh, b_ih, b_hh)
    take, keep, new, show = (x + h).chunk(4, -1)
    memory = keep.sigmoid() * memory + take.sigmoid() * new.tanh()
    return show.sigmoid() * memory.tanh(), memory


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The next state of a GRU."""
    x, h = _gates(input, hx, w_ih, w_hh, b_ih, b_hh)
    (x_reset, x_keep, x_new), (h_reset, h_keep, h_new) = x.chunk(3, -1), h.chunk(3, -1)
    keep = (x_keep + h_keep).sigmoid()
    new = (x_new + (x_reset + h_reset).sigmoid() * h_new).tanh()
    return new + keep * (hx - new)
