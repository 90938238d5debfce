"""Single operations, and formulas of a few."""

from __future__ import annotations

from typing import Any

from ..work import Work, normal
from .framework import NAME, nn, torch
from .steps import inference, results


def matrix_product(size: int) -> Work:
    """A product of two square matrices."""
    return results(torch.matmul, normal(size, size), normal(size, size).T.copy())


def formula(count: int) -> Work:
    """``tanh(2a + 1) * sigmoid(a) - a`` of each number."""

    def compute(a: Any) -> Any:
        return torch.tanh(2 * a + 1) * torch.sigmoid(a) - a

    return results(compute, normal(count))


def softmax(rows: int, columns: int) -> Work:
    """Softmax of each row."""
    return results(lambda x: torch.softmax(x, dim=1), normal(rows, columns))


def norm_gelu(rows: int, columns: int) -> Work:
    """Layer norm of each row, and GELU."""
    return inference(nn.Sequential(nn.LayerNorm(columns), nn.GELU()), normal(rows, columns))


def moments(rows: int, columns: int) -> Work:
    """Variance and mean of each row."""
    return results(lambda x: torch.var_mean(x, dim=1), normal(rows, columns))


def chain(count: int) -> Work:
    """Sums that each wait for the one before."""
    return results(lambda a, b: _sums(a, b, count), normal(8), normal(8))


def chain_compiled(count: int) -> Work:
    """The same sums as one function, compiled where the framework can; PyTorch stays eager."""
    function = lambda a, b: _sums(a, b, count)
    compile_it = torch.compile if NAME == "rushlight" else lambda function: function
    return results(compile_it(function), normal(8), normal(8))


def _sums(a: Any, b: Any, count: int) -> Any:
    for _ in range(count):
        a = a + b
    return a
