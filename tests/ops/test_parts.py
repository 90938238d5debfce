"""Parts of tensors that are views, named results, and shapes that depend on values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rushlight as rl

PARTS = [
    lambda x: x.split(2),
    lambda x: x.split([1, 3], -1),
    lambda x: x.chunk(3, 1),
    lambda x: x.tensor_split(3),
    lambda x: x.tensor_split((1, 2), 1),
    lambda x: x.unbind(1),
    lambda x: x.hsplit(2),
    lambda x: x.vsplit((1,)),
    lambda x: (x.narrow(0, 1, 2),),
    lambda x: (x.movedim(0, 1),),
    lambda x: (x.flatten(),),
    lambda x: (x.unflatten(1, (2, 2)),),
    lambda x: (x.unfold(1, 2, 2),),
    lambda x: (x.ravel(),),
    lambda x: (x.diagonal(),),
]


@pytest.mark.parametrize("parts", PARTS)
def test_writing_to_a_part_writes_to_the_whole(parts):
    x, t = rl.arange(12.0).reshape(3, 4).clone(), torch.arange(12.0).reshape(3, 4).clone()
    ours, theirs = parts(x), parts(t)
    assert len(ours) == len(theirs)
    for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        a.mul_(k + 2)
        b.mul_(k + 2)
    assert x.tolist() == t.tolist()
    x.add_(1)
    t.add_(1)
    for a, b in zip(ours, theirs, strict=True):
        assert a.tolist() == b.tolist()
        assert a.stride() == b.stride()


def test_windows_that_overlap_can_be_filled():
    x = rl.zeros(6)
    x.unfold(0, 3, 2).fill_(2.0)
    assert x.tolist() == [2, 2, 2, 2, 2, 0]


def test_one_tensor_with_enough_dimensions_is_a_view():
    x = rl.zeros(3)
    rl.atleast_2d(x).add_(1)
    assert x.tolist() == [1, 1, 1]
    a, b = rl.atleast_1d(rl.tensor(1.0), x)
    assert a.shape == (1,) and b.shape == (3,)


@pytest.mark.parametrize(
    "use, fields",
    [
        (lambda x: x.max(0), ("values", "indices")),
        (lambda x: x.min(dim=0, keepdim=True), ("values", "indices")),
        (lambda x: x.median(-1), ("values", "indices")),
        (lambda x: x.sort(), ("values", "indices")),
        (lambda x: x.topk(2), ("values", "indices")),
        (lambda x: x.mode(), ("values", "indices")),
        (lambda x: x.kthvalue(1), ("values", "indices")),
        (lambda x: x.cummax(0), ("values", "indices")),
        (lambda x: x.aminmax(), ("min", "max")),
        (lambda x: x.slogdet(), ("sign", "logabsdet")),
    ],
)
def test_results_have_pytorchs_names(use, fields):
    x = rl.tensor([[3.0, 1.0], [2.0, 4.0]])
    ours, theirs = use(x), use(torch.tensor(x.tolist()))
    for name in fields:
        np.testing.assert_allclose(getattr(ours, name).numpy(), getattr(theirs, name), rtol=1e-6)
    assert str(ours).split("(")[0] == f"torch.return_types.{type(ours).__name__}"


@pytest.mark.parametrize("name", ["max", "min", "median", "nanmedian"])
def test_without_a_dimension_there_is_one_result(name):
    assert getattr(rl.tensor([3.0, 1.0]), name)().ndim == 0


NANS = [[1.0, float("nan"), 3.0], [float("nan")] * 3, [2.0, 2.0, 1.0]]


@pytest.mark.parametrize(
    "name", ["max", "min", "median", "nanmedian", "sort", "cummax", "cummin", "argmax", "argmin"]
)
def test_nan_is_the_largest_and_the_smallest(name):
    ours = getattr(rl.tensor(NANS), name)(dim=1)
    theirs = getattr(torch.tensor(NANS), name)(dim=1)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_ties_share_a_gradient_or_give_it_to_the_first():
    for use in (lambda x: x.max(), lambda x: x.amax(), lambda x: x.max(0).values):
        x = rl.tensor([2.0, 1.0, 2.0], requires_grad=True)
        t = torch.tensor([2.0, 1.0, 2.0], requires_grad=True)
        use(x).backward()
        use(t).backward()
        assert x.grad.tolist() == t.grad.tolist()


def test_std_of_equal_numbers_has_gradient_zero():
    x = rl.ones(3, requires_grad=True)
    x.std().backward()
    assert x.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", [(0,), (7,), (3, 4), (2, 0), ()])
def test_what_depends_on_values(shape):
    values = np.random.default_rng(1).integers(-2, 3, shape)
    x, t = rl.tensor(values), torch.tensor(values)
    programs = [
        lambda x, lib: x.nonzero(),
        lambda x, lib: x.nonzero(as_tuple=True),
        lambda x, lib: lib.argwhere(x),
        lambda x, lib: lib.where(x > 0),
        lambda x, lib: x.masked_select(x > 0),
        lambda x, lib: x.unique(return_inverse=True, return_counts=True),
        lambda x, lib: x.unique_consecutive(return_inverse=True, return_counts=True),
        lambda x, lib: x.flatten().square().bincount(minlength=3),
        lambda x, lib: lib.repeat_interleave(x, x.flatten().square(), None),
    ]
    for program in programs:
        ours, theirs = program(x, rl), program(t, torch)
        ours = ours if isinstance(ours, tuple) else (ours,)
        theirs = theirs if isinstance(theirs, tuple) else (theirs,)
        for a, b in zip(ours, theirs, strict=True):
            assert str(a.dtype) == str(b.dtype)
            assert tuple(a.shape) == tuple(b.shape)
            assert a.tolist() == b.tolist()


def test_unique_rows():
    values = [[1, 2], [0, 5], [1, 2], [1, 2]]
    for name in ("unique", "unique_consecutive"):
        for dim in (0, 1):
            options = {"return_inverse": True, "return_counts": True, "dim": dim}
            ours = getattr(rl.tensor(values), name)(**options)
            theirs = getattr(torch.tensor(values), name)(**options)
            assert [a.tolist() for a in ours] == [b.tolist() for b in theirs]


def test_gradients_flow_through_what_depends_on_values():
    x = rl.tensor([1.0, -2.0, 3.0], requires_grad=True)
    x.masked_select(x > 0).square().sum().backward()
    assert x.grad.tolist() == [2, 0, 6]
    x.grad = None
    rl.repeat_interleave(x, rl.tensor([2, 0, 3])).sum().backward()
    assert x.grad.tolist() == [2, 0, 3]


@pytest.mark.parametrize(
    "use, kind, text",
    [
        (lambda: rl.tensor([1, 2]).repeat_interleave(rl.tensor([1, 2, 3])), RuntimeError, "same"),
        (lambda: rl.tensor([1, 2]).repeat_interleave(rl.tensor([1, -2])), RuntimeError, "negative"),
        (lambda: rl.tensor([1.0]).bincount(), RuntimeError, "not implemented for 'Float'"),
        (lambda: rl.tensor([-1]).bincount(), RuntimeError, "non-negative integral"),
        (lambda: rl.tensor([1]).masked_select(rl.tensor([1])), RuntimeError, "BoolTensor"),
        (lambda: rl.zeros(3).index_put((rl.tensor([0.0]),), rl.ones(1)), IndexError, "be long"),
        (lambda: rl.equal(rl.zeros(1), rl.tensor([0])), RuntimeError, "Expected object of data"),
        (lambda: rl.linalg.inv(rl.zeros(2, 2)).tolist(), rl.linalg.LinAlgError, "singular"),
    ],
)  # fmt: skip
def test_bad_uses(use, kind, text):
    with pytest.raises(kind, match=text) as caught:
        use()
    assert "recorded at" in str(caught.value)
