"""Recurrent layers: Elman's, long short-term memory and gated recurrent units."""

from __future__ import annotations

from typing import Any

from rushlight.graph.node import Node
from rushlight.tensor.tensor import Tensor

from .recurrent import RNNBase, State


class RNN(RNNBase):
    r"""A stack of Elman's recurrent layers, :math:`h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh}
    h_{t-1} + b_{hh})`.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the states.
        num_layers: how many layers there are; each after the first has the outputs of the one
            before for its input.
        nonlinearity: ``"tanh"`` or ``"relu"``.
        bias: whether there are the two biases.
        batch_first: whether input and output are (N, T, width) rather than (T, N, width).
        dropout: the probability with which outputs of all layers but the last are left out.
        bidirectional: whether each layer also runs from the end, and has both outputs side by side.
    Shape:
        input (T, N, input_size), (T, input_size) or a ``PackedSequence``; states
        (num_layers * directions, N, hidden_size), zeros if none are given; returns the outputs
        (T, N, directions * hidden_size) and the last states.
    Raises:
        ValueError, TypeError: an argument that makes no layer, or an input of another dtype.
        RuntimeError: an input or states of another size.
    Reference:
        Elman 1990, "Finding structure in time"; parameters start uniform between plus and minus
        ``1 / sqrt(hidden_size)``.
    Example:
        >>> import rushlight as rl
        >>> outputs, last = rl.nn.RNN(10, 20, 2)(rl.randn(5, 3, 10))
        >>> outputs.shape, last.shape
        (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        if len(args) > 3:
            nonlinearity, args = args[3], (*args[:3], *args[4:])
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    r"""A stack of long short-term memory layers.

    .. math:: i, f, o = \sigma(\cdot),\quad g = \tanh(\cdot),\quad
       c_t = f c_{t-1} + i g,\quad h_t = o \tanh(c_t)

    Each dot stands for its own :math:`W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh}`; the
    parameters hold those of i, f, g and o one after the other.

    Args:
        input_size: the width of the input.
        hidden_size: the width of the states.
        num_layers: how many layers there are.
        bias: whether there are the two biases.
        batch_first: whether input and output are (N, T, width) rather than (T, N, width).
        dropout: the probability with which outputs of all layers but the last are left out.
        bidirectional: whether each layer also runs from the end.
        proj_size: the width that outputs are projected to; 0 for none.
    Shape:
        as ``RNN``, with a pair of states: the outputs' and the cells'
        (num_layers * directions, N, hidden_size).
    Raises:
        ValueError, TypeError: an argument that makes no layer, or an input of another dtype.
        RuntimeError: an input or states of another size.
    Reference:
        Hochreiter & Schmidhuber 1997, "Long short-term memory"; Gers et al. 2000 (forget gate);
        Sak et al. 2014, arXiv:1402.1128 (projections).
    Example:
        >>> import rushlight as rl
        >>> outputs, (last, cells) = rl.nn.LSTM(10, 20, 2, batch_first=True)(rl.randn(3, 5, 10))
        >>> outputs.shape, cells.shape
        (torch.Size([3, 5, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def _state_shapes(self, batch: int) -> tuple[tuple[int, ...], ...]:
        (outputs,) = super()._state_shapes(batch)
        return outputs, (outputs[0], batch, self.hidden_size)

    def _state_names(self) -> tuple[str, ...]:
        return "hidden[0]", "hidden[1]"

    def _listed(self, hx: State) -> tuple[Tensor, ...]:
        return hx[0], hx[1]

    def _states_of(self, last: tuple[Node, ...]) -> State:
        return Tensor(last[0]), Tensor(last[1])


class GRU(RNNBase):
    r"""A stack of gated recurrent layers.

    .. math:: r, z = \sigma(\cdot),\quad
       n = \tanh(W_{in} x_t + b_{in} + r (W_{hn} h_{t-1} + b_{hn})),\quad
       h_t = (1 - z) n + z h_{t-1}

    Arguments, shapes and faults are those of ``RNN``, without ``nonlinearity``.

    Reference:
        Cho et al. 2014, arXiv:1406.1078, with the reset gate after the product.
    Example:
        >>> import rushlight as rl
        >>> outputs, last = rl.nn.GRU(10, 20, bidirectional=True)(rl.randn(5, 3, 10))
        >>> outputs.shape, last.shape
        (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]))
    """

    _autocast = "first"  # the new state is added to the old one, whose type is the input's

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


def _refuse_projection(options: dict[str, Any]) -> None:
    if "proj_size" in options:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
