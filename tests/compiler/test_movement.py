"""Data in another order: every value in its place, for any size, type and width of vectors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.compiler.contracting import narrow

import rushlight as rl
from rushlight.compiler.llvm.machine import Machine, host
from rushlight.compiler.program import compiled
from rushlight.execute.compiled import CompiledProgram
from rushlight.execute.cut import Cut

MACHINES = [host(), narrow(256), narrow(128)]
TYPES = (rl.float32, rl.float64, rl.int64, rl.bool, rl.uint8, rl.float16, rl.bfloat16, rl.int16)


def run(result: rl.Tensor, machine: Machine) -> np.ndarray:
    """A result, computed by kernels for a machine."""
    cut = Cut([result._node])
    graph = cut.graph()
    program = CompiledProgram(graph, compiled(graph, machine))
    return program.run([leaf.buffer for leaf in cut.leaves])[0].values


def numbers(*shape: int, dtype: Any = rl.float32) -> rl.Tensor:
    """Different numbers, as far as the type has so many."""
    count = int(np.prod(shape))
    x = rl.from_numpy((np.arange(count) * 7 % 251).reshape(shape)).to(dtype)
    rl.realize(x)
    return x


def plain(x: rl.Tensor) -> np.ndarray:
    return x.float().numpy() if x.dtype in (rl.bfloat16, rl.float16) else x.numpy()


def same(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(found.astype(np.float64), expected.astype(np.float64))


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: str(m.vector))
@pytest.mark.parametrize("dtype", TYPES, ids=lambda d: d.name)
def test_a_transpose_of_any_type(dtype: Any, machine: Machine) -> None:
    x = numbers(37, 150, dtype=dtype)
    same(run(x.T.contiguous(), machine), plain(x).T)


@pytest.mark.parametrize("shape", [(4, 4), (4, 500), (500, 5), (16, 16), (17, 15), (129, 65)])
def test_a_transpose_of_any_size(shape: tuple[int, int]) -> None:
    x, y = numbers(*shape), numbers(*reversed(shape))
    for machine in MACHINES:
        same(run(x.T * 2 + y, machine), x.numpy().T * 2 + y.numpy())


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1:], ids=str)
def test_every_order_of_four_dimensions(order: tuple[int, ...]) -> None:
    x = numbers(3, 18, 5, 33)
    expected = x.numpy().transpose(order)
    same(run(x.permute(order).contiguous(), host()), expected)
    same(run(x.permute(order).flip(-1) - 1, narrow(256)), expected[..., ::-1] - 1)


def test_several_reads_across_in_one_kernel() -> None:
    a, b, c = numbers(40, 70), numbers(40, 70).double(), numbers(70, 40)
    rl.realize(b)
    result = run(rl.where(a.T > 100, (b.T + c).float(), a.T), host())
    a, b, c = a.numpy(), b.numpy(), c.numpy()
    same(result, np.where(a.T > 100, b.T + c, a.T))


def test_a_result_over_the_memory_of_what_is_added() -> None:
    x, y = numbers(70, 70), numbers(70, 70)
    expected = x.numpy().T + y.numpy()
    y += x.T
    same(y.numpy(), expected)


@pytest.mark.parametrize("shape", [(2, 300, 3, 8), (1, 7, 9000, 2), (5, 1, 4, 33)])
def test_short_rows_side_by_side(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    for machine in MACHINES:
        same(run(x.transpose(1, 2) + 1, machine), x.numpy().transpose(0, 2, 1, 3) + 1)
