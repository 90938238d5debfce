"""Attributes, numbers and forms as plain data, by their types."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rushlight.base.device import device
from rushlight.base.dtypes import ALL, DType
from rushlight.ops.moments import Layout
from rushlight.ops.resample import Rule
from rushlight.ops.windows import Adaptive, Sliding

from .varying import Varying

DTYPES = {dtype.name: dtype for dtype in ALL}
_RECORDS: dict[str, Callable[..., Any]] = {
    kind.__name__: kind for kind in (Adaptive, Layout, Rule, Sliding)
}


def plain(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        TypeError: its type is none that is kept.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is complex:
        return {"complex": [plain(value.real), plain(value.imag)]}
    if kind is DType:
        return {"dtype": value.name}
    if kind is device:
        return {"device": str(value)}
    if kind is Varying:
        rows = [[list(names), f.numerator, f.denominator] for names, f in value.terms]
        return {"varying": rows}
    if kind is tuple:
        return {"tuple": [plain(each) for each in value]}
    if kind.__name__ in _RECORDS and _RECORDS[kind.__name__] is kind:
        return {kind.__name__: [plain(each) for each in value]}
    raise TypeError(f"a {kind.__module__}.{kind.__qualname__}")


def restored(data: Any) -> Any:
    """The value of plain data.

    Raises:
        ValueError, KeyError, TypeError: it is of no value's form.
    """
    if data is None or type(data) in (bool, int, float, str):
        return data
    if type(data) is not dict or len(data) != 1:
        raise ValueError(f"{data!r:.80} is no attribute")
    ((kind, content),) = data.items()
    if kind == "tuple":
        return tuple([restored(each) for each in content])
    if kind in _RECORDS:
        return _RECORDS[kind](*[restored(each) for each in content])
    if kind == "varying":
        return Varying(
            tuple([(_names(names), Fraction(_int(a), _int(b))) for names, a, b in content])
        )
    if kind == "dtype":
        return DTYPES[content]
    if kind == "float":
        return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[content]
    if kind == "complex":
        real, imaginary = content
        return complex(restored(real), restored(imaginary))
    if kind == "device":
        return device(content)
    raise ValueError(f"{kind!r:.80} is no type of attribute")


def plain_form(form: Any) -> Any:
    """A form of arguments or results as JSON has it."""
    kind, content = form
    if kind == "constant":
        return [kind, plain(content)]
    if kind == "dict":
        return [kind, [[key, plain_form(each)] for key, each in content]]
    return [kind, content if kind == "tensor" else [plain_form(each) for each in content]]


def restored_form(data: Any, count: int) -> Any:
    """The form of plain data.

    Args:
        count: how many tensors there are.
    Raises:
        ValueError, TypeError: it is no form, or is about tensors that there are not.
    """
    kind, content = data
    if kind == "constant":
        return [kind, restored(content)]
    if kind == "tensor":
        if type(content) is not int or not 0 <= content < count:
            raise ValueError(f"there is no tensor {content!r:.80}")
        return [kind, content]
    if kind == "dict":
        if any(type(key) not in (str, int) for key, _ in content):
            raise ValueError("a dictionary's key is no string")
        return [kind, [[key, restored_form(each, count)] for key, each in content]]
    if kind not in ("tuple", "list"):
        raise ValueError(f"{kind!r:.80} is no form")
    return [kind, [restored_form(each, count) for each in content]]


def _int(n: Any) -> int:
    if type(n) is not int:
        raise ValueError(f"{n!r:.80} is no whole number")
    return n


def _names(names: Any) -> tuple[str, ...]:
    return tuple([_str(name) for name in names])


def _str(text: Any) -> str:
    if type(text) is not str:
        raise ValueError(f"{text!r:.80} is no name")
    return text
