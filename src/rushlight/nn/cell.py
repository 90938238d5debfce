"""Recurrent cells as layers: one step at a time, for loops that are one's own."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from rushlight import ops
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgValueError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.ops.autocast import taken
from rushlight.ops.recurrence import CELLS
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor

from . import init
from .module import Module
from .parameter import Parameter


class RNNCellBase(Module):
    """What recurrent cells share. Abstract."""

    _autocast: ClassVar[str] = "first"  # the state's type, as what it is added to
    _states: ClassVar[int] = 1
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(empty(rows, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _cell(self) -> str:
        """Which cell takes the step."""
        raise NotImplementedError

    def _step(self, input: Tensor, states: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        """The new states."""
        x = input.node
        self._check_rank(x, "input")
        batched = x.ndim == 2
        x = x if batched else ops.unsqueeze(x, 0)
        if states is None:
            zeros = ops.full((x.shape[0], self.hidden_size), 0, x.dtype)
            nodes = (zeros,) * self._states
        else:
            given = [state.node for state in states]
            for node in given:
                self._check_rank(node, "hidden")
            nodes = tuple([node if node.ndim == 2 else ops.unsqueeze(node, 0) for node in given])
        self._check_sizes(x, nodes)
        weights = [
            None if weight is None else weight.node
            for weight in (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        ]
        *nodes, x, w_ih, w_hh, b_ih, b_hh = taken(self._autocast, *nodes, x, *weights)
        _, last = ops.recurrent(
            self._cell(), ops.unsqueeze(x, 0), tuple(nodes), w_ih, w_hh, b_ih=b_ih, b_hh=b_hh
        )
        return tuple([Tensor(node if batched else ops.squeeze(node, 0)) for node in last])

    def _check_rank(self, node: Node, what: str) -> None:
        if node.ndim not in (1, 2):
            name = type(self).__name__
            raise ArgValueError(
                name, f"{name}: Expected {what} to be 1D or 2D, got {node.ndim}D instead"
            )

    def _check_sizes(self, x: Node, states: tuple[Node, ...]) -> None:
        name = type(self).__name__
        if x.shape[1] != self.input_size:
            raise ShapeError(
                name,
                f"input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}",
            )
        for place, state in enumerate(states):
            if state.shape[0] != x.shape[0]:
                raise ShapeError(
                    name,
                    f"Input batch size {x.shape[0]} doesn't match hidden{place} batch size"
                    f" {state.shape[0]}",
                )
            if state.shape[1] != self.hidden_size:
                raise ShapeError(
                    name,
                    f"hidden{place} has inconsistent hidden_size: got {state.shape[1]}, expected"
                    f" {self.hidden_size}",
                )

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return shown if nonlinearity == "tanh" else f"{shown}, nonlinearity={nonlinearity}"


class RNNCell(RNNCellBase):
    r"""One step of Elman's recurrent layer,
    :math:`h' = \tanh(W_{ih} x + b_{ih} + W_{hh} h + b_{hh})`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the state.
        bias: whether there are the two biases.
        nonlinearity: ``"tanh"`` or ``"relu"``.
    Shape:
        input (N, input_size) or (input_size); state (N, hidden_size) or (hidden_size), zeros if
        none is given; returns the new state.
    Raises:
        ValueError: an input with other dimensions.
        RuntimeError: an input or a state of another size, or another ``nonlinearity``.
    Reference:
        Elman 1990, "Finding structure in time".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.RNNCell(10, 20)(rl.randn(3, 10)).shape
        torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, CELLS["tanh"].gates, device, dtype)
        self.nonlinearity = nonlinearity

    _autocast = "lower"

    def _cell(self) -> str:
        if self.nonlinearity not in ("tanh", "relu"):
            raise OperationError("RNNCell", f"Unknown nonlinearity: {self.nonlinearity}")
        return self.nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Any:
        return self._step(input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory layer; what it computes is said at ``LSTM``.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the states.
        bias: whether there are the two biases.
    Shape:
        input (N, input_size) or (input_size); a pair of states (N, hidden_size) or (hidden_size),
        zeros if none is given; returns the new pair.
    Raises:
        ValueError: an input with other dimensions.
        RuntimeError: an input or a state of another size.
    Reference:
        Hochreiter & Schmidhuber 1997, "Long short-term memory".
    Example:
        >>> import rushlight as rl
        >>> output, cell = rl.nn.LSTMCell(10, 20)(rl.randn(3, 10))
        >>> output.shape, cell.shape
        (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    _states = 2

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, CELLS["lstm"].gates, device, dtype)

    def _cell(self) -> str:
        return "lstm"

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> Any:
        return self._step(input, None if hx is None else (hx[0], hx[1]))


class GRUCell(RNNCellBase):
    """One step of a gated recurrent layer; what it computes is said at ``GRU``.

    Arguments, shapes and faults are those of ``RNNCell``, without ``nonlinearity``.

    Reference:
        Cho et al. 2014, arXiv:1406.1078.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.GRUCell(10, 20)(rl.randn(3, 10), rl.zeros(3, 20)).shape
        torch.Size([3, 20])
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True,
        device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, CELLS["gru"].gates, device, dtype)

    def _cell(self) -> str:
        return "gru"

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Any:
        return self._step(input, None if hx is None else (hx,))[0]
