"""Questions about tensors that are functions in PyTorch's module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight.base.dtypes import DType, of_number
from rushlight.base.errors import ArgTypeError, OperationError
from rushlight.base.promotion import Operand
from rushlight.base.promotion import result_type as promoted
from rushlight.base.shapes import broadcast

from .size import Size
from .tensor import Tensor, method


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is a storage: memory without a shape, which is not shown here."""
    return False


def _tensor(function: str, input: Any) -> Tensor:
    if not isinstance(input, Tensor):
        raise ArgTypeError(
            function,
            f"{function}(): argument 'input' (position 1) must be Tensor,"
            f" not {type(input).__name__}",
        )
    return input


def numel(input: Tensor) -> int:
    """The number of elements of ``input``."""
    return _tensor("numel", input)._node.spec.numel


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is a floating-point type."""
    return _tensor("is_floating_point", input).dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether the dtype of ``input`` is complex."""
    return _tensor("is_complex", input).dtype.is_complex


def is_signed(input: Tensor) -> bool:
    """Whether the dtype of ``input`` has negative numbers."""
    return _tensor("is_signed", input).dtype.is_signed


def is_conj(input: Tensor) -> bool:
    """Whether the memory of ``input`` holds the conjugates of its values."""
    return _tensor("is_conj", input).is_conj()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return _tensor("is_same_size", input).shape == other.shape


def is_inference(input: Tensor) -> bool:
    """Whether ``input`` was made in inference mode."""
    return _tensor("is_inference", input).is_inference()


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element of ``input`` is not zero.

    Raises:
        RuntimeError: there is not exactly one element.
    """
    if _tensor("is_nonzero", input)._node.spec.numel != 1:
        some = "no values" if not input._node.spec.numel else "more than one value"
        raise OperationError("is_nonzero", f"Boolean value of Tensor with {some} is ambiguous")
    return bool(input.item())


method(is_nonzero)


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype that two operands, tensors or Python numbers, compute in together.

    Example:
        >>> import rushlight as rl
        >>> rl.result_type(rl.tensor([1, 2], dtype=rl.int32), 1.0)
        torch.float32
    """
    return promoted(_operand(tensor1), _operand(tensor2))


def _operand(value: Any) -> Operand:
    if isinstance(value, Tensor):
        return Operand(value.dtype, "dim" if value.ndim else "zero")
    if isinstance(value, (bool, int, float, complex)):
        return Operand.of_number(of_number(value))
    raise ArgTypeError(
        "result_type",
        "result_type() received an invalid combination of arguments - got"
        f" ({type(value).__name__})",
    )


def broadcast_shapes(*shapes: int | Sequence[int]) -> Size:
    """The shape that shapes broadcast to.

    Raises:
        RuntimeError: two sizes differ and neither is 1.
    Example:
        >>> import rushlight as rl
        >>> rl.broadcast_shapes((2,), (3, 1))
        torch.Size([3, 2])
    """
    plain = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    return Size(broadcast("broadcast_shapes", *plain)) if plain else Size()


def typename(obj: Any, /) -> str:
    """The name of a tensor's type, or of an object's class with its module.

    Example:
        >>> import rushlight as rl
        >>> rl.typename(rl.ones(2))
        'torch.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if isinstance(obj, type) else type(obj)
    module = "" if kind.__module__ in ("builtins", "__builtin__") else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"
