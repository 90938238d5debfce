"""Operands that stay packed between runs: the same bits, and never those of an older value."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import rushlight as rl
import rushlight.nn.functional as F
from rushlight.execute import packed, tier


@pytest.fixture(autouse=True)
def compiled() -> Iterator[None]:
    with tier.only("compiled"):
        yield
    gc.collect()


def drawn(*shape: int) -> rl.Tensor:
    made = rl.randn(*shape)
    rl.realize(made)
    return made


def bits(tensor: rl.Tensor) -> bytes:
    return bytes(tensor.detach().numpy().tobytes())


def linear() -> tuple[rl.Tensor, Callable[[], rl.Tensor]]:
    x, weight = drawn(40, 70), drawn(50, 70)
    return weight, lambda: F.linear(x, weight)


def convolution() -> tuple[rl.Tensor, Callable[[], rl.Tensor]]:
    x, weight = drawn(2, 16, 12, 12), drawn(32, 16, 3, 3)
    return weight, lambda: F.conv2d(x, weight, padding=1)


def strided_convolution() -> tuple[rl.Tensor, Callable[[], rl.Tensor]]:
    x, weight = drawn(2, 16, 12, 12), drawn(32, 16, 3, 3)
    return weight, lambda: F.conv2d(x, weight, stride=2)


def recurrence() -> tuple[rl.Tensor, Callable[[], rl.Tensor]]:
    cell, x = rl.nn.GRU(16, 32), drawn(5, 4, 16)
    rl.realize(*cell.parameters())
    return cell.weight_hh_l0.data, lambda: cell(x)[0].detach()


WORKS = [linear, convolution, strided_convolution, recurrence]


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_the_same_weight_is_packed_twice_and_then_kept(work: Callable) -> None:
    before = packed.kept()
    _, run = work()
    first = bits(run())
    assert packed.kept() == before  # a weight that does not come back is not kept
    assert bits(run()) == first
    kept = packed.kept()
    assert kept > before
    for _ in range(3):
        assert bits(run()) == first
    assert packed.kept() == kept


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_a_changed_weight_is_packed_again(work: Callable) -> None:
    weight, run = work()
    for _ in range(3):
        run().numpy()
    with rl.no_grad():
        weight.mul_(2.0)
    rl.realize(weight)
    changed = run().numpy().copy()
    with tier.only("reference"):
        expected = run().numpy()
    np.testing.assert_allclose(changed, expected, rtol=1e-4, atol=1e-4)


def test_a_weight_trained_between_two_uses() -> None:
    model = rl.nn.Linear(64, 48)
    x = drawn(32, 64)
    optimizer = rl.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        for _ in range(3):  # long enough for what is packed to be kept
            found = model(x).detach().numpy().copy()
        weight, bias = (p.detach().numpy().copy() for p in (model.weight, model.bias))
        np.testing.assert_allclose(found, x.numpy() @ weight.T + bias, rtol=1e-4, atol=1e-4)
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()


def test_what_is_kept_ends_with_the_weight() -> None:
    before = packed.kept()
    weight, run = linear()
    for _ in range(3):
        run().numpy()
    assert packed.kept() > before
    del weight, run
    gc.collect()
    assert packed.kept() == before


def test_two_programs_share_what_is_kept() -> None:
    before = packed.kept()
    weight, one, two = drawn(50, 70), drawn(40, 70), drawn(41, 70)
    for _ in range(3):
        F.linear(one, weight).numpy()
    kept = packed.kept()
    for _ in range(3):
        found = F.linear(two, weight).numpy()
    assert packed.kept() == kept > before
    np.testing.assert_allclose(found, two.numpy() @ weight.numpy().T, rtol=1e-4, atol=1e-4)


def test_memory_of_others_is_read_again() -> None:
    array = np.random.default_rng(0).standard_normal((600, 600)).astype(np.float32)  # not copied
    weight, x = rl.from_numpy(array), drawn(80, 600)
    before = packed.kept()
    for _ in range(3):
        F.linear(x, weight).numpy()
        array *= 2.0
    assert packed.kept() == before
    found = F.linear(x, weight).numpy()
    np.testing.assert_allclose(found, x.numpy() @ array.T, rtol=1e-4, atol=1e-2)


def test_no_more_is_kept_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST", packed.kept() + 1000)
    before = packed.kept()
    _, run = linear()
    first = bits(run())
    for _ in range(3):
        assert bits(run()) == first
    assert packed.kept() == before


def test_a_run_that_is_refused_keeps_nothing() -> None:
    x, weight, table = drawn(40, 70), drawn(50, 70), drawn(5, 50)
    expected = None
    for k, place in enumerate([1, 1, 7, 7, 1, 1, 1]):
        at = rl.tensor(place) * 1
        result = F.linear(x, weight) + table.index_select(0, at.reshape(1))
        if place == 7:
            with pytest.raises(IndexError):
                result.numpy()
            continue
        found = bits(result)
        assert expected in (None, found), k
        expected = found


def test_a_buffer_that_takes_another_value_forgets() -> None:
    from rushlight.base.buffer import Buffer
    from rushlight.base.dtypes import int64

    buffer = Buffer(np.arange(3), int64)
    assert buffer.bounds() == (0, 2)
    buffer.derived = {"packed": 1}
    buffer.stored += 5
    assert buffer.renewed() is buffer
    assert buffer.bounds() == (5, 7)
    assert not buffer.derived
