"""Tensors as text, character for character as PyTorch prints them.

The functions here see NumPy arrays, not Tensors. A Tensor hands over a way to read its elements, so
that printing a big one copies only the few that are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import EllipsisType
from typing import Any, Final, TypeAlias

import numpy as np

from rushlight.base.dtypes import DType, bool_, int64
from rushlight.base.errors import ArgValueError

Index: TypeAlias = tuple[np.ndarray, ...] | EllipsisType


@dataclass(slots=True)
class PrintOptions:
    """How tensors print; :func:`set_printoptions` tells what each option means."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES: Final[dict[str, dict[str, float]]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

options: Final = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors print. What is not given stays, but ``sci_mode`` is always set.

    Args:
        precision: digits after the decimal point (at first 4).
        threshold: a tensor with more elements than this is summarised (at first 1000).
        edgeitems: elements shown at each end of a summarised dimension (at first 3).
        linewidth: characters in a line before it is broken (at first 80).
        profile: ``"default"``, ``"short"`` or ``"full"``, taken before the options given with it.
        sci_mode: scientific notation always (True), never (False), or where the values span
            more than a factor of 1000, exceed 1e8 or fall below 1e-4 (None).
    Raises:
        ValueError: there is no such profile, or ``precision`` or ``edgeitems`` is negative. PyTorch
            ignores the profile, and fails on the others when the next tensor is printed.
    Example:
        >>> import rushlight as rl
        >>> rl.set_printoptions(precision=2)
        >>> rl.tensor([1.12345])
        tensor([1.12])
        >>> rl.set_printoptions(profile="default")
    """
    if profile is not None and profile not in PROFILES:
        names = ", ".join(map(repr, PROFILES))
        problem = f"there is no profile {profile!r}"
        raise ArgValueError("set_printoptions", problem, rule=f"It must be one of {names}.")
    given: dict[str, float | None] = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    for name in ("precision", "edgeitems"):
        if (count := given[name]) is not None and count < 0:
            problem = f"{name} is {count}"
            raise ArgValueError("set_printoptions", problem, rule="It must not be negative.")
    chosen = {name: value for name, value in given.items() if value is not None}
    for name, value in (PROFILES.get(profile or "", {}) | chosen).items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments of :func:`set_printoptions`."""
    return asdict(options)


@contextmanager
def printoptions(**given: Any) -> Iterator[None]:
    """Sets print options, named as in :func:`set_printoptions`, for the length of a ``with``."""
    before = get_printoptions()
    set_printoptions(**given)
    try:
        yield
    finally:
        set_printoptions(**before)


def format_tensor(
    read: Callable[[Index], np.ndarray],
    dtype: DType,
    size: Sequence[int],
    *,
    default_dtype: DType,
    requires_grad: bool = False,
    grad_fn: str | None = None,
    device: str | None = None,
    name: str = "tensor",
    parameter: bool = False,
) -> str:
    """The text of a tensor, as ``repr`` gives it.

    Args:
        read: gives the elements at an index, which is ``...`` or a tuple of arrays; the
            ``__getitem__`` of an array does. Half types are read as float32. Empty tensors are
            not read at all.
        default_dtype: the floating type that needs no ``dtype=``.
        requires_grad: shown when there is no ``grad_fn``.
        grad_fn: name of what computed the tensor, such as ``"AddBackward0"``.
        device: shown when given; None on the CPU.
        name: what stands before the parenthesis, a subclass's own name.
        parameter: the tensor is a Parameter, which has a line above it.
    """
    head = f"{name}("
    text = head + contents(read, size, indent=len(head))
    suffixes = type_suffixes(dtype, size, default_dtype)
    if device is not None:
        suffixes.insert(0, f"device='{device}'")
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = append_suffixes(text, suffixes, indent=len(head))
    if not parameter:
        return text
    # PyTorch wraps subclasses of Parameter once more, and leaves plain ones as they always were.
    return "Parameter containing:\n" + (text if name == "tensor" else f"Parameter({text})")


def type_suffixes(dtype: DType, size: Sequence[int], default_dtype: DType) -> list[str]:
    """``size=`` and ``dtype=``, where the elements do not tell them."""
    if 0 in size:
        hidden = len(size) != 1
        # No element is there to tell an int64 or a bool by its looks.
        told: tuple[DType, ...] = (default_dtype,)
    else:
        hidden = options.edgeitems == 0
        told = (default_dtype, default_dtype.to_complex(), int64, bool_)
    suffixes = [f"size={tuple(size)}"] if hidden else []
    return suffixes if dtype in told else [*suffixes, f"dtype={dtype}"]


