"""Moving a module to another dtype or device."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from rushlight.autograd.mode import no_grad
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType, bfloat16, float16, float32, float64
from rushlight.base.errors import ArgTypeError, OperationError
from rushlight.tensor.tensor import Tensor

from .parameter import is_lazy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .module import Module

Place = str | int | Device

_FORMS = """to() received an invalid combination of arguments - got ({got}), but expected one of:
 * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, *, \
torch.memory_format memory_format = None)
 * (torch.dtype dtype, bool non_blocking = False, *, torch.memory_format memory_format = None)
 * (Tensor tensor, bool non_blocking = False, *, torch.memory_format memory_format = None)"""

_COMPLEX_WARNING = (
    "Complex modules are a new feature under active development whose design may change, and some"
    " modules might not work as expected when using complex tensors as parameters or buffers."
)


class ModuleConversions:
    """The part of Module that changes the dtype and the device of its tensors.

    Parameters stay the objects they are, so an optimizer made before goes on working; what changes
    is their data, and that of their gradients. Buffers become new tensors.
    """

    if TYPE_CHECKING:
        _parameters: dict[str, Any]
        _buffers: dict[str, Any]

        def children(self) -> Iterator[Module]: ...

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                _convert_in_place(parameter, fn)
        for name, buffer in self._buffers.items():
            if is_lazy(buffer):
                buffer.refer(fn(buffer.data))
            elif buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Moves parameters and buffers, here and below, and returns the module itself.

        It is called as ``to(device, dtype, non_blocking)``, ``to(dtype, non_blocking)`` or
        ``to(tensor, non_blocking)``, the last for the dtype and device of a tensor; each form
        takes ``memory_format`` by name. Integer tensors keep their dtype.

        Raises:
            TypeError: the arguments are of none of these forms, or ``dtype`` is an integer type.

        Example:
            >>> import rushlight as rl
            >>> rl.nn.Linear(2, 2).to(rl.float64).weight.dtype
            torch.float64
        """
        device, dtype, non_blocking, memory_format = _destination(*args, **kwargs)
        if dtype is not None and not dtype.is_differentiable:
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired"
                f" dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn(_COMPLEX_WARNING, stacklevel=2)

        def convert(tensor: Tensor) -> Tensor:
            wanted = dtype if tensor.dtype.is_differentiable else None
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(device, wanted, non_blocking, memory_format=memory_format)
            return tensor.to(device, wanted, non_blocking)

        return self._apply(convert)

    def to_empty(self, *, device: Place | None, recurse: bool = True) -> Self:
        """Moves the module without copying what is in its tensors.

        Raises:
            RuntimeError: there is no such device.
        """
        return self._apply(lambda tensor: tensor.new_empty(tensor.shape, device=device), recurse)

    def cpu(self) -> Self:
        """Moves parameters and buffers to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: Place | None = None) -> Self:
        """Moves parameters and buffers to a GPU.

        Raises:
            RuntimeError: there is none that rushlight can use.
        """
        return self._apply(lambda tensor: tensor.cuda(device))

    def type(self, dst_type: DType | str) -> Self:
        """Casts all parameters and buffers, integers too, to ``dst_type``."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self) -> Self:
        """Casts floating point parameters and buffers to float32."""
        return self._to_floating(float32)

    def double(self) -> Self:
        """Casts floating point parameters and buffers to float64."""
        return self._to_floating(float64)

    def half(self) -> Self:
        """Casts floating point parameters and buffers to float16."""
        return self._to_floating(float16)

    def bfloat16(self) -> Self:
        """Casts floating point parameters and buffers to bfloat16."""
        return self._to_floating(bfloat16)

    def _to_floating(self, dtype: DType) -> Self:
        return self._apply(
            lambda tensor: tensor.to(dtype) if tensor.dtype.is_floating_point else tensor
        )

    def share_memory(self) -> Self:
        """Moves parameters and buffers into memory that other processes can see."""
        return self._apply(lambda tensor: tensor.share_memory_())


def _convert_in_place(parameter: Tensor, fn: Callable[[Tensor], Tensor]) -> None:
    if is_lazy(parameter):
        parameter.refer(fn(parameter.data))
        return
    gradient = parameter.grad
    with no_grad():
        parameter.data = fn(parameter)
        if gradient is not None:
            gradient.data = fn(gradient)
            parameter.grad = gradient


def _destination(*args: Any, **kwargs: Any) -> tuple[Place | None, DType | None, bool, object]:
    """Device, dtype, non_blocking and memory format of a call of ``to``, in any of its forms."""
    first = args[0] if args else None
    if isinstance(first, DType):
        names = ("dtype", "non_blocking", "copy")
    elif isinstance(first, Tensor) or "tensor" in kwargs:
        names = ("tensor", "non_blocking", "copy")
    else:
        names = ("device", "dtype", "non_blocking", "copy")
    given = dict(zip(names, args, strict=False))
    allowed = {*names, "memory_format"}
    if len(args) > len(names) or not kwargs.keys() <= allowed - given.keys():
        raise _wrong_arguments(args, kwargs)
    given.update(kwargs)
    tensor = given.pop("tensor", None)
    if tensor is not None:
        given.update(device=tensor.device, dtype=tensor.dtype)
    device, dtype = given.get("device"), given.get("dtype")
    non_blocking = given.get("non_blocking", False)
    if not (
        isinstance(device, Place | None)
        and isinstance(dtype, DType | None)
        and isinstance(non_blocking, bool)
    ):
        raise _wrong_arguments(args, kwargs)
    if "copy" in given:
        raise OperationError("to", ".to() does not accept copy argument")
    return device, dtype, non_blocking, given.get("memory_format")


def _wrong_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ArgTypeError:
    got = [type(value).__name__ for value in args]
    got += [f"{name}={type(value).__name__}" for name, value in kwargs.items()]
    return ArgTypeError("to", _FORMS.format(got=", ".join(got)))
