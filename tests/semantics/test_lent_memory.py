"""A tensor's memory as an array: the memory itself where nobody else shows it, else a copy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import rushlight as rl
from rushlight.execute import tier
from rushlight.tensor.look import buffer_of


@pytest.fixture(autouse=True, params=["reference", "compiled"])
def either_tier(request: pytest.FixtureRequest) -> Iterator[None]:
    before = tier.choose(request.param)
    yield
    tier.choose(before)


def address(x: rl.Tensor) -> int:
    return buffer_of(x.place.storage.node).stored.ctypes.data


def made(size: int = 200_000) -> rl.Tensor:
    """A result that nothing else shows; large enough that a program keeps its memory."""
    x = rl.arange(float(size)).softmax(0) * size
    rl.realize(x)
    return x


def test_a_result_is_not_copied() -> None:
    x = made()
    before = address(x)
    array = x.numpy()
    assert array.ctypes.data == before
    array[0] = 7
    assert x[0] == 7
    x[1] = 8
    assert array[1] == 8


OTHERS = {
    "a detached one": lambda x: x.detach(),
    "a clone": lambda x: rl.realize(y := x.clone()) or y,
    "what will be computed": lambda x: x + 1,
    "a saved value": lambda x: (w := rl.ones(1, requires_grad=True), x * w),
    "a list of nodes": lambda x: [x.place.storage.node],
    "an array": lambda x: buffer_of(x.place.storage.node).stored,
    "a view of an array": lambda x: buffer_of(x.place.storage.node).stored[3:],
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("came_back", [False, True])
def test_nobody_else_sees_what_is_written_to_an_array(name: str, came_back: bool) -> None:
    x = made()
    if came_back:
        x.numpy()
        x.place.storage.refresh()
    other = OTHERS[name](x)
    first = float(x[0])
    array = x.numpy()
    array[:] = -5
    assert x[0] == -5
    if name == "a saved value":
        (gradient,) = rl.autograd.grad(other[1].sum(), other[0])
        assert gradient.item() == pytest.approx(len(array), rel=1e-4)
    elif name == "a detached one":
        assert other[0] == -5, "it shows the same memory, as PyTorch's does"
    elif isinstance(other, rl.Tensor):
        assert float(other[0]) == first + (name == "what will be computed")
    elif isinstance(other, np.ndarray):
        assert other[0] != -5


def test_arrays_of_one_program_do_not_share_memory() -> None:
    x = rl.rand(300, 1000)
    rl.realize(x)
    arrays = [(x.softmax(1) + k).numpy() for k in range(5)]
    for k, array in enumerate(arrays):
        np.testing.assert_allclose(array.sum(1), 1 + 1000 * k, rtol=1e-5)
    assert len({array.ctypes.data for array in arrays}) == 5


def test_a_loop_uses_memory_in_turn_and_never_what_somebody_has() -> None:
    x = rl.rand(300, 1000)
    rl.realize(x)
    kept, last = [], None
    for k in range(12):
        last = (x.softmax(1) * (k + 1)).numpy()
        if k % 3 == 0:
            kept.append((k, last))
    for k, array in kept:
        np.testing.assert_allclose(array.sum(1), k + 1, rtol=1e-5)
    part = (x.softmax(1) * 50).numpy()[5:7]
    for k in range(5):
        (x.softmax(1) * k).numpy()
    np.testing.assert_allclose(part.sum(1), 50, rtol=1e-5)


def test_a_tensor_whose_array_is_gone_is_an_ordinary_one_again() -> None:
    x = made()
    x.numpy()[0] = 3
    y = x + 1
    assert x.place.storage.outside is None
    assert y[0] == 4
    x[0] = 9
    assert y[0] == 4 and x[0] == 9


def test_memory_that_came_back_is_lent_again_without_a_copy() -> None:
    x = made()
    before = address(x)
    for k in range(3):
        array = x.numpy()
        assert array.ctypes.data == before
        array[0] = k
        del array
        assert x[0] == k
