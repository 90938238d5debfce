"""Two things of one kind that are compared, and finding them in containers."""

from __future__ import annotations

import cmath
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

import numpy as np

import rushlight as rl

Path = tuple[Any, ...]

# Relative and absolute tolerance by dtype; whole numbers have to be equal.
TOLERANCES = {
    rl.float16: (1e-3, 1e-5), rl.bfloat16: (1.6e-2, 1e-5), rl.float32: (1.3e-6, 1e-5),
    rl.float64: (1e-7, 1e-7), rl.complex64: (1.3e-6, 1e-5), rl.complex128: (1e-7, 1e-7),
}  # fmt: skip
_NUMBERS = {bool: rl.bool, int: rl.int64, float: rl.float64, complex: rl.complex128}


class Different(Exception):
    """What is wrong, and where in the containers.

    Attributes:
        kind: of the exception that users see.
    """

    def __init__(self, kind: type[Exception], text: str, path: Path) -> None:
        super().__init__(text)
        self.kind, self.text, self.path = kind, text, path

    def error(self, message: str | Callable[[str], str] | None = None) -> Exception:
        """The exception that users see, with their own text if they gave one."""
        if isinstance(message, str):
            return self.kind(message)
        text = self.text
        if self.path:
            where = "".join(f"[{key!r}]" for key in self.path)
            text += f"\n\nThe failure occurred for item {where}"
        return self.kind(text if message is None else message(text))


@dataclass(frozen=True)
class Rules:
    """The options of a comparison, as :func:`assert_close` has them."""

    allow_subclasses: bool
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool

    def tolerances(self, dtypes: Sequence[rl.dtype], path: Path) -> tuple[float, float]:
        """The relative and the absolute one."""
        if (self.rtol is None) != (self.atol is None):
            named = "rtol" if self.rtol is None else "atol"
            text = (
                f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {named}."
            )
            raise Different(ValueError, text, path)
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        return tolerances(dtypes, TOLERANCES)


def tolerances(
    dtypes: Sequence[rl.dtype], known: Mapping[rl.dtype, tuple[float, float]]
) -> tuple[float, float]:
    """The widest relative and the widest absolute tolerance of some dtypes."""
    found = [known.get(dtype, (0.0, 0.0)) for dtype in dtypes]
    return max(rtol for rtol, _ in found), max(atol for _, atol in found)


# Finding pairs -------------------------------------------------------------------------------


def paired(actual: Any, expected: Any, path: Path, rules: Rules) -> list[Pair]:
    """The pairs in two containers, or of the two things themselves.

    Raises:
        Different: lengths, keys or types do not fit.
    """
    if _both(actual, expected, Sequence) and not _either(actual, expected, str):
        lengths = len(actual), len(expected)
        if lengths[0] != lengths[1]:
            text = f"The length of the sequences mismatch: {lengths[0]} != {lengths[1]}"
            raise Different(AssertionError, text, path)
        keys: list[Any] = list(range(lengths[0]))
    elif _both(actual, expected, Mapping):
        keys = _shared_keys(actual, expected, path)
    else:
        return [_pair(actual, expected, path, rules)]
    inner = (paired(actual[key], expected[key], (*path, key), rules) for key in keys)
    return [pair for pairs in inner for pair in pairs]


def _shared_keys(actual: Any, expected: Any, path: Path) -> list[Any]:
    ours, theirs = set(actual.keys()), set(expected.keys())
    if ours != theirs:
        text = (
            "The keys of the mappings do not match:\n"
            f"Missing keys in the actual mapping: {_ordered(theirs - ours)}\n"
            f"Additional keys in the actual mapping: {_ordered(ours - theirs)}"
        )
        raise Different(AssertionError, text, path)
    return _ordered(ours)


def _ordered(keys: set[Any]) -> list[Any]:
    with contextlib.suppress(TypeError):
        return sorted(keys)
    return list(keys)


def _pair(actual: Any, expected: Any, path: Path, rules: Rules) -> Pair:
    if actual is None or expected is None:
        return NonePair(actual, expected, path, rules)
    if _both(actual, expected, (bool, np.bool_)):
        return BooleanPair(bool(actual), bool(expected), path, rules)
    if _both(actual, expected, (int, float, complex, np.number)):
        return NumberPair(_number(actual), _number(expected), path, rules)
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if related and (rules.allow_subclasses or type(actual) is type(expected)):
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            return TensorPair(rl.as_tensor(actual), rl.as_tensor(expected), path, rules)
    text = (
        f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}."
    )
    raise Different(TypeError, text, path)


def _both(a: Any, b: Any, kind: Any) -> bool:
    return isinstance(a, kind) and isinstance(b, kind)


def _either(a: Any, b: Any, kind: Any) -> bool:
    return isinstance(a, kind) or isinstance(b, kind)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.number) else value


# Comparing them ------------------------------------------------------------------------------


class Pair:
    """Two things to compare. Abstract."""

    def __init__(self, actual: Any, expected: Any, path: Path, rules: Rules) -> None:
        self.actual, self.expected, self.path, self.rules = actual, expected, path, rules

    def compare(self) -> None:
        """Raises Different if they are."""
        raise NotImplementedError

    def fail(self, text: str) -> NoReturn:
        """Says how they differ."""
        raise Different(AssertionError, text, self.path)


