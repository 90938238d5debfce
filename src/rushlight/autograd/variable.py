"""Variable: what a tensor with gradients was called before tensors had them."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import ArgTypeError
from rushlight.tensor.tensor import Tensor


class _VariableType(type):
    """Lets ``isinstance`` know every tensor."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableType):
    """Returns a tensor that shares the memory of ``data``; kept for old programs.

    Args:
        data: a tensor.
        requires_grad: whether it gets a gradient.
    Raises:
        TypeError: ``data`` is no tensor.
    Example:
        >>> import rushlight as rl
        >>> rl.autograd.Variable(rl.ones(2), requires_grad=True)
        tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise ArgTypeError(
                "Variable", f"Variable data has to be a tensor, but got {type(data).__name__}"
            )
        return data.detach().requires_grad_(requires_grad)
