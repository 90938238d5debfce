"""For tests: comparisons, tensors to compare, and how many kernels work took."""

from .closeness import assert_allclose, assert_close
from .kernels import assert_kernels, assert_no_recompile
from .made import make_tensor

__all__ = [
    "assert_allclose",
    "assert_close",
    "assert_kernels",
    "assert_no_recompile",
    "make_tensor",
]
