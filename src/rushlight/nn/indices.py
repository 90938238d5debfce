"""Poolings by the largest element that also say where it lies."""

from __future__ import annotations

from typing import Any

from rushlight import Tensor
from rushlight.tensor.functions import public

Both = tuple[Tensor, Tensor]


def _both(name: str, input: Tensor, *args: Any) -> Both:
    return public["nn.functional"][name](input, *args, return_indices=True)  # type: ignore[no-any-return]


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Both:  # fmt: skip
    """:func:`max_pool1d`, and where the elements lie."""
    return _both("max_pool1d", input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Both:  # fmt: skip
    """:func:`max_pool2d`, and where the elements lie in the flattened image."""
    return _both("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Both:  # fmt: skip
    """:func:`max_pool3d`, and where the elements lie in the flattened volume."""
    return _both("max_pool3d", input, kernel_size, stride, padding, dilation, ceil_mode)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Both:
    """:func:`adaptive_max_pool1d`, and where the elements lie."""
    return _both("adaptive_max_pool1d", input, output_size)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Both:
    """:func:`adaptive_max_pool2d`, and where the elements lie in the flattened image."""
    return _both("adaptive_max_pool2d", input, output_size)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Both:
    """:func:`adaptive_max_pool3d`, and where the elements lie in the flattened volume."""
    return _both("adaptive_max_pool3d", input, output_size)