class NonePair(Pair):
    """None, and what should be as well."""

    def compare(self) -> None:
        if self.actual is not self.expected:
            self.fail(f"None mismatch: {self.actual} is not {self.expected}")


class BooleanPair(Pair):
    """Two bools."""

    def compare(self) -> None:
        if self.actual is not self.expected:
            self.fail(f"Booleans mismatch: {self.actual} is not {self.expected}")


class NumberPair(Pair):
    """Two numbers of Python or NumPy."""

    def __init__(self, actual: Any, expected: Any, path: Path, rules: Rules) -> None:
        super().__init__(actual, expected, path, rules)
        dtypes = [_dtype_of(value) for value in (actual, expected)]
        self.rtol, self.atol = rules.tolerances(dtypes, path)

    def compare(self) -> None:
        actual, expected = self.actual, self.expected
        if self.rules.check_dtype and type(actual) is not type(expected):
            self.fail(f"The (d)types do not match: {type(actual)} != {type(expected)}.")
        if actual == expected:
            return
        if self.rules.equal_nan and cmath.isnan(actual) and cmath.isnan(expected):
            return
        far = abs(actual - expected)
        if not (cmath.isfinite(far) and far <= self.atol + self.rtol * abs(expected)):
            self.fail(_scalars(actual, expected, self.rtol, self.atol))


def _dtype_of(value: Any) -> rl.dtype:
    return next(dtype for kind, dtype in _NUMBERS.items() if isinstance(value, kind))


class TensorPair(Pair):
    """Two tensors, or what can be made one."""

    def __init__(self, actual: Any, expected: Any, path: Path, rules: Rules) -> None:
        super().__init__(actual, expected, path, rules)
        self.rtol, self.atol = rules.tolerances((actual.dtype, expected.dtype), path)

    def compare(self) -> None:
        self._attributes()
        with rl.no_grad():
            dtype = rl.promote_types(self.actual.dtype, self.expected.dtype)
            actual, expected = (x.detach().to(dtype).cpu() for x in (self.actual, self.expected))
            close = rl.isclose(actual, expected, self.rtol, self.atol, self.rules.equal_nan)
            if close.all():
                return
            if actual.shape:
                self.fail(_tensors(actual, expected, close, self.rtol, self.atol))
        self.fail(_scalars(actual.item(), expected.item(), self.rtol, self.atol))

    def _attributes(self) -> None:
        actual, expected, rules = self.actual, self.expected, self.rules
        strided = actual.layout == expected.layout == rl.strided
        for name, checked in (
            ("shape", True), ("layout", rules.check_layout),
            ("stride()", rules.check_stride and strided), ("device", rules.check_device),
            ("dtype", rules.check_dtype),
        ):  # fmt: skip
            one, other = (
                x.stride() if name == "stride()" else getattr(x, name) for x in (actual, expected)
            )
            if checked and one != other:
                self.fail(f"The values for attribute '{name}' do not match: {one} != {other}.")


# Texts ---------------------------------------------------------------------------------------


def _scalars(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    far = abs(actual - expected)
    near = float("inf") if expected == 0 else far / abs(expected)
    lines = [_head("Scalars", rtol, atol), f"Expected {expected} but got {actual}."]
    lines.append(f"Absolute difference: {far}" + _allowed(atol, rtol, atol))
    lines.append(f"Relative difference: {near}" + _allowed(rtol, rtol, atol))
    return "\n".join(lines)


def _tensors(
    actual: rl.Tensor, expected: rl.Tensor, close: rl.Tensor, rtol: float, atol: float
) -> str:
    count, total = close.numel() - int(close.sum()), close.numel()
    lines = [_head("Tensor-likes", rtol, atol)]
    lines.append(f"Mismatched elements: {count} / {total} ({count / total:.1%})")
    if not (actual.is_floating_point() or actual.is_complex()):
        actual, expected = actual.long(), expected.long()
    far = rl.where(close, 0, (actual - expected).abs()).flatten()
    near = rl.where(close.flatten(), 0, far / expected.abs().flatten())
    for name, distance, most in (("absolute", far, atol), ("relative", near, rtol)):
        greatest, place = distance.max(0)
        where = _unflat(int(place), close.shape)
        text = f"Greatest {name} difference: {greatest.item()} at index {where}"
        lines.append(text + _allowed(most, rtol, atol))
    return "\n".join(lines)


def _unflat(place: int, shape: Sequence[int]) -> tuple[int, ...]:
    """The index of an element that is number ``place`` in the flat tensor."""
    return tuple(place // prod(shape[k + 1 :]) % shape[k] for k in range(len(shape)))


def _head(what: str, rtol: float, atol: float) -> str:
    return f"{what} are not {'close' if rtol or atol else 'equal'}!\n"


def _allowed(most: float, rtol: float, atol: float) -> str:
    return f" (up to {most} allowed)" if rtol or atol else ""
