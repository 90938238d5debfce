"""Operations whose strange inputs here do something else than in PyTorch, and what."""

from __future__ import annotations

KNOWN: dict[str, str] = {
    "adaptive_avg_pool1d": "refuses windows of an input without elements, as max pooling does",
    "conv_transpose1d": "says that dtypes differ before it says that one has no kernel",
    "conv_transpose3d": "says that dtypes differ before it says that one has no kernel",
    "einsum": "operands in the form of sublists are refused with RuntimeError",
    "fft_ifft2": "infinite elements: which of the others become NaN depends on the algorithm",
    "huber_loss": "float32 and float64 promote, where PyTorch takes the dtype of the input",
    "index_add": "`out=` is looked at last",
    "index_fill": "a floating-point index is a RuntimeError, as in the other index functions",
    "leaky_relu": "the dtype is refused before the slope",
    "linalg_solve": "infinite elements: LAPACK's answer depends on how it scales",
    "linalg_solve_ex": "batches of vectors are taken from the right, too",
    "multilabel_margin_loss": "takes whole numbers",
    "mv": "a number instead of a matrix is a RuntimeError, as a vector is",
    "polygamma": "whole numbers near the least of their type are poles here",
    "prelu": "a weight of another dtype promotes",
    "qr": "matrices without full rank have many factors",
    "special_shifted_chebyshev_polynomial_u": "the degree NaN gives NaN",
    "std_mean": "sums of numbers near the largest overflow, where PyTorch updates a mean",
    "upsample": "a missing dimension is a ValueError",
}
