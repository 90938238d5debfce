"""The default floating type, which the types of operations depend on, and the default device."""

from __future__ import annotations

from rushlight.base import promotion
from rushlight.base.device import CPU, device, resolve
from rushlight.base.dtypes import DType
from rushlight.graph.op import table


def get_default_dtype() -> DType:
    """The floating type of Python floats and of factories that are given no dtype.

    Example:
        >>> import rushlight as rl
        >>> rl.get_default_dtype()
        torch.float32
    """
    return promotion.default_dtype()


def set_default_dtype(d: DType) -> None:
    """Makes ``d`` the default floating type; complex numbers default to the complex type of it.

    Raises:
        TypeError: ``d`` is not a floating-point dtype.
    Example:
        >>> import rushlight as rl
        >>> rl.set_default_dtype(rl.float64)
        >>> rl.tensor([1.5]).dtype, rl.tensor([4]).sqrt().dtype
        (torch.float64, torch.float64)
        >>> rl.set_default_dtype(rl.float32)
    """
    promotion.set_default_dtype(d)
    for op in table.values():
        op.forget()


def get_default_device() -> device:
    """Where tensors are made when no device is given: the CPU."""
    return CPU


def set_default_device(device: str | int | device | None) -> None:
    """Makes a device the default one, which only the CPU can be.

    Raises:
        RuntimeError: it is another one.
    Example:
        >>> import rushlight as rl
        >>> rl.set_default_device("cpu")
        >>> rl.get_default_device()
        device(type='cpu')
    """
    resolve(device)
