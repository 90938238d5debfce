"""Checks of the options that optimizers have in common."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import ArgTypeError, ArgValueError, DTypeError, OperationError
from rushlight.optim.state import Group
from rushlight.tensor.tensor import Tensor


def check_not_negative(optimizer: str, **options: Any) -> None:
    """Refuses a negative number or nan.

    Raises:
        ValueError: ``Invalid learning rate: -1``.
        TypeError: no number at all.
    """
    for name, value in options.items():
        words = "learning rate" if name == "learning_rate" else f"{name} value"
        if not isinstance(value, (int, float, Tensor)):
            raise ArgTypeError(
                optimizer,
                f"Invalid {words}: {value!r}",
                rule=f"It must be a number, not {type(value).__name__}.",
            )
        if not value >= 0.0:
            raise ArgValueError(
                optimizer, f"Invalid {words}: {value}", rule="It must not be negative."
            )


def check_betas(optimizer: str, betas: tuple[float, float]) -> None:
    """Refuses shares that are no share."""
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ArgValueError(
                optimizer,
                f"Invalid beta parameter at index {index}: {beta}",
                rule="It must be at least 0 and less than 1.",
            )


def check_one_element(optimizer: str, name: str, value: Any) -> None:
    """Refuses a Tensor with more or fewer elements than one."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ArgValueError(
            optimizer,
            f"Tensor {name} must be 1-element",
            rule=f"Its shape is {tuple(value.shape)}.",
        )


def check_implementation(optimizer: str, group: Group) -> None:
    """Refuses ``foreach``, ``fused`` and ``differentiable`` where PyTorch does.

    There is one implementation here, which steps a whole group in one pass, so the first two
    choose nothing.
    """
    if not group.get("fused"):
        return
    if group["differentiable"]:
        raise OperationError(optimizer, "`fused` does not support `differentiable`")
    if group["foreach"]:
        raise OperationError(optimizer, "`fused` and `foreach` cannot be `True` together.")
    for param in group["params"]:
        if not param.is_floating_point():
            raise DTypeError(
                optimizer,
                "`fused=True` requires all the params to be floating point Tensors, "
                f"but one is {param.dtype}",
                hint="Leave fused out.",
            )
