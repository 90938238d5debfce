"""Every operation rushlight knows: one class each, a file per family.

A gradient rule calls operations by ``ops.name``. The single instance of each class is also in
``rushlight.graph.op.table``.
"""

# ruff: noqa: I001 - families need the ones above them

from __future__ import annotations

from rushlight.graph.node import Node

from .elementwise import TORCH_NAMES
from .structure import (
    clone, constant_in, detach, finite, gradients, graft, joined, leaf, part, parts, together,
)  # fmt: skip
from .again import again
from .overwrite import fill, overwrite
from .unary import (
    abs, exp, exp2, expm1, log, log1p, log2, log10, nan_to_num, neg, reciprocal, rsqrt, sgn, sign,
    sqrt, square,
)  # fmt: skip
from .rounding import ceil, floor, frac, round, trunc
from .trigonometry import (
    acos, acosh, asin, asinh, atan, atanh, cos, cosh, deg2rad, rad2deg, sin, sinc, sinh, tan, tanh,
)  # fmt: skip
from .special import erf, erfc, erfinv, logit, sigmoid
from .binary import add, atan2, div, mul, rsub, sub
from .larger import fmax, fmin, maximum, minimum
from .division import floor_divide, floor_quotient, fmod, remainder, trunc_divide
from .power import cube, pow
from .bitwise import (
    bitwise_and, bitwise_left_shift, bitwise_or, bitwise_right_shift, bitwise_xor,
)  # fmt: skip
from .convert import angle, cast, conj, conj_physical, imag, polar, real
from .compare import (
    bitwise_not, eq, ge, gt, isfinite, isinf, isnan, le, logical_and, logical_not, logical_or,
    logical_xor, lt, ne, where,
)  # fmt: skip
from .closeness import isclose
from .signs import copysign, heaviside, isneginf, isposinf, isreal, signbit
from .divisor import gcd, lcm
from .create import arange, eye, full, ones, zeros
from .view import permute, reshape, squeeze, t, transpose, unsqueeze
from .broadcasting import expand, sum_to, sum_to_size
from .slicing import select, select_scatter, slice_, slice_scatter, unselect, unslice
from .diagonal import diagonal, diagonal_scatter, undiagonal
from .replaced import diagonal_replaced, select_replaced, slice_replaced
from .coordinates import nonzero_static, unravel_index
from .strided import alias, as_strided, strided_scatter, unstrided
from .bits import bit_cast, complex, view_as_complex, view_as_real
from .reduce import logsumexp, mean, nanmean, nansum, prod, sum
from .truth import all, any, count_nonzero
from .extremum import amax, amin, aminmax, max, max_all, max_along, min, min_all, min_along
from .extremum_place import argmax, argmin
from .middle import (
    kthvalue, median, median_all, median_along, mode, nanmedian, nanmedian_all, nanmedian_along,
)  # fmt: skip
from .variance import std, std_mean, var, var_mean
from .vector_norm import cdist, dist, linalg_vector_norm, norm
from .scan import cummax, cummin, cumprod, cumsum, linear_recurrence, logcumsumexp, shifted
from .recursive import recursive_filter
from .join import cat, column_stack, dstack, hstack, stack, vstack
from .split import (
    chunk, dsplit, hsplit, split, split_with_sizes, tensor_split, unbind, vsplit,
)  # fmt: skip
from .arrange import flip, fliplr, flipud, repeat, repeat_each, roll, rot90, tile
from .triangle import tril, triu
from .shape import flatten, movedim, narrow, ravel, unflatten
from .grid import atleast_1d, atleast_2d, atleast_3d, broadcast_tensors, meshgrid
from .sliding import unfold
from .diag import block_diag, diag, diag_embed, diagflat, kron, trace
from .pad import pad, pad_constant
from .index import index, index_put
from .laid import lay_one, refold
from .gather import gather, scatter_add, scatter_from, take_along_dim
from .scatter import scatter
from .scatter_reduce import (
    index_reduce, scatter_amax, scatter_amin, scatter_prod, scatter_reduce,
)  # fmt: skip
from .rows import index_add, index_copy, index_fill, index_select
from .flat import put, take
from .masked import masked_fill, masked_scatter, unmasked_places
from .embedding import embedding, one_hot
from .matmul import linear, matmul
from .product import bmm, cross, dot, inner, mm, mv, outer, tensordot, vdot
from .accumulate import addbmm, addmm, addmv, addr, baddbmm
from .einsum import einsum
from .random import (
    DIGITS, random_exponential, random_integer, random_normal, random_permutation, random_uniform,
)  # fmt: skip
from .counts import binomial_counts, gamma_slope, poisson_counts, standard_gamma
from .chance import dropout, multinomial, random_bernoulli
from .ternary import addcdiv, addcmul, clamp, clamp_max, clamp_min, hypot, lerp, logaddexp, xlogy
from .gamma import digamma, lgamma, mvlgamma
from .bessel import (
    i0, special_airy_ai, special_bessel_j0, special_bessel_j1, special_i0e, special_i1, special_i1e,
    special_scaled_modified_bessel_k0, special_scaled_modified_bessel_k1,
    special_spherical_bessel_j0,
)  # fmt: skip
from .bessel_second import (
    special_bessel_y0, special_bessel_y1, special_modified_bessel_k0, special_modified_bessel_k1,
)  # fmt: skip
from .polynomials import (
    special_chebyshev_polynomial_t, special_chebyshev_polynomial_u, special_chebyshev_polynomial_v,
    special_chebyshev_polynomial_w, special_hermite_polynomial_h, special_hermite_polynomial_he,
    special_laguerre_polynomial_l, special_legendre_polynomial_p,
    special_shifted_chebyshev_polynomial_t, special_shifted_chebyshev_polynomial_u,
    special_shifted_chebyshev_polynomial_v, special_shifted_chebyshev_polynomial_w,
)  # fmt: skip
from .zeta import polygamma, special_zeta
from .normal import (
    special_entr, special_erfcx, special_log_ndtr, special_ndtr, special_ndtri, special_xlog1py,
)  # fmt: skip
from .incomplete_gamma import igamma, igammac
from .quantile import nanquantile, quantile
from .trapezoid import cumulative_trapezoid, trapezoid
from .covariance import corrcoef, cov
from .renorm import renorm
from .histogram import bin_counts, histc, histogram, histogramdd
from .isin import isin
from .exponent import exponent, float_power, frexp, ldexp, logaddexp2, mantissa, nextafter
from .activation import (
    celu, elu, gate, leaky_relu, logsigmoid, mish, prelu, relu, selu, silu, softplus,
)  # fmt: skip
from .gated import glu, softsign, tanhshrink
from .gelu import gelu
from .piecewise import (
    hardshrink, hardsigmoid, hardswish, hardtanh, relu6, softshrink, threshold,
)  # fmt: skip
from .conv import conv, conv_data, conv_weight
from .bytes import conv_bytes, linear_bytes
from .quantized import dequantize, quantize, quantized_conv, quantized_linear, rescale
from .convolution import (
    conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d,
)  # fmt: skip
from .pool import avg_pool, avg_unpool, max_pool, pick, unpool
from .pooling import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from .adaptive_pooling import (
    adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, adaptive_max_pool1d,
    adaptive_max_pool2d, adaptive_max_pool3d,
)  # fmt: skip
from .unpooling import (
    joint_gather, lp_pool1d, lp_pool2d, lp_pool3d, max_unpool1d, max_unpool2d, max_unpool3d,
)  # fmt: skip
from .resample import resample
from .patches import col2im, im2col
from .grid_sample import affine_grid, grid_sample
from .interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from .norm import layer_norm, norm_grad, rms_norm
from .group_norm import group_norm
from .batch_norm import batch_moments, batch_norm
from .recurrent import recurrent, recurrent_grad
from .recurrent_steps import recurrent_steps, recurrent_steps_back
from .softmax import log_softmax, softmax
from .attention import (
    attention, attention_back, attention_dropout, attention_dropout_back,
)  # fmt: skip
from .loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .entropy import binary_cross_entropy, binary_cross_entropy_with_logits, kl_div
from .class_pick import class_pick, class_place
from .nll import cross_entropy, cross_entropy_grad, nll_loss, nll_loss_grad
from .distance import cosine_similarity, normalize, pairwise_distance, pdist
from .margin import (
    cosine_embedding_loss, hinge_embedding_loss, margin_ranking_loss, soft_margin_loss,
    triplet_margin_loss,
)  # fmt: skip
from .multiclass import multi_margin_loss, multilabel_margin_loss, multilabel_soft_margin_loss
from .likelihood import gaussian_nll_loss, least_variance, poisson_nll_loss
from .ctc import ctc_loss, ctc_losses
from .linear_entropy import linear_cross_entropy
from .bilinear import bilinear
from .shuffle import channel_shuffle, pixel_shuffle, pixel_unshuffle
from .sort import argsort, msort, sort, topk
from .search import bucketize, searchsorted
from .solve import cholesky_solve, linalg_inv, linalg_solve, linalg_solve_triangular
from .determinant import cofactors, linalg_det, linalg_slogdet, logdet
from .factor import (
    linalg_cholesky, linalg_eigh, linalg_eigvalsh, linalg_qr, linalg_svd, linalg_svdvals,
)  # fmt: skip
from .matrix import (
    linalg_cross, linalg_diagonal, linalg_matrix_exp, linalg_matrix_power, linalg_multi_dot,
    linalg_pinv, linalg_vecdot,
)  # fmt: skip
from .matrix_norm import linalg_cond, linalg_matrix_norm, linalg_matrix_rank, linalg_norm
from .older import (
    chain_matmul, cholesky, det, frobenius_norm, inverse, matrix_exp, matrix_power, nuclear_norm,
    pinverse, qr, slogdet, svd,
)  # fmt: skip
from .fourier import fourier_complex, fourier_from_real, fourier_to_real
from .fft_functions import (
    fft_fft, fft_fft2, fft_fftn, fft_fftshift, fft_hfft, fft_hfft2, fft_hfftn, fft_ifft, fft_ifft2,
    fft_ifftn, fft_ifftshift, fft_ihfft, fft_ihfft2, fft_ihfftn, fft_irfft, fft_irfft2, fft_irfftn,
    fft_rfft, fft_rfft2, fft_rfftn,
)  # fmt: skip
from .stft import covered, istft, stft
from .differences import diff, gradient
from .choices import cartesian_prod, combinations
from .lu import linalg_lu, linalg_lu_factor, linalg_lu_factor_ex, lu, lu_permutation, lu_unpack
from .lu_solve import (
    cholesky_inverse, linalg_cholesky_ex, linalg_inv_ex, linalg_lu_solve, linalg_solve_ex, lu_solve,
)  # fmt: skip
from .householder import geqrf, linalg_householder_product, orgqr, ormqr
from .eig import eigenpairs, linalg_eig, linalg_eigvals
from .ldl import linalg_ldl_factor, linalg_ldl_factor_ex, linalg_ldl_solve
from .tensor_solve import (
    linalg_tensorinv, linalg_tensorsolve, linalg_vander, triangular_solve, vander,
)  # fmt: skip

_OPERATORS = {
    "__add__": add, "__radd__": add, "__sub__": sub, "__mul__": mul, "__rmul__": mul,
    "__truediv__": div, "__pow__": pow, "__gt__": gt, "__ge__": ge,
    "__lt__": lt, "__le__": le,
}  # fmt: skip
for _name, _op in _OPERATORS.items():
    setattr(Node, _name, lambda x, y, _pair=_op.pair: _pair(x, y))
setattr(Node, "__neg__", lambda x: neg(x))  # noqa: B010 - mypy knows them as methods
setattr(Node, "__rsub__", lambda x, y: sub(y, x))  # noqa: B010
setattr(Node, "__rtruediv__", lambda x, y: div(y, x))  # noqa: B010
