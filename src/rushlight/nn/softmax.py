"""Softmax and its relatives as functions, which may leave the dimension out."""

from __future__ import annotations

import warnings

import rushlight as rl
from rushlight import Tensor, dtype


def _get_softmax_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dimension that is meant when none is given, which warns."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include"
        " dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype | None = None
) -> Tensor:
    r"""Positive numbers that add up to 1: :math:`e^{x_i} / \sum_j e^{x_j}` along ``dim``.

    Args:
        dim: the dimension; None chooses one from the number of dimensions, and warns.
        dtype: the input is converted to it first.
    Raises:
        IndexError: there is no such dimension.
        RuntimeError: the input is not floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.softmax(rl.tensor([0.0, 0.0, 1.0]), dim=0)
        tensor([0.2119, 0.2119, 0.5761])
    """
    if dim is None:
        dim = _get_softmax_dim("softmax", input.dim(), _stacklevel)
    return rl.softmax(input, dim, dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype | None = None
) -> Tensor:
    r"""The logarithm of :func:`softmax`: :math:`x_i - \log \sum_j e^{x_j}` along ``dim``.

    Arguments and faults are those of :func:`softmax`.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.log_softmax(rl.tensor([0.0, 0.0, 1.0]), dim=0)
        tensor([-1.5514, -1.5514, -0.5514])
    """
    if dim is None:
        dim = _get_softmax_dim("log_softmax", input.dim(), _stacklevel)
    return rl.log_softmax(input, dim, dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtype | None = None
) -> Tensor:
    """:func:`softmax` of ``-input``: the smallest element gets most.

    Arguments and faults are those of :func:`softmax`.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.softmin(rl.tensor([0.0, 0.0, -1.0]), dim=0)
        tensor([0.2119, 0.2119, 0.5761])
    """
    if dim is None:
        dim = _get_softmax_dim("softmin", input.dim(), _stacklevel)
    return rl.softmax(-input, dim, dtype)
