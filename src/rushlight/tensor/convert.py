"""Tensors in another dtype or on another device."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base import dtypes
from rushlight.base.device import device as Device
from rushlight.base.device import resolve
from rushlight.base.dtypes import DType
from rushlight.base.errors import ArgTypeError

from .tensor import Tensor, method


@method
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in another dtype or on another device; itself when nothing changes.

    ``to(dtype)``, ``to(device)``, ``to(device, dtype)`` and ``to(other)``, each followed by
    ``non_blocking`` and ``copy``.
    """
    dtype, copy = kwargs.pop("dtype", None), kwargs.pop("copy", False)
    place = kwargs.pop("device", None)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    other = kwargs.pop("other", None)
    if kwargs:
        raise ArgTypeError("to", f"to() got an unexpected keyword argument {next(iter(kwargs))!r}")
    flags = []
    for arg in args:
        if isinstance(arg, DType):
            dtype = arg
        elif isinstance(arg, Tensor):
            other = arg
        elif isinstance(arg, bool):
            flags.append(arg)
        elif isinstance(arg, str | Device | int):
            place = arg
        elif arg is not None:
            raise ArgTypeError(
                "to",
                f"to() received an invalid combination of arguments - got {arg.__class__.__name__}",
            )
    if len(flags) > 1:
        copy = flags[1]
    resolve(place)
    if other is not None:
        dtype = other.dtype
    if dtype is None or dtype is self.dtype:
        return self.clone() if copy else self
    return Tensor(ops.cast(self.node, dtype))


def _conversion(name: str, dtype: DType) -> None:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return self if self.dtype is dtype else Tensor(ops.cast(self.node, dtype))

    convert.__name__ = name
    convert.__doc__ = f"This tensor as ``{dtype.name}``."
    method(convert)


for _name, _dtype in {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16,
    "bfloat16": dtypes.bfloat16, "int": dtypes.int32, "long": dtypes.int64, "short": dtypes.int16,
    "char": dtypes.int8, "byte": dtypes.uint8, "bool": dtypes.bool_, "cfloat": dtypes.complex64,
    "cdouble": dtypes.complex128,
}.items():  # fmt: skip
    _conversion(_name, _dtype)

_TYPE_NAMES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16,
    "BFloat16": dtypes.bfloat16, "Byte": dtypes.uint8, "Char": dtypes.int8, "Short": dtypes.int16,
    "Int": dtypes.int32, "Long": dtypes.int64, "Bool": dtypes.bool_,
    "ComplexFloat": dtypes.complex64, "ComplexDouble": dtypes.complex128,
}  # fmt: skip


@method
def type(self: Tensor, dtype: DType | str | None = None, non_blocking: bool = False) -> Any:
    """The type's name, such as ``torch.FloatTensor``; or this tensor in another type."""
    if dtype is None:
        short = next(name for name, known in _TYPE_NAMES.items() if known is self.dtype)
        return f"torch.{short}Tensor"
    if isinstance(dtype, str):
        found = _TYPE_NAMES.get(dtype.removeprefix("torch.").removesuffix("Tensor"))
        if found is None:
            raise ArgTypeError("type", f"invalid type: '{dtype}'")
        dtype = found
    return self.to(dtype)


@method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype of ``other``."""
    return self.to(other.dtype)


@method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """This tensor on the CPU: itself."""
    return self


@method
def cuda(
    self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None
) -> Tensor:
    """This tensor on a CUDA device.

    Raises:
        RuntimeError: there is none.
    """
    resolve("cuda" if device is None else device)
    return self


@method
def as_subclass(self: Tensor, cls: type[Any]) -> Any:
    """The same memory as a tensor of another class, whose ``__init__`` is not called.

    Raises:
        TypeError: ``cls`` is no subclass of Tensor.
    Example:
        >>> import rushlight as rl
        >>> class Image(rl.Tensor):
        ...     pass
        >>> rl.zeros(2).as_subclass(Image).__class__.__name__
        'Image'
    """
    if not issubclass(cls, Tensor):
        raise ArgTypeError(
            "as_subclass", f"cls must be a type deriving from Tensor, but got {cls!r}"
        )
    made = object.__new__(cls)
    place = self.place
    Tensor.__init__(made, self.node)
    made._settle_in(place)
    return made
