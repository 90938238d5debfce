"""Stacks of recurrent cells that run over a sequence, in one direction or in both."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgValueError, ShapeError
from rushlight.graph.node import Node
from rushlight.ops.autocast import mode, taken
from rushlight.ops.recurrence import CELLS
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence, packed_like, padded

State = Any
"""The states of all layers: a tensor (layers * directions, N, width), or a pair of them."""


class RNNBase(Module):
    """What recurrent layers share. Abstract.

    Args:
        mode: ``"RNN_TANH"``, ``"RNN_RELU"``, ``"LSTM"`` or ``"GRU"``.
    """

    _autocast: ClassVar[str] = "lower"
    _cells: ClassVar[dict[str, str]] = {
        "RNN_TANH": "tanh", "RNN_RELU": "relu", "LSTM": "lstm", "GRU": "gru",
    }  # fmt: skip

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1,
        bias: bool = True, batch_first: bool = False, dropout: float = 0.0,
        bidirectional: bool = False, proj_size: int = 0, device: Device | str | None = None,
        dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check()
        self.dropout = float(dropout)
        self._cell = self._cells[mode]
        self._add_parameters(device, dtype)
        self.reset_parameters()

    def _check(self) -> None:
        for name, kind in (("input_size", int), ("hidden_size", int), ("bias", bool)):
            value = getattr(self, name)
            if not isinstance(value, kind):
                raise TypeError(
                    f"{name} should be of type {kind.__name__}, got: {type(value).__name__}"
                )
        dropout = self.dropout
        number = isinstance(dropout, (int, float)) and not isinstance(dropout, bool)
        if not number or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an"
                " element being zeroed"
            )
        if dropout > 0 and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero"
                f" dropout expects num_layers greater than 1, but got dropout={dropout} and"
                f" num_layers={self.num_layers}",
                stacklevel=4,
            )
        for name in ("hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if self.proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if self.proj_size >= self.hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")

    # Parameters ------------------------------------------------------------------------------

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _width(self) -> int:
        """The width of the output in one direction."""
        return self.proj_size or self.hidden_size

    def _names(self, layer: int, direction: int) -> list[str]:
        """The parameters of one layer in one direction."""
        stems = ["weight_ih", "weight_hh"]
        if self.bias:
            stems += ["bias_ih", "bias_hh"]
        if self.proj_size:
            stems.append("weight_hr")
        return [f"{stem}_l{layer}" + ("_reverse" if direction else "") for stem in stems]

    def _places(self) -> Iterator[tuple[int, int]]:
        """Every layer and direction."""
        for layer in range(self.num_layers):
            for direction in range(self._directions):
                yield layer, direction

    def _add_parameters(self, device: Device | str | None, dtype: DType | None) -> None:
        rows = CELLS[self._cell].gates * self.hidden_size
        for layer, direction in self._places():
            below = self._directions * self._width if layer else self.input_size
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, below), "weight_hh": (rows, self._width), "bias_ih": (rows,),
                "bias_hh": (rows,), "weight_hr": (self.proj_size, self.hidden_size),
            }  # fmt: skip
            for name in self._names(layer, direction):
                shape = shapes[name[: name.rindex("_l")]]
                setattr(self, name, Parameter(empty(shape, device=device, dtype=dtype)))

    def reset_parameters(self) -> None:
        """Draws the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in self._names(*place)] for place in self._places()]

    def flatten_parameters(self) -> None:
        """Does nothing: there is no layout of the parameters that is faster."""

    # Forward ---------------------------------------------------------------------------------

    def forward(
        self, input: Tensor | PackedSequence, hx: State = None
    ) -> tuple[Tensor | PackedSequence, State]:
        """The output of the last layer at every step, and the last states of all layers."""
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        x = input.node
        self._check_input(x, input)
        batched = x.ndim == 3
        if not batched:
            x = ops.unsqueeze(x, 1)
        elif self.batch_first:
            x = ops.transpose(x, 0, 1)
        first = self._given_states(hx, x.shape[1], batched)
        y, last = self._run(x, first, None)
        if not batched:
            y, last = ops.squeeze(y, 1), tuple(ops.squeeze(state, 1) for state in last)
        elif self.batch_first:
            y = ops.transpose(y, 0, 1)
        return Tensor(y), self._states_of(last)

    def _forward_packed(self, input: PackedSequence, hx: State) -> tuple[PackedSequence, State]:
        x, lengths = padded(input)
        self._check_input(x.node, input.data)
        first = self._given_states(hx, x.shape[1], True)
        order, back = input.sorted_indices, input.unsorted_indices
        if hx is not None and order is not None:
            first = tuple(ops.index_select(state, 1, order.node) for state in first)
        y, last = self._run(x.node, first, lengths.node)
        if back is not None:
            last = tuple(ops.index_select(state, 1, back.node) for state in last)
        return packed_like(input, Tensor(y)), self._states_of(last)

    def _run(
        self, x: Node, first: tuple[Node, ...], lengths: Node | None
    ) -> tuple[Node, tuple[Node, ...]]:
        """All layers on a sequence (T, N, width), from the first states of all to the last."""
        last: list[tuple[Node, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(Tensor(x), self.dropout).node
            sides = []
            for direction in range(self._directions):
                state = tuple(ops.select(each, 0, len(last)) for each in first)
                y, new = self._run_one(x, state, layer, direction, lengths)
                sides.append(y)
                last.append(new)
            x = sides[0] if len(sides) == 1 else ops.cat(tuple(sides), 2)
        return x, tuple(ops.stack(kind) for kind in zip(*last, strict=True))

    def _run_one(
        self, x: Node, state: tuple[Node, ...], layer: int, direction: int, lengths: Node | None
    ) -> tuple[Node, tuple[Node, ...]]:
        kinds = {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh",
                 "weight_hr": "w_hr"}  # fmt: skip
        weights = {
            kinds[name[: name.rindex("_l")]]: getattr(self, name).node
            for name in self._names(layer, direction)
        }
        x, state, *values = taken(self._autocast, x, state, *weights.values())
        weights = dict(zip(weights, values, strict=True))
        w_ih, w_hh = weights.pop("w_ih"), weights.pop("w_hh")
        return ops.recurrent(
            self._cell, x, state, w_ih, w_hh, reverse=direction == 1, **weights, lengths=lengths
        )

    # Input and states ------------------------------------------------------------------------

    def _check_input(self, x: Node, input: Tensor) -> None:
        name, weight = type(self).__name__, self.weight_ih_l0.dtype
        if x.ndim not in (2, 3):
            raise ArgValueError(
                name, f"{name}: Expected input to be 2D or 3D, got {x.ndim}D instead"
            )
        if x.dtype is not weight and mode.dtype is None:
            raise ArgValueError(
                name,
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({weight}). Convert"
                f" input: input.to({weight}), or convert model: model.to({x.dtype})",
            )
        if x.shape[-1] != self.input_size:
            raise ShapeError(
                name,
                "input.size(-1) must be equal to input_size. Expected"
                f" {self.input_size}, got {x.shape[-1]}",
                rule=f"The input is {tuple(input.shape)}.",
            )

    def _state_shapes(self, batch: int) -> tuple[tuple[int, ...], ...]:
        """What the states of all layers must be."""
        count = self.num_layers * self._directions
        return ((count, batch, self._width),)

    def _given_states(self, hx: State, batch: int, batched: bool) -> tuple[Node, ...]:
        """The states (layers * directions, N, width): those given, or zeros."""
        shapes = self._state_shapes(batch)
        if hx is None:
            dtype = self.weight_ih_l0.dtype
            return tuple(ops.full(shape, 0, dtype) for shape in shapes)
        nodes = tuple(state.node for state in self._listed(hx))
        self._check_rank(nodes, batched)
        if not batched:
            nodes = tuple(ops.unsqueeze(node, 1) for node in nodes)
        for node, shape, name in zip(nodes, shapes, self._state_names(), strict=True):
            if node.shape != shape:
                raise ShapeError(
                    type(self).__name__,
                    f"Expected {name} size {shape}, got {list(node.shape)}",
                )
        return nodes

    def _check_rank(self, nodes: tuple[Node, ...], batched: bool) -> None:
        rank = 3 if batched else 2
        if any(node.ndim != rank for node in nodes):
            several = len(nodes) > 1
            found = ", ".join(f"{node.ndim}-D" for node in nodes)
            raise ShapeError(
                type(self).__name__,
                f"For {'' if batched else 'un'}batched {rank}-D input, hx{' and cx' * several}"
                f" should also be {rank}-D but got"
                f" {f'({found}) tensors' if several else f'{found} tensor'}",
            )

    def _state_names(self) -> tuple[str, ...]:
        return ("hidden",)

    def _listed(self, hx: State) -> tuple[Tensor, ...]:
        return (hx,)

    def _states_of(self, last: tuple[Node, ...]) -> State:
        return Tensor(last[0])

    def extra_repr(self) -> str:
        shown = [f"{self.input_size}, {self.hidden_size}"]
        for name, usual in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
            ("dropout", 0), ("bidirectional", False),
        ):  # fmt: skip
            if getattr(self, name) != usual:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join(shown)
