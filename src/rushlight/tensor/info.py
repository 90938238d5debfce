"""What the numbers of a dtype can be: ``finfo`` and ``iinfo``."""

from __future__ import annotations

import numpy as np

from rushlight.base.dtypes import DType, bfloat16
from rushlight.base.errors import ArgTypeError
from rushlight.base.promotion import default_dtype

# NumPy has no bfloat16: 8 bits of exponent as float32, 7 of fraction.
_BFLOAT16 = {
    "eps": 2.0**-7, "max": (2 - 2.0**-7) * 2.0**127, "tiny": 2.0**-126, "resolution": 0.01,
}  # fmt: skip


class finfo:
    """Limits of a floating-point dtype; of the parts of a complex one.

    Attributes:
        bits: size of a number.
        eps: distance from 1 to the next larger number.
        max: the largest number; ``min`` is its negative.
        tiny: the smallest positive normal number, also called ``smallest_normal``.
        resolution: about how much neighbouring decimal numbers differ.

    Raises:
        TypeError: no dtype, or one of whole numbers.

    Example:
        >>> import rushlight as rl
        >>> rl.finfo(rl.float16).max
        65504.0
    """

    def __init__(self, type: DType | None = None) -> None:
        dtype = _checked("finfo", default_dtype() if type is None else type)
        if not (dtype.is_floating_point or dtype.is_complex):
            raise ArgTypeError(
                "finfo",
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle"
                " 'torch.finfo'",
            )
        dtype = dtype.to_real()
        self.dtype = dtype.name
        self.bits = dtype.itemsize * 8
        if dtype is bfloat16:
            limits = _BFLOAT16
        else:
            known = np.finfo(dtype.storage)
            names = {"eps": "eps", "max": "max", "tiny": "tiny", "resolution": "resolution"}
            limits = {name: float(getattr(known, theirs)) for name, theirs in names.items()}
            limits["resolution"] = 10.0**-known.precision
        self.eps, self.max = limits["eps"], limits["max"]
        self.min = -self.max
        self.tiny = self.smallest_normal = limits["tiny"]
        self.resolution = limits["resolution"]

    def __repr__(self) -> str:
        shown = (
            f"{name}={getattr(self, name):.6g}"
            for name in ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        )
        return f"finfo({', '.join(shown)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((finfo, self.dtype))


class iinfo:
    """Limits of a dtype of whole numbers.

    Attributes:
        bits: size of a number.
        max: the largest.
        min: the smallest.

    Raises:
        TypeError: no dtype, or not one of whole numbers.

    Example:
        >>> import rushlight as rl
        >>> rl.iinfo(rl.int8)
        iinfo(min=-128, max=127, dtype=int8)
    """

    def __init__(self, type: DType) -> None:
        dtype = _checked("iinfo", type)
        if dtype.kind == "bool":
            raise ArgTypeError("iinfo", "torch.bool is not supported by torch.iinfo")
        if dtype.kind != "int":
            raise ArgTypeError(
                "iinfo",
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle"
                " 'torch.iinfo'",
            )
        known = np.iinfo(dtype.numpy)
        self.dtype, self.bits = dtype.name, dtype.itemsize * 8
        self.min, self.max = int(known.min), int(known.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((iinfo, self.dtype))


def _checked(function: str, dtype: object) -> DType:
    if not isinstance(dtype, DType):
        raise ArgTypeError(
            function,
            f"{function}(): argument 'type' (position 1) must be torch.dtype,"
            f" not {type(dtype).__name__}",
        )
    return dtype
