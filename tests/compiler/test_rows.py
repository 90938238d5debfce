"""What rows share: values kept between loops of a row, extrema, sums of short rows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from tests.compiler.test_movement import MACHINES, numbers, plain, run, same

import rushlight as rl
from rushlight.compiler.llvm.machine import host
from rushlight.compiler.plain import Native
from rushlight.compiler.program import compiled
from rushlight.execute.cut import Cut


def test_what_a_row_needs_again_is_computed_once() -> None:
    x = numbers(50, 400) / 100
    rl.realize(x)
    y = np.exp(x.numpy().astype(np.float64) - x.numpy().max(1, keepdims=True))
    for machine in MACHINES:
        cut = Cut([rl.softmax(x, 1)._node])
        (call,) = compiled(cut.graph(), machine).calls
        assert isinstance(call, Native) and call.code.scratch == 1600
        found = run(rl.softmax(x, 1), machine)
        np.testing.assert_allclose(found, y / y.sum(1, keepdims=True), rtol=1e-6)


def test_several_sums_of_what_a_row_keeps() -> None:
    x = numbers(6, 3, 700) / 50
    rl.realize(x)

    def result() -> rl.Tensor:
        e = rl.exp(rl.tanh(x))
        return e * e.sum((1, 2), keepdim=True) + (e * x).sum((1, 2), keepdim=True)

    x64 = x.numpy().astype(np.float64)
    e64 = np.exp(np.tanh(x64))
    sums = e64.sum((1, 2), keepdims=True), (e64 * x64).sum((1, 2), keepdims=True)
    for machine in MACHINES:
        np.testing.assert_allclose(run(result(), machine), e64 * sums[0] + sums[1], rtol=3e-6)


@pytest.mark.parametrize("dtype", [rl.float32, rl.float64, rl.float16], ids=lambda d: d.name)
@pytest.mark.parametrize("place", [0, 5, 36])
def test_nan_is_an_extremum_of_its_row_alone(dtype: Any, place: int) -> None:
    x = numbers(4, 37).to(dtype)
    x[2, place] = float("nan")
    x[0, 0], x[1, 3] = float("-inf"), float("inf")
    rl.realize(x)
    for machine, dim in itertools.product(MACHINES, (0, 1)):
        same(run(rl.amax(x, dim), machine), plain(x).max(dim))
        same(run(rl.amin(x, dim), machine), plain(x).min(dim))


EXTREMA = {
    "equal": lambda x: x * 0,
    "least": lambda x: x * 0 + float("-inf"),
    "greatest": lambda x: x * 0 + float("inf"),
    "few": lambda x: x % 3,
    "different": lambda x: x * 37 % 101,
    "nan": lambda x: rl.where((x == 12) | (x == 33), float("nan"), x),
}


@pytest.mark.parametrize("name", EXTREMA)
@pytest.mark.parametrize("shape", [(40, 9), (7, 16), (3, 600), (2, 3, 130)], ids=str)
def test_the_first_extremum_of_a_row(name: str, shape: tuple[int, ...]) -> None:
    x = EXTREMA[name](numbers(*shape).float())
    rl.realize(x)
    for machine, dim in itertools.product(MACHINES, range(len(shape))):
        for dtype in (rl.float32, rl.float64):
            y = x.to(dtype)
            rl.realize(y)
            same(run(rl.argmax(y, dim), machine), x.numpy().argmax(dim))
            same(run(rl.argmin(y, dim), machine), x.numpy().argmin(dim))


@pytest.mark.parametrize("dtype", [rl.int64, rl.int32, rl.int8, rl.uint8, rl.bool], ids=str)
@pytest.mark.parametrize("values", [[0, 1], [-128, 127], [3, 3]], ids=str)
def test_the_first_extremum_of_whole_numbers(dtype: Any, values: list[int]) -> None:
    x = rl.tensor([values[k % 7 == 3] for k in range(50 * 20)]).reshape(50, 20).to(dtype)
    for y, dim in itertools.product((x, x.T.contiguous(), x * 0), (0, 1)):
        rl.realize(y)
        y8 = y.numpy()
        same(run(rl.max(y, dim).indices, host()), y8.argmax(dim))
        same(run(rl.min(y, dim).indices, host()), y8.argmin(dim))


BITS = {
    "softmax": lambda x: rl.softmax(x, 1),
    "softmax of columns": lambda x: rl.softmax(x, 0),
    "sums of short rows": lambda x: x.reshape(-1, 10).sum(1),
    "sums of columns": lambda x: (x * x).sum(0),
    "place": lambda x: rl.argmax(x, 0),
    "transposed": lambda x: rl.exp(x.T) + x.reshape(-1, 300),
    "joined": lambda x: rl.cat([x, x[:, :77]], 1).cos(),
}


@pytest.mark.parametrize("name", BITS)
def test_bits_do_not_depend_on_threads(name: str) -> None:
    x = rl.rand(300, 500, generator=rl.Generator().manual_seed(0))
    rl.realize(x)
    before, found = rl.get_num_threads(), []
    for threads in (1, 2, 4):
        rl.set_num_threads(threads)
        found.append(run(BITS[name](x), host()).tobytes())
    rl.set_num_threads(before)
    assert found[0] == found[1] == found[2]