def append_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """``text, suffix, suffix)``, each on a new line when the last one has no room for it."""
    # Counted as PyTorch does, two more than there are characters in the last line.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def contents(read: Callable[[Index], np.ndarray], size: Sequence[int], indent: int) -> str:
    """The elements in their brackets."""
    if 0 in size:
        return "[]"
    values = np.asarray(read(shown(size)))
    return block(values, size, indent, element_format(values))


def shown(size: Sequence[int]) -> Index:
    """Index of the elements that print: all, or both ends of each long dimension."""
    if len(size) == 0 or math.prod(size) <= options.threshold:
        return ...
    return np.ix_(*(ends(length, options.edgeitems) for length in size))


def ends(length: int, edge: int) -> np.ndarray:
    """The positions that print of one dimension of a summarised tensor."""
    positions = np.arange(min(length, 2 * edge))
    if length > 2 * edge:
        positions[edge:] += length - 2 * edge
    return positions


def block(values: np.ndarray, size: Sequence[int], indent: int, write: ElementFormat) -> str:
    """Nested brackets. Where ``values`` is shorter than ``size``, dots stand in the middle."""
    if not size:
        return write(values.item())
    if len(size) == 1:
        return row(values, size[0], indent, write)
    parts = [block(part, size[1:], indent + 1, write) for part in values]
    if len(parts) < size[0]:
        parts.insert(len(parts) // 2, "...")
    separator = "," + "\n" * (len(size) - 1) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def row(values: np.ndarray, length: int, indent: int, write: ElementFormat) -> str:
    """The innermost brackets, broken into lines of equally many elements."""
    parts = [write(value) for value in values.tolist()]
    if len(parts) < length:
        parts.insert(len(parts) // 2, " ..." if parts else "...")
    per_line = max(1, (options.linewidth - indent) // (write.width + 2))
    lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


@dataclass(frozen=True, slots=True)
class RealFormat:
    """How every element of one tensor is written: in the same notation, to the same width.

    Attributes:
        notation: Python's format specification.
        point: whether the elements are floats printed as whole numbers, ``1.``.
        width: what shorter elements are padded to.
    """

    notation: str = ""
    point: bool = False
    width: int = 1

    def __call__(self, value: float) -> str:
        text = format(value, self.notation)
        if self.point and math.isfinite(value):
            text += "."
        return text.rjust(self.width)

    def fitted(self, values: np.ndarray) -> RealFormat:
        """The same notation, as wide as the widest of ``values``."""
        width = max((len(self(value)) for value in values.tolist()), default=1)
        return RealFormat(self.notation, self.point, width)


@dataclass(frozen=True, slots=True)
class ComplexFormat:
    """``real+imagj``, each part in a format of its own."""

    real: RealFormat
    imag: RealFormat

    @property
    def width(self) -> int:
        return self.real.width + self.imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = self.imag(value.imag).lstrip()
        sign = "" if imag.startswith("-") else "+"
        return f"{self.real(value.real)}{sign}{imag}j"


ElementFormat: TypeAlias = RealFormat | ComplexFormat


def element_format(values: np.ndarray) -> ElementFormat:
    """The format that suits all of ``values``."""
    if values.dtype.kind == "c":
        return ComplexFormat(float_format(values.real), float_format(values.imag))
    if values.dtype.kind == "f":
        return float_format(values)
    return RealFormat().fitted(values.ravel())


def float_format(values: np.ndarray) -> RealFormat:
    """Scientific, whole or with decimals. Zeros, infinities and NaNs have no say in it."""
    numbers = values[np.isfinite(values) & (values != 0)].astype(np.float64)
    if numbers.size == 0:
        return RealFormat(".0f", point=True)
    if is_scientific(numbers):
        form = RealFormat(f".{options.precision}e")
    elif np.all(numbers == np.ceil(numbers)):
        form = RealFormat(".0f", point=True)
    else:
        form = RealFormat(f".{options.precision}f")
    return form.fitted(numbers)


def is_scientific(numbers: np.ndarray) -> bool:
    """Whether finite ``numbers`` other than zero print as ``1.0000e+00``."""
    if options.sci_mode is not None:
        return options.sci_mode
    sizes = np.abs(numbers)
    least, most = float(sizes.min()), float(sizes.max())
    # The ratio overflows only between extremes that are scientific by themselves.
    return most > 1e8 or least < 1e-4 or most / least > 1000
