"""Lowerings of operations that have no function of their own: what views, writes through them,
gradients and modules record."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "ops"))

from lowered import assert_agrees, expansion, has_expansion, lowered, lowers, watched

import rushlight as rl
from rushlight.nn import functional as F


def assert_lowered(*tensors, names):
    """All steps behind some tensors have lowerings that agree; ``names`` are among them."""
    waiting, seen = watched([tensor.node for tensor in tensors]), set()
    while waiting:
        sight = waiting.pop()
        if not lowers(sight):
            continue
        assert_agrees(sight, lowered(sight))
        seen.add(sight.step.op.name)
        if has_expansion(sight.step.op):
            made = expansion(sight)
            waiting += watched(made if isinstance(made, (tuple, list)) else [made])
    assert set(names) <= seen, f"lowered: {seen}"


def table(*shape):
    return rl.randn(*shape, generator=rl.Generator().manual_seed(1))


KEYS = [
    slice(1, 3),
    slice(0, 4, 2),
    slice(1, 4, 3),
    slice(3, 3),
    (slice(None), slice(1, 6, 2)),
    (slice(1, None, 2), slice(-3, -1)),
    2,
    (slice(None), -1),
    (1, 2),
    (slice(2), None, 0),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_slice_read_and_written(key):
    x = table(4, 6).requires_grad_()
    part = x[key]
    (g,) = rl.autograd.grad((part * part).sum(), x)
    y = table(4, 6)
    y[key] = rl.zeros_like(part.detach()) + 7
    empty = not part.numel()
    one_place = any(isinstance(each, int) for each in (key if isinstance(key, tuple) else (key,)))
    names = ("unselect", "select_scatter") if one_place else ("unslice", "slice_scatter")
    assert_lowered(part, g, y, names=() if empty else names)


@pytest.mark.parametrize("offset", [0, 1, -2, 5])
def test_a_diagonal_read_and_written(offset):
    x = table(4, 6).requires_grad_()
    part = x.diagonal(offset)
    (g,) = rl.autograd.grad((part * part).sum(), x)
    y = table(4, 6)
    y.diagonal(offset).copy_(part.detach() + 1)
    assert_lowered(part, g, y, names={"diagonal", "undiagonal", "diagonal_scatter"})


STRIDED = [
    ((3, 2), (6, 2), 1),
    ((24,), (1,), 0),
    ((2, 3, 2), (1, 1, 5), 3),
    ((2, 3, 2, 2), (4, 1, 5, 0), 3),
    ((), (), 4),
    ((1, 3), (0, 2), 0),
    ((2, 0), (1, 1), 0),
]


@pytest.mark.parametrize("size, stride, offset", STRIDED)
def test_strides_and_their_gradient(size, stride, offset):
    x = table(4, 6).requires_grad_()
    part = (x * 1).as_strided(size, stride, offset)
    (g,) = rl.autograd.grad((part * part).sum(), x)
    assert_lowered(part, g, names={"as_strided", "unstrided"} if part.numel() else {"unstrided"})


@pytest.mark.parametrize(
    "size, stride, offset", [((3, 2), (6, 2), 1), ((3, 3), (1, 1), 1), ((2, 2), (1, 12), 0)]
)
def test_a_write_through_strides(size, stride, offset):
    x = table(4, 6)
    x.as_strided(size, stride, offset).copy_(table(*size))
    assert_lowered(x, names={"strided_scatter"})


def test_views_of_views_written():
    x = table(4, 6)
    x.t()[1:5:2].reshape(2, 2, 2)[:, 0].fill_(3)
    x.view(2, 2, 6).unfold(2, 2, 2)[..., 1].add_(1)
    assert_lowered(x, names={"slice_scatter"})


def test_bits():
    x = table(4, 6)
    assert_lowered(x.view(rl.int32), x.double().view(rl.int64), names={"bit_cast"})


@pytest.mark.parametrize("dtype", [rl.float32, rl.float64, rl.float16, rl.bfloat16], ids=str)
def test_what_is_made_from_nothing(dtype):
    assert_lowered(
        rl.eye(3, 4, dtype=dtype), rl.full((2, 3), 1.5, dtype=dtype),
        rl.arange(0, 1, 0.3, dtype=dtype), names={"eye", "full", "arange"},
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [rl.float32, rl.float64, rl.bfloat16], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_and_its_gradients(dtype, training):
    x = table(4, 3, 5).to(dtype).requires_grad_()
    weight, bias = (table(3).to(dtype).requires_grad_() for _ in range(2))
    mean, variance = rl.zeros(3, dtype=dtype), rl.ones(3, dtype=dtype)
    y = F.batch_norm(x, mean, variance, weight, bias, training)
    cotangent = table(4, 3, 5).to(dtype)
    gradients = rl.autograd.grad((y * cotangent).sum(), [x, weight, bias])
    names = {"batch_norm", "norm_grad"} | ({"batch_moments"} if training else set())
    assert_lowered(y, *gradients, *((mean, variance) if training else ()), names=names)


def test_statistics_without_running_averages():
    x = table(4, 3, 5)
    assert_lowered(F.batch_norm(x, None, None, training=True), names={"batch_moments"})
    assert_lowered(F.instance_norm(x), names={"group_norm"})


def pooled_and_back(pool, x, *args, **kwargs):
    x = x.clone().requires_grad_()
    y = pool(x, *args, **kwargs)
    total = y[0] if isinstance(y, tuple) else y
    return (*(y if isinstance(y, tuple) else (y,)), *rl.autograd.grad((total * total).sum(), x))


SLIDING = [
    (2, 2, 0, 1, False),
    (3, 2, 1, 1, False),
    (3, 2, 1, 1, True),
    (3, 1, 1, 2, False),
    (2, 3, 0, 1, True),
    (4, 3, 2, 3, True),
    (1, 1, 0, 1, False),
]


@pytest.mark.parametrize("window", SLIDING, ids=str)
def test_pooling_by_sliding_windows(window):
    kernel, stride, padding, dilation, ceil = window
    x = table(2, 3, 11, 10)
    x[0, 0, :6] = -float("inf")  # a window of the least number there is
    x[0, 1, 3, 4:6] = x[0, 1, 7, 2] = float("nan")
    x[1, 1] = 1.0  # all the same
    largest = pooled_and_back(
        F.max_pool2d, x, kernel, stride, padding, dilation, ceil, return_indices=True
    )
    names = {"max_pool", "place_of_largest", "unpool"}
    assert_lowered(*largest, names=names)
    for inside in (True, False):
        average = pooled_and_back(
            F.avg_pool2d, table(2, 3, 11, 10), kernel, stride, padding, ceil, inside
        )
        assert_lowered(*average, names={"avg_pool", "avg_unpool"})
    whole = rl.arange(220).reshape(2, 1, 11, 10) - 110
    assert_lowered(
        F.max_pool2d(whole, kernel, stride, padding, dilation, ceil),
        F.avg_pool2d(whole, kernel, stride, padding, ceil), names={"max_pool", "avg_pool"},
    )  # fmt: skip


@pytest.mark.parametrize("counts", [(1, 5), (3, 4), (7, 17), (10, 12)], ids=str)
def test_pooling_into_so_many_windows(counts):
    x = table(2, 3, 10, 12)
    assert_lowered(
        *pooled_and_back(F.adaptive_max_pool2d, x, counts, return_indices=True),
        *pooled_and_back(F.adaptive_avg_pool2d, x, counts),
        names={"max_pool", "unpool", "avg_pool", "avg_unpool"},
    )


def test_second_gradients_of_pooling():
    x = table(2, 3, 6, 7).requires_grad_()
    y = F.max_pool2d(x, 3, 2, 1)
    (g,) = rl.autograd.grad((y * y).sum(), x, create_graph=True)
    (h,) = rl.autograd.grad((g * g).sum(), x)
    assert_lowered(h, names={"pick", "unpool"})


PLACES = rl.tensor([[0, -1, 2], [1, 1, -3]])
INDICES = [
    (PLACES,),
    (slice(None), PLACES),
    (slice(None), PLACES, PLACES[0]),
    (PLACES, slice(None), PLACES[:, :1]),
    (PLACES[0], slice(None), None, 1),
    (rl.tensor(2), ..., rl.tensor([-4])),
    (PLACES, PLACES, PLACES),
    (PLACES[:0],),
]


@pytest.mark.parametrize("key", INDICES, ids=[f"{k}" for k in range(len(INDICES))])
def test_advanced_indexing(key):
    assert_lowered(table(3, 4, 5)[key], names={"index"})


@pytest.mark.parametrize(
    "x, dim, index",
    [
        (table(3), 0, rl.tensor(2)),
        (rl.tensor(1.5), 0, rl.tensor([0])),
        (rl.tensor(1.5), 0, rl.tensor(0)),
        (table(3, 4), 1, rl.zeros(0, dtype=rl.int64)),
        (table(3, 4), 0, rl.tensor([[2], [0], [1], [2]])),
    ],
)
def test_gathering(x, dim, index):
    assert_lowered(x.gather(dim, index), names={"gather"})
    if index.ndim == 1 and index.numel() == 1:
        assert_lowered(rl.tensor(2.5).index_select(0, index), names={"index_select"})


def test_rows_of_an_embedding():
    index = rl.tensor([[3, 0, 0], [1, 2, 3]])
    assert_lowered(F.embedding(index, table(4, 5)), F.one_hot(index, 6), names={"embedding"})


@pytest.mark.parametrize("size, step", [(3, 2), (2, 3), (3, 1), (1, 1), (5, 4), (0, 1)])
def test_windows_added_up(size, step):
    x = table(3, 11).requires_grad_()
    part = x.unfold(1, size, step)
    (g,) = rl.autograd.grad((part**3).sum(), x, create_graph=True)
    (h,) = rl.autograd.grad((g * g).sum(), x)
    assert_lowered(part, g, h, names={"refold"})


def test_one_element_of_each_line():
    x = table(3, 4, 5).requires_grad_()
    picked = x.gather(1, rl.tensor([[[3, 0, 1, 1, 2]]]).expand(3, 1, 5))
    largest = x.max(2).values
    (g,) = rl.autograd.grad((picked**3).sum() + (largest**3).sum(), x, create_graph=True)
    (h,) = rl.autograd.grad((g * g).sum(), x)
    assert_lowered(g, h, names={"lay_one", "max_along", "gather"})
