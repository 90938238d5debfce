"""Which dtypes functions of matrices take, and what they say of the others."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import rushlight as rl

ONE = [
    "linalg.inv", "linalg.det", "linalg.eigh", "linalg.eigvalsh", "linalg.svdvals", "linalg.qr",
    "linalg.svd", "det", "linalg.cholesky", "linalg.eig", "linalg.eigvals", "linalg.lu_factor",
    "linalg.lu", "linalg.inv_ex", "linalg.cholesky_ex", "linalg.ldl_factor", "linalg.matrix_exp",
    "linalg.pinv", "linalg.matrix_rank", "linalg.slogdet", "linalg.cond", "linalg.matrix_norm",
    "linalg.vector_norm", "linalg.vander", "geqrf", "logdet", "cholesky_inverse", "fft.fft",
    "fft.irfft", "fft.rfft", "fft.ihfft", "fft.fftn", "fft.irfftn", "fft.fftshift", "diff",
    "gradient", "trace", "conj_physical",
]  # fmt: skip
TWO = {
    "linalg.solve": lambda t, a: t.linalg.solve(a, a),
    "linalg.solve_ex": lambda t, a: t.linalg.solve_ex(a, a),
    "linalg.lstsq": lambda t, a: t.linalg.lstsq(a, a),
    "linalg.solve_triangular": lambda t, a: t.linalg.solve_triangular(a, a, upper=True),
    "linalg.matrix_power": lambda t, a: t.linalg.matrix_power(a, 3),
    "linalg.vecdot": lambda t, a: t.linalg.vecdot(a, a),
    "linalg.cross": lambda t, a: t.linalg.cross(a[:3], a[:3], dim=0),
    "linalg.householder_product": lambda t, a: t.linalg.householder_product(a, a[0]),
    "ormqr": lambda t, a: t.ormqr(a, a[0], a),
}


def called(library, name, a):
    if name in TWO:
        return TWO[name](library, a)
    function = library
    for part in name.split("."):
        function = getattr(function, part)
    return function(a)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "dtype", ["float16", "bfloat16", "int64", "uint8", "bool", "float64", "complex64"]
)
@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_results_or_faults_are_pytorchs(name, dtype):
    values = np.random.default_rng(0).normal(size=(4, 4))
    values = values @ values.T + np.eye(4)
    found = []
    for library in (torch, rl):
        a = library.tensor(values).to(getattr(library, dtype))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = called(library, name, a)
        except Exception as fault:
            found.append(fault)
        else:
            parts = result if isinstance(result, (tuple, list)) else (result,)
            found.append([(tuple(x.shape), str(x.dtype)) for x in parts])
    theirs, ours = found
    if not isinstance(theirs, Exception):
        assert ours == theirs
    else:
        kind = NotImplementedError if isinstance(theirs, NotImplementedError) else RuntimeError
        assert isinstance(ours, kind), (ours, theirs)
