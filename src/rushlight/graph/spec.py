"""The type of one value: shape, dtype and device, one object for each distinct combination."""

from __future__ import annotations

from typing import TypeAlias

from rushlight.base.device import CPU
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.shapes import Shape, prod


class Spec:
    """What is known of a value while it is recorded.

    Specs are interned by :meth:`of`, so that two equal ones are the same object: rule caches and
    graph keys compare them by identity.
    """

    __slots__ = ("device", "dtype", "ndim", "numel", "shape")

    _known: dict[tuple[Shape, DType, Device], Spec] = {}

    shape: Shape
    dtype: DType
    device: Device
    ndim: int
    numel: int

    @staticmethod
    def of(shape: Shape, dtype: DType, place: Device = CPU) -> Spec:
        """The one Spec of this shape, dtype and device."""
        key = (shape, dtype, place)
        spec = Spec._known.get(key)
        if spec is None:
            spec = Spec._known.setdefault(key, Spec._made(shape, dtype, place))
        return spec

    @staticmethod
    def _made(shape: Shape, dtype: DType, place: Device) -> Spec:
        spec = object.__new__(Spec)
        spec.shape, spec.dtype, spec.device = shape, dtype, place
        spec.ndim, spec.numel = len(shape), prod(shape)
        return spec

    def with_shape(self, shape: Shape) -> Spec:
        """The same dtype and device with another shape."""
        return Spec.of(shape, self.dtype, self.device)

    def with_dtype(self, dtype: DType) -> Spec:
        """The same shape and device with another dtype."""
        return Spec.of(self.shape, dtype, self.device)

    @property
    def nbytes(self) -> int:
        """Bytes that a Buffer of this type takes."""
        return self.numel * self.dtype.itemsize

    def __repr__(self) -> str:
        place = "" if self.device is CPU else f" on {self.device}"
        return f"{short(self.dtype)}[{', '.join(map(str, self.shape))}]{place}"


Specs: TypeAlias = Spec | tuple[Spec, ...]
"""The type of a Node's value: several Specs for an operation with several results."""

_SHORT = {"float": "f", "bfloat": "bf", "int": "i", "uint": "u", "complex": "c"}


def short(dtype: DType) -> str:
    """``f32`` for float32, as graphs print it."""
    letters = dtype.name.rstrip("0123456789")
    return _SHORT.get(letters, letters) + dtype.name[len(letters) :]
