"""The element types of ONNX, those that tensors have and those that a wider type carries.

Tensors have PyTorch's dtypes. ONNX has more: unsigned integers above 8 bits, integers of 4 and 2
bits, and floats of 8 and 4. A value of such a type is `Carried`: a tensor of a wider dtype whose
elements are all values of the narrow one, and which operations on it keep that way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import rushlight as rl
from rushlight.base.dtypes import DType
from rushlight.base.errors import MissingError


@dataclass(frozen=True)
class Element:
    """An element type that tensors lack.

    Attributes:
        name: ONNX's name in small letters, which is also ml_dtypes' or NumPy's.
        carrier: the dtype of the tensor that holds such values.
        bits: the size of an element.
    """

    name: str
    carrier: DType
    bits: int

    def fit(self, tensor: rl.Tensor) -> rl.Tensor:
        """Brings the carrier's values into this type, as hardware would: modulo ``2**bits``."""
        raise NotImplementedError

    def cast(self, tensor: rl.Tensor, saturate: bool = True) -> rl.Tensor:
        """The carrier's tensor of the values nearest to ``tensor``, as ONNX's Cast gives them."""
        raise NotImplementedError


@dataclass(frozen=True)
class Whole(Element):
    """Integers of a size or sign that tensors lack. ``uint64`` is held as the bits of int64."""

    signed: bool = False

    def fit(self, tensor: rl.Tensor) -> rl.Tensor:
        tensor = tensor.to(rl.int64)
        if self.bits < 64:
            mask, half = (1 << self.bits) - 1, (1 << (self.bits - 1)) * self.signed
            tensor = ((tensor + half) & mask) - half
        return tensor.to(self.carrier)

    def cast(self, tensor: rl.Tensor, saturate: bool = True) -> rl.Tensor:
        if self.bits == 64 and tensor.is_floating_point():
            large = tensor >= 2.0**63  # such numbers have the upper bit, which is int64's sign
            lower = rl.where(large, tensor - 2.0**63, tensor).to(rl.int64)
            return rl.where(large, lower + (-(2**63)), lower)
        return self.fit(tensor)

    @property
    def lowest(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def highest(self) -> int:
        return (1 << (self.bits - self.signed)) - 1


@dataclass(frozen=True)
class Small(Element):
    """Floats of 8 or 4 bits.

    Attributes:
        fraction: bits behind the point.
        least: the exponent of the smallest normal number.
        largest: the largest finite number.
        infinite: whether the type has infinities.
        undefined: whether it has nan.
        negative_zero: whether zero has a sign.
    """

    fraction: int = 0
    least: int = 0
    largest: float = 0.0
    infinite: bool = False
    undefined: bool = True
    negative_zero: bool = True

    def fit(self, tensor: rl.Tensor) -> rl.Tensor:
        return self.cast(tensor)

    def cast(self, tensor: rl.Tensor, saturate: bool = True) -> rl.Tensor:
        x = tensor.to(rl.float32)
        _, exponent = rl.frexp(x)
        step = rl.exp2((exponent - 1).clamp(min=self.least).to(rl.float32) - self.fraction)
        near = rl.where(rl.isfinite(x), rl.round(x / step) * step, x)
        near = self._bounded(x, near, saturate)
        return near if self.negative_zero else rl.where(near == 0, rl.abs(near), near)

    def _bounded(self, x: rl.Tensor, near: rl.Tensor, saturate: bool) -> rl.Tensor:
        if saturate or not self.undefined:
            near = rl.where(rl.isnan(x), near, near.clamp(-self.largest, self.largest))
            # What has no nan has a zero instead.
            return near if self.undefined else rl.where(rl.isnan(x), -0.0, near)
        beyond = rl.full_like(x, float("inf" if self.infinite else "nan"))
        return rl.where(rl.abs(near) > self.largest, rl.copysign(beyond, x), near)


@dataclass(frozen=True)
class Power(Element):
    """``float8e8m0``: a power of two, the scale of a block of smaller numbers."""

    def fit(self, tensor: rl.Tensor) -> rl.Tensor:
        return self.cast(tensor)

    def cast(self, tensor: rl.Tensor, saturate: bool = True, round_mode: str = "up") -> rl.Tensor:
        x = tensor.to(rl.float32)
        mantissa, exponent = rl.frexp(rl.abs(x))  # mantissa in [0.5, 1)
        up = {"up": mantissa > 0.5, "down": mantissa > 1, "nearest": mantissa >= 0.75}[round_mode]
        power = (exponent - 1 + up.to(exponent.dtype)).clamp(-127, 127)
        there = rl.isfinite(x) & (x > 0)
        return rl.where(there, rl.exp2(power.to(rl.float32)), self._odd(x, saturate))

    def _odd(self, x: rl.Tensor, saturate: bool) -> rl.Tensor:
        smallest = rl.where(x == 0, 2.0**-127, float("nan"))
        return rl.where(x == float("inf"), 2.0**127, smallest) if saturate else smallest


PLAIN = {
    1: rl.float32, 2: rl.uint8, 3: rl.int8, 5: rl.int16, 6: rl.int32, 7: rl.int64, 9: rl.bool,
    10: rl.float16, 11: rl.float64, 14: rl.complex64, 15: rl.complex128, 16: rl.bfloat16,
}  # fmt: skip
"""The dtypes of ONNX's codes (``TensorProto.DataType``)."""

NARROW: dict[int, Element] = {
    4: Whole("uint16", rl.int32, 16),
    12: Whole("uint32", rl.int64, 32),
    13: Whole("uint64", rl.int64, 64),
    21: Whole("uint4", rl.uint8, 4),
    22: Whole("int4", rl.int8, 4, signed=True),
    25: Whole("uint2", rl.uint8, 2),
    26: Whole("int2", rl.int8, 2, signed=True),
    17: Small("float8_e4m3fn", rl.float32, 8, 3, -6, 448.0),
    18: Small("float8_e4m3fnuz", rl.float32, 8, 3, -7, 240.0, negative_zero=False),
    19: Small("float8_e5m2", rl.float32, 8, 2, -14, 57344.0, infinite=True),
    20: Small("float8_e5m2fnuz", rl.float32, 8, 2, -15, 57344.0, negative_zero=False),
    23: Small("float4_e2m1fn", rl.float32, 4, 1, 0, 6.0, undefined=False),
    24: Power("float8_e8m0fnu", rl.float32, 8),
}
_CODES = {dtype: code for code, dtype in PLAIN.items()}
_NARROW_CODES = {element: code for code, element in NARROW.items()}
STRING = 8


@dataclass(frozen=True)
class Carried:
    """A value of an element type that tensors lack, in a tensor that is wider."""

    tensor: rl.Tensor
    element: Element


Kind = DType | Element


def kind_of(code: int, what: str) -> Kind:
    """The dtype or narrow element type of an ONNX code.

    Raises:
        NotImplementedError: strings, or a type newer than this table; ``what`` says whose.
    """
    found = PLAIN.get(code) or NARROW.get(code)
    if found is None:
        name = "strings" if code == STRING else f"elements of type {code}"
        raise MissingError(
            "onnx.load", f"{what} holds {name}, which tensors cannot hold",
            hint="Do that part of the model outside of it.",
        )  # fmt: skip
    return found


def code_of(value: rl.Tensor | Carried) -> int:
    """ONNX's code for the element type of a value."""
    if isinstance(value, Carried):
        return _NARROW_CODES[value.element]
    return _CODES[value.dtype]


def from_array(array: np.ndarray, kind: Kind) -> rl.Tensor | Carried:
    """A value of memory of its own, of what ``onnx.numpy_helper`` gives for a tensor."""
    if isinstance(kind, Element):
        wide = np.dtype(kind.carrier.storage)
        held = array.view(np.int64) if kind.bits == 64 else np.asarray(array).astype(wide)
        return Carried(rl.tensor(held), kind)
    if kind is rl.bfloat16:
        bits = np.ascontiguousarray(array).view(np.int16).reshape(array.shape)
        return rl.tensor(bits).view(rl.bfloat16)
    return rl.tensor(np.asarray(array))


def to_array(value: Any) -> Any:
    """A value as NumPy has it, with the types of ml_dtypes where NumPy lacks ONNX's."""
    if isinstance(value, (list, tuple)):
        return [to_array(one) for one in value]
    if isinstance(value, Carried):
        array = value.tensor.detach().numpy()
        if value.element.bits == 64:
            return array.view(np.uint64)
        return array.astype(numpy_type(value.element.name))
    if value is not None and value.dtype is rl.bfloat16:
        return value.detach().contiguous().view(rl.int16).numpy().view(numpy_type("bfloat16"))
    return None if value is None else value.detach().numpy()


def numpy_type(name: str) -> np.dtype:
    """NumPy's dtype, or ml_dtypes', of that name."""
    import ml_dtypes  # comes with onnx

    return np.dtype(getattr(ml_dtypes, name, None) or getattr(np, name))


def cast(
    value: rl.Tensor | Carried, kind: Kind, saturate: bool = True, round_mode: str = "up"
) -> rl.Tensor | Carried:
    """ONNX's Cast: the nearest value of another element type."""
    tensor = _values(value)
    if isinstance(kind, Power):
        return Carried(kind.cast(tensor, saturate, round_mode), kind)
    if isinstance(kind, Element):
        return Carried(kind.cast(tensor, saturate), kind)
    return tensor.to(kind)


def _values(value: rl.Tensor | Carried) -> rl.Tensor:
    """The numbers of a value; those of uint64 as floats when they do not fit into int64."""
    if not isinstance(value, Carried):
        return value
    return value.tensor
