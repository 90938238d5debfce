"""The array API standard: parameters as array-api-strict's, values as NumPy's."""

import doctest
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rushlight as rl
import rushlight.array_api as xp

strict = pytest.importorskip("array_api_strict")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "array-api.md"
THEIR_OWN = {
    "ArrayAPIStrictFlags", "Device", "__version__", "get_array_api_strict_flags",
    "reset_array_api_strict_flags", "set_array_api_strict_flags",
}  # fmt: skip
LATER = {"broadcast_shapes", "isin"}  # 2025.12
MISSING = {"uint16", "uint32", "uint64"}


def functions(module):
    return {
        name: getattr(module, name)
        for name in module.__all__
        if inspect.isfunction(getattr(module, name)) and not name.startswith("_")
    }


def test_only_the_types_that_are_told_are_missing():
    assert {name for name in strict.__all__ if not hasattr(xp, name)} == MISSING | LATER | THEIR_OWN
    for extension in ("linalg", "fft"):
        names = getattr(strict, extension).__all__
        assert [name for name in names if not hasattr(getattr(xp, extension), name)] == []
    text = PAGE.read_text()
    assert all(f"`{name}`" in text for name in MISSING)


@pytest.mark.parametrize(
    "ours, theirs", [(xp, strict), (xp.linalg, strict.linalg), (xp.fft, strict.fft)]
)
def test_parameters_are_the_standards(ours, theirs):
    mine = functions(ours)
    for name, function in functions(theirs).items():
        if name not in THEIR_OWN | LATER | {"eig", "eigvals"}:
            wanted = inspect.signature(function).parameters
            found = inspect.signature(mine[name]).parameters
            assert list(found) == list(wanted), name
            assert [p.kind for p in found.values()] == [p.kind for p in wanted.values()], name


def test_the_page_tells_the_truth():
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert found.failed == 0 and found.attempted > 10


# Values: NumPy's main namespace follows the standard ----------------------------------------

R = np.random.default_rng(0)
A, B = R.normal(size=(3, 4)), R.normal(size=(4,)) * 2
P = np.abs(A) + 0.5
I, J = R.integers(-9, 9, (3, 4)), R.integers(1, 5, (4,))
C = A + 1j * P
S = A[:, :3] @ A[:, :3].T + 3 * np.eye(3)
UNARY = {
    "": "abs atan asinh ceil cos exp expm1 floor isfinite isinf isnan negative positive round sign"
    " signbit sin sinh square tan tanh trunc logical_not",
    "positive": "log log10 log1p log2 sqrt reciprocal",
}


def words(text):
    return text.split()


def agree(found, wanted):
    if isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted)
        for pair in zip(found, wanted, strict=True):
            agree(*pair)
        return
    wanted = np.asarray(wanted)
    assert str(found.dtype).removeprefix("torch.") == wanted.dtype.name
    assert tuple(found.shape) == wanted.shape
    np.testing.assert_allclose(found.resolve_conj().numpy(), wanted, rtol=1e-12, atol=1e-12)


def check(name, *args, module="", **kwargs):
    mine, theirs = (getattr(x, module) if module else x for x in (xp, np))

    def given(value):
        if isinstance(value, (list, tuple)) and any(isinstance(x, np.ndarray) for x in value):
            return [given(x) for x in value]
        return rl.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value

    agree(getattr(mine, name)(*map(given, args), **kwargs), getattr(theirs, name)(*args, **kwargs))


def test_elementwise():
    for kind, names in UNARY.items():
        for name in names.split():
            check(name, P if kind else A)
    for name in words("acos asin atanh"):
        check(name, np.tanh(A))
    check("acosh", P + 1)
    for name in words("real imag conj abs exp sqrt sign"):
        check(name, C)
    for name in words(
        "add atan2 copysign divide hypot logaddexp maximum minimum multiply subtract"
    ):
        check(name, A, B)
    for name in words(
        "equal greater greater_equal less less_equal not_equal logical_and logical_xor"
    ):
        check(name, I, J)
    for name in words("bitwise_and bitwise_or bitwise_xor floor_divide remainder pow"):
        check(name, J, J + 1)
    for name in words("bitwise_left_shift bitwise_right_shift"):
        check(name, I, J)
    check("bitwise_invert", I), check("logical_or", I > 0, J > 2), check("nextafter", A, B)
    check("clip", A, -0.5, 0.5), check("clip", I, min=-2), check("clip", A, np.full(4, -1.0), B + 9)
    check("where", A > 0, A, B), check("where", A > 0, A, 0)


