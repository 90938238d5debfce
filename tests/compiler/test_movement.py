"""Data in another order: every value in its place, for any size, type and width of vectors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.compiler.contracting import narrow

import rushlight as rl
from rushlight.base.dtypes import int64
from rushlight.compiler.body import Body
from rushlight.compiler.index import Axis, Index
from rushlight.compiler.kernel import Root
from rushlight.compiler.llvm.machine import Machine, host
from rushlight.compiler.plain import Native
from rushlight.compiler.program import compiled
from rushlight.compiler.segments import segments
from rushlight.execute.compiled import CompiledProgram
from rushlight.execute.cut import Cut

MACHINES = [host(), narrow(256), narrow(128)]
TYPES = (rl.float32, rl.float64, rl.int64, rl.bool, rl.uint8, rl.float16, rl.bfloat16, rl.int16)


def run(result: rl.Tensor, machine: Machine) -> np.ndarray:
    """A result, computed by kernels for a machine."""
    cut = Cut([result._node])
    graph = cut.graph()
    program = CompiledProgram(graph, compiled(graph, machine))
    # What somebody holds on the way to it comes before it.
    return program.run([leaf.buffer for leaf in cut.leaves])[-1].values


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


PARTS = {
    "cat": (lambda x, y: rl.cat([x, y * 2, x], -1), lambda x, y: np.concatenate([x, y * 2, x], -1)),
    "cat of rows": (lambda x, y: rl.cat([x, y]) + 1, lambda x, y: np.concatenate([x, y]) + 1),
    "halves": (
        lambda x, y: rl.cat([-x[..., 3:], x[..., :3]], -1),
        lambda x, y: np.concatenate([-x[..., 3:], x[..., :3]], -1),
    ),
    "constant": (
        lambda x, y: rl.nn.functional.pad(x, (2, 3, 1, 0), value=7.0),
        lambda x, y: np.pad(x, ((1, 0), (2, 3)), constant_values=7),
    ),
    "cropped": (
        lambda x, y: rl.nn.functional.pad(x, (-1, 2)),
        lambda x, y: np.pad(x, ((0, 0), (0, 2)))[:, 1:],
    ),
    "reflected": (
        lambda x, y: rl.nn.functional.pad(x[None], (3, 2), mode="reflect")[0] * 2,
        lambda x, y: np.pad(x, ((0, 0), (3, 2)), mode="reflect") * 2,
    ),
    "around": (
        lambda x, y: rl.nn.functional.pad(x[None], (3, 2), mode="circular")[0] * 2,
        lambda x, y: np.pad(x, ((0, 0), (3, 2)), mode="wrap") * 2,
    ),
    "rolled": (lambda x, y: rl.roll(x, 5, 1) * y.sum(), lambda x, y: np.roll(x, 5, 1) * y.sum()),
    "stacked": (lambda x, y: rl.stack([x, y, x], -1), lambda x, y: np.stack([x, y, x], -1)),
    "triangle": (lambda x, y: rl.triu(x, 2), lambda x, y: np.triu(x, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("shape", [(90, 70), (3, 9001), (400, 17), (7, 6)], ids=str)
def test_parts_of_an_axis(name: str, shape: tuple[int, int]) -> None:
    ours, theirs = PARTS[name]
    x, y = numbers(*shape), numbers(*shape) * 3 + 1
    rl.realize(y)
    for machine in MACHINES:
        same(run(ours(x, y), machine), theirs(x.numpy(), y.numpy()))


def test_no_place_of_a_part_is_asked_where_it_is() -> None:
    x, y = numbers(64, 128), numbers(64, 100)
    cut = Cut([rl.cat([x, y], 1)._node])
    (call,) = compiled(cut.graph(), host()).calls
    assert isinstance(call, Native)
    assert "select" not in call.code.text() and "gather" not in call.code.text()


@pytest.mark.parametrize("begin, end", [(0, 0), (1, 2), (-20, 40), (97, 3), (-200, 300)])
def test_conditions_are_decided_as_python_does(begin: int, end: int) -> None:
    axis, length = Axis(100), 6000
    row = Axis(length)
    body = Body()
    place = Index.of(axis) * -2 + 97
    condition = body.inside(place, begin, end)
    number = body.select(condition, body.value((Index.of(axis) + 30) % 64), body.value(place // 70))
    root = Root(0, int64, (row, axis), (), Index.of(row) * 100 + axis, number)
    found = segments([root], axis)
    at = [begin <= 97 - 2 * k < end for k in range(100)]
    assert found and [each[0] for each in found][0] == 0
    for start, own, (new,) in found:
        assert "%" not in repr(new.body)
        taken = {at[k] for k in range(start, start + own.extent)}
        assert len(taken) == 1 and "select" not in repr(new.body)


@pytest.mark.parametrize("dtype", TYPES, ids=lambda d: d.name)
@pytest.mark.parametrize("step", [2, 3, 4, 5])
def test_every_so_many(step: int, dtype: Any) -> None:
    x = numbers(3, 67 * step, dtype=dtype)
    for machine in MACHINES:
        for start in (0, step - 1):
            same(run(x[:, start::step].clone(), machine), plain(x)[:, start::step])


@pytest.mark.parametrize("dtype", TYPES, ids=lambda d: d.name)
def test_from_the_last_to_the_first(dtype: Any) -> None:
    """Whole vectors and a rest; all of a row, and behind a condition on the place."""
    for machine in MACHINES:
        for columns in (1, 15, 16, 67, 130):
            x = numbers(3, columns, dtype=dtype)
            same(run(x.flip(1), machine), plain(x)[:, ::-1])
            beside = rl.cat((x.flip(1), x), 1)
            same(run(beside, machine), np.hstack((plain(x)[:, ::-1], plain(x))))


def test_mirrored_borders() -> None:
    x = numbers(2, 40)
    wanted = np.pad(plain(x), ((0, 0), (9, 8)), mode="reflect")
    for machine in MACHINES:
        same(run(rl.nn.functional.pad(x, (9, 8), mode="reflect"), machine), wanted)
