"""Recurrent cells and their run over time, forwards and backwards: once for arrays and nodes.

A cell says how one step goes and how a gradient goes back through it. Running it over a sequence,
in either direction, with sequences of different lengths and with a projection of the state, is the
same for every cell. On NumPy arrays this is the reference; on nodes it is what a gradient of a
gradient goes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rushlight import ops
from rushlight.base.shapes import prod
from rushlight.graph.node import Node


class OnArrays:
    """What the cells need beyond the operators, for NumPy arrays."""

    tanh, where = staticmethod(np.tanh), staticmethod(np.where)
    stack = staticmethod(np.stack)

    @staticmethod
    def sigmoid(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def relu(x: Any) -> Any:
        return np.maximum(x, 0)

    @staticmethod
    def positive(y: Any, g: Any) -> Any:
        return np.where(y > 0, g, 0)

    @staticmethod
    def at(x: Any, step: int) -> Any:
        return x[step]

    @staticmethod
    def split(x: Any, width: int) -> list[Any]:
        return [x[..., k : k + width] for k in range(0, x.shape[-1], width)]

    @staticmethod
    def join(parts: Sequence[Any]) -> Any:
        return np.concatenate(parts, axis=-1)

    @staticmethod
    def linear(x: Any, weight: Any, bias: Any = None) -> Any:
        y = np.matmul(x, weight.T)
        return y if bias is None else y + bias

    @staticmethod
    def outer(g: Any, x: Any) -> Any:
        """The gradient of a weight from those of all products with it."""
        rows = prod(g.shape[:-1])
        return g.reshape(rows, g.shape[-1]).T @ x.reshape(rows, x.shape[-1])

    @staticmethod
    def total(g: Any) -> Any:
        """The gradient of a bias."""
        return g.reshape(prod(g.shape[:-1]), g.shape[-1]).sum(axis=0)

    @staticmethod
    def product(g: Any, weight: Any) -> Any:
        return np.matmul(g, weight)


class OnNodes:
    """The same for nodes."""

    @staticmethod
    def tanh(x: Node) -> Any:
        return ops.tanh(x)

    @staticmethod
    def where(condition: Node, x: Node, y: Any) -> Any:
        return ops.where(condition, x, y)

    @staticmethod
    def stack(nodes: Sequence[Node]) -> Node:
        return ops.stack(tuple(nodes))

    @staticmethod
    def sigmoid(x: Node) -> Any:
        return ops.sigmoid(x)

    @staticmethod
    def relu(x: Node) -> Any:
        return ops.relu(x)

    @staticmethod
    def positive(y: Node, g: Node) -> Any:
        return ops.where(y > 0, g, 0.0)

    @staticmethod
    def at(x: Node, step: int) -> Any:
        return ops.select(x, 0, step)

    @staticmethod
    def split(x: Node, width: int) -> list[Node]:
        return [ops.slice_(x, x.ndim - 1, k, k + width) for k in range(0, x.shape[-1], width)]

    @staticmethod
    def join(parts: Sequence[Node]) -> Node:
        return ops.cat(tuple(parts), -1)

    @staticmethod
    def linear(x: Node, weight: Node, bias: Node | None = None) -> Node:
        return ops.linear(x, weight, bias)

    @staticmethod
    def outer(g: Node, x: Node) -> Node:
        rows = prod(g.shape[:-1])
        g, x = ops.reshape(g, (rows, g.shape[-1])), ops.reshape(x, (rows, x.shape[-1]))
        return ops.matmul(ops.transpose(g, 0, 1), x)

    @staticmethod
    def total(g: Node) -> Node:
        return ops.sum(g, tuple(range(g.ndim - 1)))

    @staticmethod
    def product(g: Node, weight: Node) -> Node:
        return ops.matmul(g, weight)


# Cells ----------------------------------------------------------------------------------------


class Cell:
    """One step of a recurrent network. Abstract.

    Attributes:
        gates: how many times as wide as the state its products with the weights are.
        states: how many states it has; the first one is its output.
        saved: how many values of the state's width a gradient needs of each step, besides the old
            output, which the gradient of the weight needs as well.
        apart: whether it uses its two products otherwise than by their sum.
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1
    saved: ClassVar[int]
    apart: ClassVar[bool] = False

    def step(self, xp: Any, a: Any, b: Any, state: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The new states, and what a gradient will need.

        Args:
            a, b: the products of the input and of the state with their weights.
        """
        raise NotImplementedError

    def back(self, xp: Any, g: Any, saved: Any) -> tuple[Any, Any, tuple[Any, ...]]:
        """The gradients of ``a``, of ``b`` and of the old states, without that through ``b``.

        Args:
            g: gradients of the new states.
            saved: what :meth:`step` has left, and the old output.
        """
        raise NotImplementedError

    def output(self, xp: Any, saved: Any) -> Any:
        """The first of the new states, before it is projected."""
        raise NotImplementedError


class TanhCell(Cell):
    """``h' = tanh(a + b)``: Elman 1990, "Finding structure in time"."""

    gates, saved = 1, 1

    def step(self, xp: Any, a: Any, b: Any, state: Any) -> Any:
        h = xp.tanh(a + b)
        return (h,), (h,)

    def back(self, xp: Any, g: Any, saved: Any) -> Any:
        h, _ = saved
        both = g[0] * (1 - h * h)
        return both, both, (None,)


class ReluCell(Cell):
    """``h' = max(a + b, 0)``: Le et al. 2015, arXiv:1504.00941."""

    gates, saved = 1, 1

    def step(self, xp: Any, a: Any, b: Any, state: Any) -> Any:
        h = xp.relu(a + b)
        return (h,), (h,)

    def back(self, xp: Any, g: Any, saved: Any) -> Any:
        both = xp.positive(saved[0], g[0])
        return both, both, (None,)


class LSTMCell(Cell):
    """Long short-term memory: Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al.
    2000.

    Of the four parts of ``a + b`` come the gates ``i``, ``f``, ``o`` by a sigmoid and the candidate
    ``n`` by a tanh, in the order i, f, n, o; then ``c' = f c + i n`` and ``h' = o tanh(c')``.
    """

    gates, states, saved = 4, 2, 6

    def step(self, xp: Any, a: Any, b: Any, state: Any) -> Any:
        c = state[1]
        i, f, n, o = xp.split(a + b, c.shape[-1])
        i, f, n, o = xp.sigmoid(i), xp.sigmoid(f), xp.tanh(n), xp.sigmoid(o)
        new = f * c + i * n
        t = xp.tanh(new)
        return (o * t, new), (i, f, n, o, c, t)

    def back(self, xp: Any, g: Any, saved: Any) -> Any:
        i, f, n, o, c, t, _ = saved
        gh, gc = g
        gc = gc + gh * o * (1 - t * t)
        gates = gc * n * i * (1 - i), gc * c * f * (1 - f), gc * i * (1 - n * n)
        both = xp.join((*gates, gh * t * o * (1 - o)))
        return both, both, (None, gc * f)

    def output(self, xp: Any, saved: Any) -> Any:
        return saved[3] * saved[5]


class GRUCell(Cell):
    """Gated recurrent unit: Cho et al. 2014, arXiv:1406.1078, with the reset after the product.

    In the order r, z, n: ``r`` and ``z`` are sigmoids of ``a + b``, the candidate is
    ``n = tanh(a + r b)``, and ``h' = (1 - z) n + z h``.
    """

    gates, saved, apart = 3, 4, True

    def step(self, xp: Any, a: Any, b: Any, state: Any) -> Any:
        h = state[0]
        (ar, az, an), (br, bz, bn) = xp.split(a, h.shape[-1]), xp.split(b, h.shape[-1])
        r, z = xp.sigmoid(ar + br), xp.sigmoid(az + bz)
        n = xp.tanh(an + r * bn)
        return (n + z * (h - n),), (r, z, n, bn)

    def back(self, xp: Any, g: Any, saved: Any) -> Any:
        r, z, n, bn, h = saved
        gn = g[0] * (1 - z) * (1 - n * n)
        gates = gn * bn * r * (1 - r), g[0] * (h - n) * z * (1 - z)
        return xp.join((*gates, gn)), xp.join((*gates, gn * r)), (g[0] * z,)


CELLS: dict[str, Cell] = {
    "tanh": TanhCell(), "relu": ReluCell(), "lstm": LSTMCell(), "gru": GRUCell(),
}  # fmt: skip


# Over time ------------------------------------------------------------------------------------


class Parameters(NamedTuple):
    """The weights of one layer in one direction.

    Attributes:
        w_ih, w_hh: of the input and of the state, (gates * hidden, width).
        b_ih, b_hh: what is added to their products, or None.
        w_hr: projects the output, (projected, hidden), or None.
    """

    w_ih: Any
    w_hh: Any
    b_ih: Any = None
    b_hh: Any = None
    w_hr: Any = None


class Run(NamedTuple):
    """What a run over time leaves: outputs (T, B, H), last states, and per step what is saved."""

    output: list[Any]
    state: tuple[Any, ...]
    saved: list[tuple[Any, ...]]


def forwards(
    xp: Any,
    cell: Cell,
    a: Any,
    state: tuple[Any, ...],
    given: Parameters,
    alive: Any,
    reverse: bool,
) -> Run:
    """Runs a cell over a sequence.

    Args:
        a: the products of all inputs with their weight, (T, B, gates * hidden).
        alive: (T, B, 1), whether a sequence goes on at a step; None when all have one length. At a
            step where it does not, the state stays and the output is 0.
    """
    steps = a.shape[0]
    output: list[Any] = [None] * steps
    saved: list[Any] = [()] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        b = xp.linear(state[0], given.w_hh, given.b_hh)
        new, kept = cell.step(xp, xp.at(a, t), b, state)
        if given.w_hr is not None:
            new = (xp.linear(new[0], given.w_hr), *new[1:])
        saved[t] = (*kept, state[0])
        output[t] = new[0]
        if alive is not None:
            going = xp.at(alive, t)
            output[t] = xp.where(going, new[0], 0.0)
            new = tuple(xp.where(going, n, s) for n, s in zip(new, state, strict=True))
        state = new
    return Run(output, state, saved)


class Back(NamedTuple):
    """What a run back over time leaves.

    Attributes:
        a, b: the gradients of the products with the two weights, (T, B, gates * hidden); one and
            the same for cells that use only their sum.
        state: those of the first states.
        projected: those of the projected outputs, (T, B, projected), or None.
    """

    a: Any
    b: Any
    state: tuple[Any, ...]
    projected: Any


def backwards(
    xp: Any, cell: Cell, g_output: Any, g_state: tuple[Any, ...], saved: list[tuple[Any, ...]],
    given: Parameters, alive: Any, reverse: bool,
) -> Back:  # fmt: skip
    """The gradients of a run.

    Args:
        g_output: that of the outputs (T, B, H).
        g_state: those of the last states.
        saved: what :func:`forwards` has left.
    """
    steps = len(saved)
    ga: list[Any] = [None] * steps
    gb: list[Any] = [None] * steps
    projected: list[Any] = [None] * steps
    for t in range(steps) if reverse else reversed(range(steps)):
        going = None if alive is None else xp.at(alive, t)
        g_new = (g_state[0] + xp.at(g_output, t), *g_state[1:])
        if going is not None:
            g_new = tuple(xp.where(going, g, 0.0) for g in g_new)
        if given.w_hr is not None:
            projected[t] = g_new[0]
            g_new = (xp.product(g_new[0], given.w_hr), *g_new[1:])
        ga[t], gb[t], g_old = cell.back(xp, g_new, saved[t])
        through = xp.product(gb[t], given.w_hh)
        g_old = (through if g_old[0] is None else through + g_old[0], *g_old[1:])
        if going is not None:
            g_old = tuple(xp.where(going, o, g) for o, g in zip(g_old, g_state, strict=True))
        g_state = g_old
    a = xp.stack(ga)
    b = xp.stack(gb) if cell.apart else a
    return Back(a, b, g_state, None if given.w_hr is None else xp.stack(projected))


def weighed(
    xp: Any, cell: Cell, back: Back, x: Any, kept: tuple[Any, ...], given: Parameters
) -> Parameters:
    """The gradients of the weights: products over all steps at once.

    Args:
        kept: what was saved, each over all steps.
    """
    g_hr = None
    if given.w_hr is not None:
        g_hr = xp.outer(back.projected, cell.output(xp, kept[:-1]))
    return Parameters(
        xp.outer(back.a, x),
        xp.outer(back.b, kept[-1]),
        None if given.b_ih is None else xp.total(back.a),
        None if given.b_hh is None else xp.total(back.b),
        g_hr,
    )