def test_numbers_and_arrays_without_dimensions_promote():
    x = rl.tensor(2.0, dtype=rl.float64)
    assert xp.add(x, rl.ones(2)).dtype is rl.float64
    assert xp.add(rl.ones(2), 1).dtype is rl.float32 and xp.multiply(2, rl.ones(2)).tolist() == [
        2,
        2,
    ]
    assert xp.result_type(rl.int8, 3) is rl.int8 and xp.result_type(rl.int8, 1.0) is rl.float32
    assert xp.result_type(rl.uint8, rl.int8, rl.int32) is rl.int32
    with pytest.raises(ValueError):
        xp.result_type(1, 2.0)
    assert xp.can_cast(rl.int8, rl.int16) and not xp.can_cast(rl.float64, rl.float32)
    assert xp.isdtype(rl.uint8, "integral") and not xp.isdtype(rl.bool, "numeric")
    assert xp.isdtype(rl.float32, (rl.int8, "real floating"))
    with pytest.raises(ValueError):
        xp.isdtype(rl.float32, "float")


def test_reductions():
    for x in (A, I, A[0], np.array(3.0)):
        for name in words("sum prod max min count_nonzero"):
            check(name, x), check(name, x, keepdims=True)
    for name in words("sum prod max min mean std var all any"):
        check(name, A, axis=1), check(name, A, axis=(0, 1)), check(name, A, axis=-2, keepdims=True)
    check("std", A, correction=1, axis=0), check("var", A, correction=0.5)
    check("sum", I.astype(np.int8)), check("prod", J.astype(np.int32), axis=0)
    check("sum", np.zeros((0, 2)), axis=0), check("prod", np.zeros((0, 2)), axis=0)
    check("argmax", A), check("argmin", A, axis=1, keepdims=True)
    for name in ("cumulative_sum", "cumulative_prod"):
        check(name, A, axis=0), check(name, A, axis=1, include_initial=True), check(name, B)
        with pytest.raises(ValueError):
            getattr(xp, name)(rl.ones(2, 2))
    assert xp.sum(rl.ones(2, 3), axis=()).shape == (2, 3)


def test_shapes():
    check("concat", [A, A]), check("concat", [A, B], axis=None), check("stack", [B, B], axis=1)
    check("expand_dims", A, axis=1), check("flip", A), check("flip", A, axis=0)
    check("matrix_transpose", A), check("moveaxis", A, 0, 1), check("permute_dims", A, (1, 0))
    check("repeat", A, 2), check("repeat", A, 2, axis=0), check("reshape", A, (2, 6))
    check("roll", A, 1), check("roll", A, (1, 2), axis=(0, 1)), check("tile", A, (2, 1))
    check("squeeze", A[:, None], axis=1), check("unstack", A, axis=1)
    check("broadcast_to", B, (2, 4)), check("broadcast_arrays", A, B), check("diff", A, n=2)
    check("take", A, J - 1, axis=1), check("take", B, np.array([-1, 0]))
    check("take_along_axis", A, np.argsort(A, axis=1), axis=1)
    for refused in (
        lambda: xp.squeeze(rl.ones(2), 0),
        lambda: xp.take(rl.ones(2, 2), rl.tensor([0])),
    ):
        with pytest.raises(ValueError):
            refused()
    with pytest.raises(RuntimeError):
        xp.reshape(rl.ones(2, 3).T, (6,), copy=False)
    assert xp.concat([rl.ones(1), rl.ones(1, dtype=rl.float64)]).dtype is rl.float64


def test_order():
    for descending in (False, True):
        found = xp.sort(rl.from_numpy(A.copy()), axis=0, descending=descending)
        wanted = np.sort(A, axis=0)
        agree(found, wanted[::-1].copy() if descending else wanted)
    check("argsort", A), check("nonzero", I), check("searchsorted", np.sort(B), A)
    for name in words("unique_all unique_counts unique_inverse"):
        check(name, I)
    agree(xp.unique_values(rl.from_numpy(I.copy())), np.unique(I))  # NumPy's are in no order
    with pytest.raises(ValueError):
        xp.nonzero(rl.tensor(1))


def test_creation():
    for args in ((3,), (1, 4), (5, 1, -2), (3, 1), (0,)):
        check("arange", *args)
    agree(
        xp.linspace(0, 1, 4, endpoint=False, dtype=rl.float64), np.linspace(0, 1, 4, endpoint=False)
    )
    for k in (-1, 0, 2):
        agree(xp.eye(3, 4, k=k, dtype=rl.float64), np.eye(3, 4, k=k))
        check("tril", A, k=k), check("triu", A, k=k)
    for indexing in ("xy", "ij"):
        check("meshgrid", B, A[0], indexing=indexing)
    assert xp.full(3, 2).dtype is rl.int64 and xp.full((), True).dtype is rl.bool
    assert xp.arange(1.0, step=-1).dtype is rl.float32
    x = rl.ones(3)
    copy = xp.asarray(x, copy=True)
    copy[0] = 5
    assert x[0] == 1 and xp.from_dlpack(np.ones(2)).dtype is rl.float64
    assert xp.finfo(rl.complex64).dtype is rl.float32 and xp.iinfo(rl.int8).min == -128
    assert xp.astype(x, rl.int8).dtype is rl.int8 and xp.astype(x, rl.float32, copy=False) is x


