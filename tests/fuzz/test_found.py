"""Faults that strange inputs have shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import rushlight as rl
from rushlight.execute import tier
from rushlight.nn import functional as F


@pytest.fixture(autouse=True, params=["reference", "compiled"])
def in_tier(request):
    with tier.only(request.param):
        yield


def near(bad):
    x = rl.eye(5) + 1
    x[1, 0] = bad
    return x


def test_singular_values_of_infinity_come_to_an_end():
    u, s, vh = rl.linalg.svd(rl.stack([near(math.inf), near(2.0)]))
    assert all(each[0].isnan().all() and each[1].isfinite().all() for each in (u, s, vh))
    assert math.isnan(rl.linalg.matrix_norm(near(-math.inf), 2).item())
    assert rl.linalg.pinv(near(math.inf)).isnan().all()


@pytest.mark.parametrize("name", ["svd", "svdvals", "pinv", "matrix_rank", "cond"])
def test_singular_values_of_nan_are_refused(name):
    with pytest.raises(rl.linalg.LinAlgError, match="contained non-finite values"):
        result = getattr(rl.linalg, name)(near(math.nan))
        (result if isinstance(result, rl.Tensor) else result[0]).tolist()


def test_a_gradient_of_a_determinant_with_infinity():
    x = near(math.inf).requires_grad_()
    rl.linalg.det(x).backward()
    assert x.grad.isnan().any()


def test_matrix_exp_of_what_is_not_finite():
    result = rl.linalg.matrix_exp(rl.stack([near(math.inf), near(1.0), near(math.nan)]))
    assert result[0].isnan().all() and result[2].isnan().all()
    assert result[1].isfinite().all()


def test_logcumsumexp_of_complex_numbers():
    x = np.random.default_rng(0).normal(size=(4, 3, 2)) @ np.array([[1.0], [1.0j]])
    x = x[..., 0] * 30
    ours, theirs = rl.tensor(x).logcumsumexp(0), torch.tensor(x).logcumsumexp(0)
    np.testing.assert_allclose(np.exp(1j * ours.numpy().imag), np.exp(1j * theirs.numpy().imag))
    np.testing.assert_allclose(ours.numpy().real, theirs.numpy().real)


@pytest.mark.parametrize("n", [40, 171, 1000, 2**31])
def test_polygamma_of_high_order(n):
    x = [0.5, 1.0, 1.5]
    assert rl.polygamma(n, rl.tensor(x)).isinf().tolist() == [True, True, n < 1000]


@pytest.mark.parametrize("decimals", [-400, 400, -(2**63)])
def test_round_to_more_digits_than_there_are(decimals):
    ours = rl.tensor([1.5, -2.0]).round(decimals=decimals)
    theirs = torch.tensor([1.5, -2.0]).round(decimals=max(decimals, -(2**31)))
    np.testing.assert_array_equal(ours.isfinite().numpy(), theirs.isfinite().numpy())


X = rl.ones(3, 4)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: X.cumsum(0, dtype=3), r"argument 'dtype' must be torch.dtype, not int"),
        (lambda: X.sum(0, dtype=3).tolist(), r"dtype"),
        (lambda: rl.softmax(X, 1, 2), r"'dtype'.* must be torch.dtype, not int"),
        (lambda: F.log_softmax(X, 1, _stacklevel=3, dtype=2), r"dtype"),
        (lambda: rl.mean(X, dtype=3), r"dtype"),
        (lambda: rl.diag(X[0], 1.5), r"'diagonal' \(position 2\) must be int, not float"),
        (lambda: rl.histc(X, 1.5), r"'bins' \(position 2\) must be int, not float"),
        (lambda: rl.linalg.eigh(rl.eye(2), 3), r"'UPLO' \(position 2\) must be str, not int"),
        (lambda: rl.vander(X[0], 1.5), r"'N' \(position 2\) must be int, not float"),
        (lambda: F.pixel_unshuffle(rl.ones(1, 3, 3), 1.5), r"must be int, not float"),
        (lambda: rl.nan_to_num(X, "one"), r"'nan' \(position 2\) must be float, not str"),
        (lambda: rl.var(X, correction=()), r"'correction' must be Number, not tuple"),
        (lambda: X.sum("rows"), r"."),
        (lambda: rl.searchsorted(X, None), r"must be Tensor or Number, not NoneType"),
        (lambda: rl.linalg.matrix_rank(X, ()), r"must be Tensor or float, not tuple"),
        (lambda: F.avg_pool2d(X[None], 1, divisor_override=()), r"must be int, not tuple"),
        (lambda: rl.einsum("ij,jk->ik", None, X), r"expected Tensor as element 0 in argument 1"),
        (lambda: X.transpose(0, 1.5), r"must be int, not float"),
    ],
)
def test_arguments_of_another_type(call, text):
    with pytest.raises(TypeError, match=text):
        call()


def test_a_fault_of_another_kind_stays_what_it_is():
    with pytest.raises(IndexError, match="Dimension out of range"):
        X.cumsum(7)
    with pytest.raises(RuntimeError, match="padding='same' is not supported for strided"):
        F.conv1d(rl.ones(3, 5), rl.ones(2, 3, 3), None, 2, padding="same")


def test_more_parts_than_anybody_can_hold():
    with pytest.raises(RuntimeError, match="number of sections must be at most"):
        rl.tensor_split(X, 2**40)


def test_the_middle_of_no_whole_numbers():
    none = rl.zeros(0, 4, dtype=rl.int64)
    assert none.nanmedian().item() == none.median().item() == -(2**63)
    assert math.isnan(rl.zeros(0).nanmedian().item())


@pytest.mark.parametrize("shape", [(), (5,), (2, 3)])
def test_pivots_that_do_not_fit(shape):
    with pytest.raises(RuntimeError, match="LU_pivots must have one dimension less"):
        rl.lu_unpack(rl.ones(3, 3), rl.ones(shape, dtype=rl.int32))


def test_places_in_sequences_without_elements():
    assert rl.searchsorted(rl.zeros(3, 0), rl.zeros(3, 2)).tolist() == [[0, 0]] * 3


def test_a_tolerance_of_nan_is_refused():
    with pytest.raises(RuntimeError, match="atol must be greater than or equal to zero"):
        rl.isclose(X, X, atol=math.nan)


def test_views_of_more_elements_than_there_is_memory():
    wide = rl.ones(1, 1).expand(1 << 40, 3)
    assert wide.shape == (1 << 40, 3) and wide.stride() == (0, 0)
    assert wide[12345].tolist() == [1.0, 1.0, 1.0]
    assert wide[1 << 39 :: 1 << 38].tolist() == [[1.0] * 3] * 2
    assert wide.select(0, -1).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(IndexError):
        wide[1 << 40]
    with pytest.raises((RuntimeError, MemoryError)):
        (wide + 1).tolist()
