"""Arrays that are written between recorded steps, and NumPy's functions and numbers on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agree import same


def row(count: int = 6, dtype: Any = np.float32) -> Any:
    return np.arange(count, dtype=dtype)


# The order of what is recorded and what is written outside ----------------------------------------


def product(lib: Any, a: Any) -> Any:
    y = lib.from_numpy(a) * 2
    a[0] = 5
    return y


def cloned(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    y, z = t.clone(), t[:2].clone()
    a[:] = 5
    return t, y, z


def chained(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    y = t + 1
    a[0] = 10
    z = y + t
    a[0] = 20
    return y, z, t


def after_numpy(lib: Any, a: Any) -> Any:
    t = lib.ones(6)
    b = t.numpy()
    y, z = t * 3, t.clone()
    b[:] = a
    return y, z, t


def identity_ops(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    results = [t + 0, t * 1, t.abs(), lib.relu(t), +t * 1, t.sum(()), lib.cat([t]), t.sum()]
    a[:] = -3
    return results


def leaf(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a).requires_grad_()
    y = (t.clone() * 2).sum()
    a[0] = 100
    y.backward()
    return y, t, t.grad


def gradient_of_linear(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    w = lib.ones(6, requires_grad=True)
    loss = (w * t.clone()).sum()
    a[0] = 100
    loss.backward()
    return loss, w.grad


def stacked(lib: Any, a: Any) -> Any:
    """A loader that fills one array again and again."""
    t = lib.from_numpy(a)
    batches = []
    for i in range(3):
        a[:] = i
        batches.append(t * 1)
    return lib.stack(batches), t


def written_between(lib: Any, a: Any) -> Any:
    t = lib.from_numpy(a)
    t[0] = 4
    y = t * 2
    a[0] = 6
    t[1] = 7
    z = t * 2
    t[0] = 8
    return y, z, a.copy(), t


@pytest.mark.parametrize(
    "program",
    [
        product, cloned, chained, after_numpy, identity_ops, leaf, gradient_of_linear, stacked,
        written_between,
    ],
)  # fmt: skip
def test_recorded_work_sees_values_of_its_line(program: Any) -> None:
    def run(lib: Any) -> Any:
        a = row()
        return program(lib, a), a

    same(run)


# NumPy's functions and numbers --------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: np.asarray(lib.arange(3)),
        lambda lib: np.asarray(lib.arange(3), dtype=np.float64),
        lambda lib: np.array(lib.arange(4.0).view(2, 2).t()),
        lambda lib: np.asarray(lib.tensor(2.5)),
        lambda lib: np.asarray(lib.zeros(0, 2)),
        lambda lib: lib.ones(3) * np.float32(2),
        lambda lib: lib.ones(3) * np.float64(2.5),
        lambda lib: lib.arange(3) * np.float64(2.5),
        lambda lib: lib.arange(3) + np.int64(2),
        lambda lib: lib.arange(3, dtype=lib.uint8) + np.int32(2),
        lambda lib: lib.ones(3) / np.int16(2),
        lambda lib: lib.ones(3) ** np.float64(2),
        lambda lib: lib.ones(3) == np.float32(1),
        lambda lib: lib.arange(5)[np.int64(2)],
        lambda lib: lib.arange(5)[np.array([0, 2])],
        lambda lib: lib.arange(5)[np.array([True, False, True, False, True])],
        lambda lib: lib.zeros(np.int64(2), np.int32(3)),
        lambda lib: lib.full((2,), np.float32(1.5)),
        lambda lib: lib.tensor(np.float32(1.5)),
        lambda lib: lib.tensor([np.float64(1.5), np.float64(2)]),
        lambda lib: lib.tensor([np.int32(1), 2]),
        lambda lib: lib.tensor([row(2), row(2) + 1]),
        lambda lib: row(5)[lib.tensor([1, 3])],
        lambda lib: list(range(5))[lib.tensor(3)],
        lambda lib: lib.arange(3.0).sum(np.int64(0)),
        lambda lib: lib.zeros(2).copy_(lib.from_numpy(row(2, np.float64))),
    ],
)
def test_numpy_functions_and_numbers(program: Any) -> None:
    same(program, warned=False)