def test_linear_algebra():
    for name in words(
        "cholesky det eigvalsh inv pinv matrix_rank svdvals trace matrix_norm slogdet"
    ):
        check(name, S, module="linalg")
    check("matmul", A, B), check("tensordot", A, A, axes=([0], [0])), check("vecdot", C, B)
    check("outer", B, A[0], module="linalg"), check("matrix_power", S, 3, module="linalg")
    check("solve", np.stack([S, S + 1]), B[:3], module="linalg")
    check("solve", S, np.stack([A, A]), module="linalg")
    (
        check("cross", A[:, :3], B[:3], module="linalg"),
        check("diagonal", A, offset=1, module="linalg"),
    )
    (
        check("vector_norm", A, axis=1, ord=1, module="linalg"),
        check("vector_norm", A, module="linalg"),
    )
    u, s, vh = xp.linalg.svd(rl.from_numpy(A.copy()), full_matrices=False)
    agree(u @ rl.diag(s) @ vh, A)
    values, vectors = xp.linalg.eigh(rl.from_numpy(S.copy()))
    agree(vectors * values @ vectors.mT, S)
    q, r = xp.linalg.qr(rl.from_numpy(A.copy()))
    agree(q @ r, A)
    assert (
        xp.vecdot(rl.tensor([2, 3], dtype=rl.int8), rl.tensor([1, 1], dtype=rl.int8)).dtype
        is rl.int8
    )


def test_vectors_of_other_sizes_have_no_product():
    for sizes in ((0, 1), (2, 3)):
        with pytest.raises(ValueError):
            xp.vecdot(*map(rl.ones, sizes))


def test_fourier():
    for name in words("fft ifft ihfft rfft"):
        check(name, A, axis=0, module="fft", norm="ortho")
    for name in words("hfft irfft fftn ifftn irfftn"):
        check(name, C, module="fft")
    check("rfftn", A, axes=(0, 1), module="fft"), check("fftshift", B, module="fft")
    agree(xp.fft.fftfreq(5, d=0.5, dtype=rl.float64), np.fft.fftfreq(5, d=0.5))
    agree(xp.fft.rfftfreq(5, dtype=rl.float64), np.fft.rfftfreq(5))


# The namespace ------------------------------------------------------------------------------


def test_tensors_name_their_namespace():
    for version in (None, "2022.12", "2024.12"):
        assert rl.ones(2).__array_namespace__(api_version=version) is xp
    with pytest.raises(ValueError):
        rl.ones(2).__array_namespace__(api_version="1999.1")
    assert rl.nn.Parameter(rl.ones(2)).__array_namespace__() is xp
    assert rl.ones(2).to_device("cpu").device == rl.device("cpu")


def test_info():
    info = xp.__array_namespace_info__()
    assert info.default_dtypes()["real floating"] is rl.float32
    assert info.devices() == [info.default_device()] and info.capabilities()["boolean indexing"]
    assert info.dtypes(kind=("bool", "complex floating")) == {
        "bool": rl.bool, "complex64": rl.complex64, "complex128": rl.complex128,
    }  # fmt: skip
    assert len(info.dtypes()) == 10


def test_code_of_others_runs():
    compat = pytest.importorskip("array_api_compat")
    x = rl.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert compat.array_namespace(x, x) is xp and compat.is_array_api_obj(x)
    assert compat.device(x) == rl.device("cpu") and compat.size(x) == 4
    assert compat.to_device(x, "cpu") is x


def test_gradients_pass():
    x = rl.tensor([[1.0, 4.0], [3.0, 8.0]], requires_grad=True)
    xp.sum(xp.square(xp.matmul(x, xp.matrix_transpose(x)))).backward()
    y = rl.tensor([[1.0, 4.0], [3.0, 8.0]], requires_grad=True)
    (y @ y.T).square().sum().backward()
    assert rl.equal(x.grad, y.grad)


GENERIC = """
import numpy as np, rushlight as rl
from scipy import special, stats
x = np.random.default_rng(0).normal(size=(20, 3))
for f in (stats.zscore, stats.skew, lambda x: special.logsumexp(x, axis=0), special.softmax):
    found = f(rl.tensor(x))
    assert isinstance(found, rl.Tensor), f
    np.testing.assert_allclose(found.numpy(), f(x), rtol=1e-6)
try:
    import sklearn
    from sklearn import decomposition, preprocessing
except ImportError:
    raise SystemExit
with sklearn.config_context(array_api_dispatch=True):
    for make in (preprocessing.StandardScaler, lambda: decomposition.PCA(2, svd_solver="full")):
        found = make().fit_transform(rl.tensor(x))
        assert isinstance(found, rl.Tensor), make
        np.testing.assert_allclose(found.abs().numpy(), np.abs(make().fit_transform(x)), rtol=1e-6)
"""


@pytest.mark.slow
def test_functions_of_scipy_and_scikit_learn_take_tensors():
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "RUSHLIGHT_TIER": "reference"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", GENERIC], env=environment, check=True)
