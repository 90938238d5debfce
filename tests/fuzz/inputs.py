"""Wrong and strange inputs, made of the samples that operations carry.

A call is a sample's arguments with some changes: another shape, dtype, layout or number, an
argument too many or of another kind. It is written down without any library's tensors, so both are
called with the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from make import Make, public_function, texts, torch_function

import rushlight as rl
from rushlight.graph.op import Op, table

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip
SHAPES = (
    (), (0,), (1,), (2,), (3,), (2, 3), (0, 3), (3, 0), (1, 1), (3, 3), (2, 1, 3), (2, 0, 2),
    (1, 2, 3, 4), (2, 3, 4, 4), (1, 1, 2, 2, 2), (2, 1, 1, 1, 1, 1),
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, -2, 3, 5, -7, 64, -64, 1.5, -0.5, 0.0, True, False, float("nan"), float("inf"),
    2**63 - 1, -(2**63), 2**70, 1j,
)  # fmt: skip
STRANGE = (
    None,
    "mean",
    "nonsense",
    (),
    [],
    [1, 2],
    (0, 0),
    (-1,),
    (5,),
    (0, 1, 2),
    {},
    object(),
    slice(1),
)
NAMES = ("dim", "keepdim", "dtype", "out", "reduction", "nonsense", "p", "size", "correction")
LAYOUTS = ("plain", "turned", "every second", "one repeated", "reversed dims", "in a larger one")


@dataclass(frozen=True)
class Given:
    """A tensor that both libraries can make."""

    values: Any
    dtype: str
    layout: str = "plain"
    grad: bool = False

    def __repr__(self) -> str:
        marks = [self.dtype, *([self.layout] if self.layout != "plain" else [])]
        return f"<{tuple(self.values.shape)} {' '.join(marks)}>"

    def made(self, lib: Any) -> Any:
        """The tensor."""
        shape = self.values.shape
        if self.layout == "one repeated" and self.values.size:
            one = self._plain(lib, self.values.reshape(-1)[:1])
            return one.reshape((1,) * len(shape)).expand(shape)
        if self.layout in ("turned", "reversed dims") and shape:
            turned = self.values.T.copy(order="C")
            return self._plain(lib, turned).permute(*reversed(range(len(shape))))
        if self.layout == "every second" and shape:
            return self._plain(lib, np.repeat(self.values, 2, -1))[..., ::2]
        if self.layout == "in a larger one" and shape:
            return self._plain(lib, np.concatenate([self.values] * 3, 0)).narrow(
                0, shape[0], shape[0]
            )
        return self._plain(lib, self.values)

    def _plain(self, lib: Any, values: Any) -> Any:
        return lib.tensor(values).to(getattr(lib, self.dtype))


@dataclass(frozen=True)
class Change:
    """One change of a call: what, at which argument, and a number that chooses the details."""

    kind: str
    at: int
    to: int


KINDS = ("shape", "dtype", "layout", "number", "values", "strange", "drop", "more", "name", "swap")


@dataclass(frozen=True)
class Call:
    """A function by the operation that it belongs to, and what it is given."""

    op: Op
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __repr__(self) -> str:
        shown = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"{self.op.name}({', '.join(shown)})"

    def run(self, lib: Any) -> Any:
        """Calls the function of a library; ``rushlight`` computes only what is looked at."""
        function = public_function(self.op) if lib is rl else torch_function(self.op)
        return function(*made(lib, self.args), **made(lib, self.kwargs))

    def changed(self, change: Change) -> Call:
        """With one change, or as it is if there is nothing to change in that way."""
        places = [*range(len(self.args)), *self.kwargs]
        if change.kind in ("more", "name"):
            return self._with_more(change)
        wanted = _WANTED.get(change.kind, object)
        places = [place for place in places if isinstance(self[place], wanted)]
        if not places:
            return self
        place = places[change.at % len(places)]
        if change.kind == "drop":
            return self._without(place)
        if change.kind == "swap":
            other = places[change.to % len(places)]
            first, second = self[place], self[other]
            return self._put(place, second)._put(other, first)
        return self._put(place, _CHANGES[change.kind](self[place], change.to))

    def __getitem__(self, place: Any) -> Any:
        return self.kwargs[place] if isinstance(place, str) else self.args[place]

    def _put(self, place: Any, value: Any) -> Call:
        if isinstance(place, str):
            return replace(self, kwargs={**self.kwargs, place: value})
        return replace(self, args=(*self.args[:place], value, *self.args[place + 1 :]))

    def _without(self, place: Any) -> Call:
        if isinstance(place, str):
            return replace(self, kwargs={k: v for k, v in self.kwargs.items() if k != place})
        return replace(self, args=(*self.args[:place], *self.args[place + 1 :]))

    def _with_more(self, change: Change) -> Call:
        values = (*NUMBERS[:8], *STRANGE)
        value = values[change.to % len(values)]
        if change.kind == "more":
            return replace(self, args=(*self.args, value))
        return self._put(NAMES[change.at % len(NAMES)], value)


def _reshaped(given: Given, to: int) -> Given:
    shape = SHAPES[to % len(SHAPES)]
    if to // len(SHAPES) % 2 and given.values.ndim:  # the same, but for one dimension
        k = to % given.values.ndim
        n = (0, 1, 2, 5)[to // 7 % 4]
        shape = (*given.values.shape[:k], n, *given.values.shape[k + 1 :])
    return replace(given, values=np.resize(given.values, shape))


def _retyped(given: Given, to: int) -> Given:
    name = DTYPES[to % len(DTYPES)]
    values = given.values
    if not name.startswith("complex") and np.iscomplexobj(values):
        values = values.real
    return replace(given, values=values, dtype=name)


def _revalued(given: Given, to: int) -> Given:
    """With some elements that are special, out of range, or all the same."""
    values = np.array(given.values, copy=True)
    if values.dtype.kind in "iu":
        special = (0, -1, 1, 1000, -1000, np.iinfo(values.dtype).max, np.iinfo(values.dtype).min)
    else:
        special = (0.0, -0.0, 1.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 1e-30)
    number = special[to % len(special)]
    if values.size and values.dtype.kind != "b":
        values.reshape(-1)[:: 1 + to // 11 % 3] = np.array(number).astype(values.dtype)
    return replace(given, values=values)


_WANTED: dict[str, Any] = {
    "shape": Given, "dtype": Given, "layout": Given, "values": Given,
    "number": (bool, int, float, complex),
}  # fmt: skip
_CHANGES: dict[str, Callable[[Any, int], Any]] = {
    "shape": _reshaped,
    "dtype": _retyped,
    "values": _revalued,
    "layout": lambda given, to: replace(given, layout=LAYOUTS[to % len(LAYOUTS)]),
    "number": lambda value, to: NUMBERS[to % len(NUMBERS)],
    "strange": lambda value, to: (*STRANGE, *NUMBERS)[to % (len(STRANGE) + len(NUMBERS))],
}


def made(lib: Any, value: Any) -> Any:
    """What a library is given."""
    if isinstance(value, Given):
        return value.made(lib)
    if isinstance(value, rl.dtype):
        return getattr(lib, value.name)
    if isinstance(value, (list, tuple)):
        return type(value)(made(lib, each) for each in value)
    if isinstance(value, dict):
        return {k: made(lib, each) for k, each in value.items()}
    return value


def written(value: Any) -> Any:
    """A sample's value without a library's tensors."""
    if isinstance(value, rl.Tensor):
        array = value.detach().resolve_conj().resolve_neg().clone().numpy()
        return Given(np.array(array), value.dtype.name)
    if isinstance(value, (list, tuple)):
        return type(value)(written(each) for each in value)
    if isinstance(value, dict):
        return {k: written(each) for k, each in value.items()}
    return value


@cache
def calls(name: str) -> list[Call]:
    """The samples of an operation, as calls."""
    op = table[name]
    found = itertools.islice(Make(op).samples(), 12)
    return [Call(op, written(args), written(kwargs)) for args, kwargs in found]


def names() -> Iterator[str]:
    """Operations that have a public function here and in PyTorch, and samples."""
    for name in sorted(table):
        op = table[name]
        if texts(op) and texts(op)[0] and not op.draws:
            try:
                torch_function(op)
            except AttributeError:
                continue
            if calls(name):
                yield name
