"""Filters that feed their results back."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import DTypeError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

BLOCK = 128  # samples that are one matrix product: fewer need more steps, more dearer products


class RecursiveFilter(Op):
    """``y[t] = x[t] - a[0] * y[t - 1] - ... - a[P - 1] * y[t - P]``, from zeros.

    The signals are (N, C, T); each of the C channels has its own coefficients (C, P). Filtering
    backwards in time is its transpose, so its gradient is the same operation.
    """

    name = "recursive_filter"
    ulp = 64

    def infer(self, x: Spec, a: Spec) -> Spec:
        if len(x.shape) != 3 or len(a.shape) != 2 or x.shape[1] != a.shape[0]:
            raise ShapeError(
                self.name,
                f"signals are {x.shape}, coefficients {a.shape}",
                rule="Signals are (N, C, T) and coefficients (C, P).",
            )
        if x.dtype is not a.dtype or x.dtype.kind != "float":
            raise DTypeError(
                self.name, f"expected two floating dtypes that are equal, got {x.dtype}, {a.dtype}"
            )
        return x

    def vjp(self, g: Node, y: Node, x: Node, a: Node) -> tuple[Node | None, ...]:
        back = ops.flip(self.record((ops.flip(g, (2,)), a)), (2,))
        if not a.requires_grad:
            return back, None
        (N, C, T), P = x.shape, a.shape[1]
        before = ops.pad(y, (P, 0))
        before = ops.slice_(ops.unfold(before, 2, P, 1), 2, 0, T)  # (N, C, T, P), latest last
        rows = ops.reshape(ops.transpose(before, 0, 1), (C, N * T, P))
        back_rows = ops.reshape(ops.transpose(back, 0, 1), (C, 1, N * T))
        slopes = ops.reshape(ops.matmul(back_rows, rows), (C, P))
        return back, -ops.flip(slopes, (1,))

    def ref(self, x: Any, a: Any) -> Any:
        """Blocks at a time: what they answer to themselves, then to what came before."""
        N, C, T = x.shape
        P = a.shape[1]
        if not x.size or not P:
            return x.copy()
        size = max(BLOCK, P)
        wide, factors = x.astype(np.float64), a.astype(np.float64)
        with np.errstate(all="ignore"):
            echo = _echo(factors, size)
            if not (np.isfinite(echo).all() and np.isfinite(wide).all()):
                return _stepwise(wide, factors)  # a product would spread infinities backwards
            own, past = _responses(echo, factors)
            count = -(-T // size)
            blocks = np.zeros((C, N, count * size))
            blocks[..., :T] = wide.transpose(1, 0, 2)
            blocks = (blocks.reshape(C, N * count, size) @ own).reshape(C, N, count, size)
            for k in range(1, count):
                blocks[:, :, k] += blocks[:, :, k - 1, : -P - 1 : -1] @ past
        return blocks.reshape(C, N, -1)[..., :T].transpose(1, 0, 2)


def _echo(a: np.ndarray, size: int) -> np.ndarray:
    """The response (C, size) to a single 1."""
    single = np.zeros((1, len(a), size))
    single[..., 0] = 1
    echo: np.ndarray = _stepwise(single, a)[0]
    return echo


def _stepwise(x: np.ndarray, a: np.ndarray) -> np.ndarray:
    P, T = a.shape[1], x.shape[2]
    y = np.concatenate([np.zeros((*x.shape[:2], P)), x], 2)
    latest_last = np.ascontiguousarray(a[:, ::-1])
    for t in range(P, P + T):
        y[..., t] -= (y[..., t - P : t] * latest_last).sum(-1)
    return y[..., P:]


def _responses(echo: np.ndarray, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a sample does to its block (C, size, size), and a result of the block before.

    Both are matrices that rows are multiplied with; the second is (C, P, size), the latest result
    first.
    """
    (C, size), P = echo.shape, a.shape[1]
    i, j = np.indices((size, size))
    own = np.where(i <= j, echo[:, j - i], 0.0)
    direct = np.zeros((C, P, size))  # what a result before adds at once, without echo
    for p in range(P):
        direct[:, p, : P - p] = -a[:, p:]
    return own, direct @ own


recursive_filter = RecursiveFilter()
