"""Parameter and Buffer: the tensors that a module knows as its own."""

from __future__ import annotations

from typing import Any

from rushlight.base.errors import GradError
from rushlight.tensor.creation import empty
from rushlight.tensor.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module trains: assigned to an attribute, it is in ``parameters()``.

    Args:
        data: the values, whose memory it shares; empty when None.
        requires_grad: whether it gets a gradient.

    Raises:
        RuntimeError: ``requires_grad`` is True and the dtype cannot have gradients.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.Parameter(rl.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        source = empty(0) if data is None else data.detach()
        if requires_grad and not source.dtype.is_differentiable:
            raise GradError(
                "Parameter",
                "Only Tensors of floating point and complex dtype can require gradients",
                rule=f"The data is {source.dtype}.",
                hint="Pass requires_grad=False for values that are not trained.",
            )
        super().__init__(source.node)
        self._settle_in(source.place)
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]


class _BufferMeta(type):
    """Lets ``isinstance`` know the tensors that ``Buffer`` made."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that belongs to a module's state: assigned to an attribute, it is in ``buffers()``.

    Args:
        data: the values, whose memory it shares; empty when None.
        persistent: whether ``state_dict`` has it.

    Example:
        >>> import rushlight as rl
        >>> layer = rl.nn.Identity()
        >>> layer.steps = rl.nn.Buffer(rl.tensor(0))
        >>> layer.state_dict()["steps"]
        tensor(0)
    """

    __slots__ = ()

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        source = empty(0) if data is None else data
        buffer = source.detach().requires_grad_(source.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer
