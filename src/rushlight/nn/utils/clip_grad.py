"""Keeping gradients from growing too large."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable
from typing import Any

from rushlight.autograd.mode import no_grad
from rushlight.base.errors import OperationError
from rushlight.tensor.creation import tensor
from rushlight.tensor.functions import public
from rushlight.tensor.tensor import Tensor

Tensors = Tensor | Iterable[Tensor]

stack = public[""]["stack"]
vector_norm = public["linalg"]["vector_norm"]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales gradients down, all by one factor, so that together their norm is at most a bound.

    Args:
        parameters: the tensors whose ``grad`` is changed in place; those without one are left out.
        max_norm: the bound.
        norm_type: the order of the norm; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or nan is an error.
        foreach: makes no difference here; all gradients are always scaled together.

    Returns:
        The norm before, over all gradients as if they were one vector.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` is True.

    Reference:
        Pascanu, Mikolov & Bengio 2013, Algorithm 1, arXiv:1211.5063. As PyTorch's, the factor is
        ``max_norm / (norm + 1e-6)``.

    Example:
        >>> import rushlight as rl
        >>> w = rl.nn.Parameter(rl.zeros(2))
        >>> w.grad = rl.tensor([3.0, 4.0])
        >>> rl.nn.utils.clip_grad_norm_([w], max_norm=1.0)
        tensor(5.)
        >>> w.grad
        tensor([0.6000, 0.8000])
    """
    given = _listed(parameters)
    if not given and isinstance(parameters, Generator):
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2
        )
    gradients = _gradients(given)
    total_norm = get_total_norm(gradients, norm_type, error_if_nonfinite, foreach)
    _scale(gradients, max_norm, total_norm)
    return total_norm


def clip_grad_norm(*args: Any, **kwargs: Any) -> Tensor:
    """Old name of :func:`clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of"
        " `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(*args, **kwargs)


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of several tensors as if they were one vector; 0 for none.

    Args:
        norm_type: the order; ``inf`` for the largest absolute value.
        error_if_nonfinite: whether a norm that is infinite or nan is an error.
        foreach: makes no difference here.

    Raises:
        RuntimeError: the norm is not finite and ``error_if_nonfinite`` is True.
    """
    norm_type = float(norm_type)
    with no_grad():
        norms = [vector_norm(each, norm_type) for each in _listed(tensors)]
        if not norms:
            return tensor(0.0)
        total_norm = vector_norm(stack(norms), norm_type)
    if error_if_nonfinite and not total_norm.isfinite().item():
        raise OperationError(
            "get_total_norm",
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite,"
            " so it cannot be clipped. To disable this error and scale the gradients by the"
            " non-finite norm anyway, set `error_if_nonfinite=False`",
        )
    return total_norm


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales gradients by ``max_norm / (total_norm + 1e-6)`` where that is less than 1.

    The second half of :func:`clip_grad_norm_`, for a norm that was computed elsewhere.

    Args:
        parameters: the tensors whose ``grad`` is changed in place.
        total_norm: what :func:`get_total_norm` gave for the gradients.
        foreach: makes no difference here.
    """
    _scale(_gradients(_listed(parameters)), max_norm, total_norm)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Moves every element of the gradients into ``[-clip_value, clip_value]``.

    Args:
        parameters: the tensors whose ``grad`` is changed in place.
        foreach: makes no difference here.
    """
    clip_value = float(clip_value)
    with no_grad():
        for gradient in _gradients(_listed(parameters)):
            gradient.clamp_(-clip_value, clip_value)


def _scale(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    if not gradients:
        return
    with no_grad():
        # Always multiplied, by 1 where nothing is to be clipped: to know, one would have to look.
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: list[Tensor]) -> list[Tensor]:
    return [each.grad for each in parameters if each.grad is not None]
