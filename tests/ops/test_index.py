"""Indexing, scattering and looking up: what single samples cannot say."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier

SHAPE = (3, 4, 2, 5)
RANDOM = np.random.default_rng(0)


def index(size, *shape):
    """Places in a dimension of this size, some counted from the back."""
    return RANDOM.integers(-size, size, shape)


KEYS = [
    (index(3, 2), slice(None), index(2, 2)),
    (slice(None), index(4, 2, 1), index(2, 3)),
    (index(3, 2), index(4, 1), slice(None), index(5, 3, 1)),
    (slice(1, None), index(4, 3), Ellipsis, None),
    (None, index(3, 2), Ellipsis, index(5, 2)),
    (0, slice(None), index(2, 2)),
    (index(3, 2), 1, slice(None), index(5, 2)),
    (Ellipsis, index(5, 0)),
    (index(3), index(4)),
    (RANDOM.random((3, 4)) < 0.5, index(2, 1)),
    (slice(None), RANDOM.random(4) < 0.5),
    (RANDOM.random(SHAPE) < 0.5,),
    (slice(None), [1, -1, 0], slice(None), [0, 4, 2]),
]


def both(values, grad=True):
    ours = rl.tensor(values, requires_grad=grad)
    theirs = torch.tensor(values, requires_grad=grad)
    return ours, theirs


def keys(key):
    """A key for each library; every second index as int32."""

    def turned(library):
        return tuple(library.tensor(part) if isinstance(part, np.ndarray) else part for part in key)

    return turned(rl), turned(torch)


def assert_same(ours, theirs, rtol=1e-6):
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_reading_and_its_gradients(key):
    x, t = both(RANDOM.random(SHAPE))
    mine, other = keys(key)
    y, s = x[mine], t[other]
    assert_same(y, s)
    if not y.numel():
        return
    (y * y * y).sum().backward(create_graph=True)
    (s * s * s).sum().backward(create_graph=True)
    assert_same(x.grad, t.grad)
    ours = rl.autograd.grad(x.grad.square().sum(), x)[0]
    assert_same(ours, torch.autograd.grad(t.grad.square().sum(), t)[0])


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_writing(key):
    x, t = both(RANDOM.random(SHAPE), grad=False)
    mine, other = keys(key)
    new = RANDOM.random(tuple(t[other].shape[-1:]))
    x[mine], t[other] = rl.tensor(new), torch.tensor(new)
    # Where places repeat PyTorch does not promise which value stays, so compare a constant.
    x[mine], t[other] = 2.0, 2.0
    assert_same(x, t)


@pytest.mark.parametrize("accumulate", [False, True])
def test_index_put_and_its_gradients(accumulate):
    places = [np.array([[0, 2], [1, 0]]), np.array([3, 1])]
    for shape in ((2, 2), (2,), (1, 2), ()):
        x, t = both(RANDOM.random((3, 4)))
        v, w = both(RANDOM.random(shape))
        y = x.index_put([rl.tensor(p) for p in places], v, accumulate)
        s = t.index_put([torch.tensor(p) for p in places], w, accumulate)
        assert_same(y, s)
        (y * y).sum().backward()
        (s * s).sum().backward()
        assert_same(x.grad, t.grad)
        assert_same(v.grad, w.grad)


def test_leading_ones_of_a_value_are_dropped():
    x, t = both(np.zeros((3, 4)), grad=False)
    v, w = both(RANDOM.random((1, 1, 2)))
    x[[0, 2], [3, 1]] = v
    t[[0, 2], [3, 1]] = w
    assert_same(x, t)
    (x * x).sum().backward()
    (t * t).sum().backward()
    assert_same(v.grad, w.grad)


def test_index_put_takes_masks():
    x, t = both(np.zeros((3, 4)), grad=False)
    mask = RANDOM.random((3, 4)) < 0.5
    x.index_put_((rl.tensor(mask),), rl.tensor(1.0, dtype=rl.float64))
    t.index_put_((torch.tensor(mask),), torch.tensor(1.0, dtype=torch.float64))
    assert_same(x, t)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "complex64"]
)
def test_every_dtype_is_gathered_and_added(dtype):
    values = RANDOM.integers(0, 2, (4, 3))
    x, t = rl.tensor(values).to(getattr(rl, dtype)), torch.tensor(values).to(getattr(torch, dtype))
    places = [3, 0, 0]
    assert_same_values(x[places], t[places])
    assert_same_values(
        x.index_put((rl.tensor(places),), x[:3], accumulate=True),
        t.index_put((torch.tensor(places),), t[:3], accumulate=True),
    )
    if dtype != "bool":
        assert_same_values(
            x.index_add(0, rl.tensor(places), x[:3]), t.index_add(0, torch.tensor(places), t[:3])
        )


def assert_same_values(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype)
    assert ours.tolist() == theirs.tolist()


OUTSIDE = [
    (lambda x, i: x[i], IndexError, "index 5 is out of bounds for dimension 0 with size 3"),
    (lambda x, i: x[:, i], IndexError, "index 5 is out of bounds for dimension 1 with size 4"),
    (lambda x, i: x.index_select(0, i), IndexError, "index out of range in self"),
    (lambda x, i: x.gather(0, i[None]), RuntimeError, "index 5 is out of bounds for dimension 0"),
    (lambda x, i: x.scatter(0, i[None], 1.0), RuntimeError, "index 5 is out of bounds"),
    (lambda x, i: x.index_fill(0, i, 0), IndexError, "index 5 is out of bounds"),
    (lambda x, i: rl.embedding(x, i), IndexError, "index out of range in self"),
    (lambda x, i: x.index_put((i,), rl.tensor(0.0)), IndexError, "index 5 is out of bounds"),
]


@pytest.mark.parametrize("use, kind, text", OUTSIDE)
@pytest.mark.parametrize("computed", [False, True])
def test_a_place_outside_is_refused_at_its_line(use, kind, text, computed):
    x, i = rl.zeros(3, 4), rl.tensor([0, 5])
    if computed:
        i = i + 0  # not in memory while recording
    with pytest.raises(kind, match=text) as caught:
        use(x, i).sum().item()
    line = OUTSIDE[0][0].__code__.co_filename.rpartition("/")[2]
    assert f"recorded at {line}" in str(caught.value)
    assert "lambda x, i" in str(caught.value)


@pytest.mark.parametrize(
    "use", [lambda x, i: x.gather(0, i[None]), lambda x, i: x.index_select(0, i),
            lambda x, i: rl.embedding(x, i)]
)  # fmt: skip
def test_minus_one_is_no_place_where_pytorch_refuses_it(use):
    with pytest.raises((RuntimeError, IndexError), match=r"out of (bounds|range)"):
        use(rl.zeros(3, 4), rl.tensor([-1]) + 0).sum().item()


def test_zero_sized_dimensions_have_no_places():
    empty = rl.zeros(0, 3)
    assert empty[rl.zeros(0, dtype=rl.int64)].shape == (0, 3)
    with pytest.raises(IndexError, match="dimension 0 with size 0"):
        empty[rl.tensor([0])]


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_a_source_may_be_larger_than_the_index(reduce):
    # PyTorch computes it but has no gradient of it: the unread part must get zeros.
    places = RANDOM.integers(0, 3, (2, 3))
    values = RANDOM.random((3, 5))
    x, source = rl.tensor(RANDOM.random((3, 4))), rl.tensor(values, requires_grad=True)
    y = x.scatter_reduce(0, rl.tensor(places), source, reduce)
    expected = torch.tensor(x.numpy()).scatter_reduce(
        0, torch.tensor(places), torch.tensor(values), reduce
    )
    assert_same(y, expected)
    cut = torch.tensor(values[:2, :3], requires_grad=True)
    weight = RANDOM.random((3, 4))
    (y * rl.tensor(weight)).sum().backward()
    t = torch.tensor(x.numpy()).scatter_reduce(0, torch.tensor(places), cut, reduce)
    (t * torch.tensor(weight)).sum().backward()
    assert_same(source.grad[:2, :3], cut.grad)
    assert not source.grad[2].any() and not source.grad[:, 3:].any()


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
def test_products_differentiate_through_zeros(zeros):
    values = np.array([1.5, -2.0, 0.5, 3.0])
    values[:zeros] = 0
    x = rl.tensor(values, requires_grad=True)
    others = [np.prod(np.delete(values, k)) for k in range(4)]
    pairs = np.array(
        [[0 if i == j else np.prod(np.delete(values, [i, j])) for j in range(4)] for i in range(4)]
    )
    product = rl.ones(1, dtype=rl.float64)
    nowhere = rl.zeros(4, dtype=rl.int64)
    ways = (
        lambda: x.prod(),
        lambda: x.cumprod(0)[-1],
        lambda: product.scatter_reduce(0, nowhere, x, "prod").sum(),
    )
    for way in ways:
        (g,) = rl.autograd.grad(way(), x, create_graph=True)
        np.testing.assert_allclose(g.detach().numpy(), others)
        rows = [rl.autograd.grad(g[k], x, retain_graph=True)[0].numpy() for k in range(4)]
        np.testing.assert_allclose(rows, pairs)


@pytest.mark.parametrize("padding, scaled", itertools.product([None, 2, -1], [False, True]))
def test_embedding_gradients(padding, scaled):
    places = np.array([[0, 2, 2], [3, 2, 0]])
    w, t = both(RANDOM.random((4, 3)))
    y = rl.nn.functional.embedding(
        rl.tensor(places), w, padding_idx=padding, scale_grad_by_freq=scaled
    )
    s = torch.nn.functional.embedding(
        torch.tensor(places), t, padding_idx=padding, scale_grad_by_freq=scaled
    )
    assert_same(y, s)
    (y * y).sum().backward()
    (s * s).sum().backward()
    assert_same(w.grad, t.grad)


@pytest.mark.parametrize("name", ["reference", "compiled"])
def test_adding_up_many_rows_is_the_same_every_time(name, request):
    request.addfinalizer(functools.partial(tier.choose, tier.choose(name)))
    rows = rl.tensor(RANDOM.random((500, 8)), dtype=rl.float32)
    places = rl.tensor(RANDOM.integers(0, 20, 500))
    first = rl.zeros(20, 8).index_add(0, places, rows)
    again = rl.zeros(20, 8).index_add(0, places, rows)
    assert first.numpy().tobytes() == again.numpy().tobytes()
    exact = np.zeros((20, 8))
    np.add.at(exact, places.numpy(), rows.numpy().astype(np.float64))
    np.testing.assert_allclose(first.numpy(), exact, rtol=1e-5)
