"""Index expressions: read, written, added to and differentiated as PyTorch does."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest
from agree import same
from hypothesis import given, settings
from hypothesis import strategies as st

Index = Callable[[Any], Any]

SHAPES = {0: (), 1: (5,), 2: (3, 4), 3: (2, 3, 4), 4: (2, 3, 2, 4)}

# A tensor's rank and an index of it, as a function of the library.
TABLE: dict[str, tuple[int, Index]] = {
    "scalar[()]": (0, lambda f: ()),
    "scalar[...]": (0, lambda f: ...),
    "scalar[None]": (0, lambda f: None),
    "scalar[None, ..., None]": (0, lambda f: (None, ..., None)),
    "scalar[True]": (0, lambda f: True),
    "scalar[False]": (0, lambda f: False),
    "scalar[mask]": (0, lambda f: f.tensor(True)),
    "int": (1, lambda f: 2),
    "negative": (1, lambda f: -5),
    "numpy int": (1, lambda f: np.int64(3)),
    "everything": (1, lambda f: slice(None)),
    "slice": (1, lambda f: slice(1, 4)),
    "step": (1, lambda f: slice(0, None, 2)),
    "negative bounds": (1, lambda f: slice(-3, -1)),
    "bounds outside": (1, lambda f: slice(-100, 100)),
    "empty slice": (1, lambda f: slice(4, 1)),
    "long step": (1, lambda f: slice(1, None, 100)),
    "slice of 0-d tensors": (1, lambda f: slice(f.tensor(1), f.tensor(3))),
    "list": (1, lambda f: [0, 2, -1]),
    "repeated": (1, lambda f: [1, 1, 1]),
    "empty list": (1, lambda f: []),
    "list of bools": (1, lambda f: [True, False, True, False, True]),
    "nested list": (1, lambda f: [[0, 1], [2, 3]]),
    "array": (1, lambda f: np.array([4, 0])),
    "array of bools": (1, lambda f: np.array([True, True, False, False, True])),
    "0-d index": (1, lambda f: f.tensor(3)),
    "0-d int32 index": (1, lambda f: f.tensor(-2, dtype=f.int32)),
    "int64 index": (1, lambda f: f.tensor([0, 4, -5])),
    "int32 index": (1, lambda f: f.tensor([0, 4, -5], dtype=f.int32)),
    "empty index": (1, lambda f: f.tensor([], dtype=f.int64)),
    "index with two dims": (1, lambda f: f.tensor([[0, 1, 2], [4, 3, 2]])),
    "mask": (1, lambda f: f.tensor([True, False, False, True, True])),
    "mask of nothing": (1, lambda f: f.zeros(5, dtype=f.bool)),
    "True": (1, lambda f: True),
    "False": (1, lambda f: False),
    "row": (2, lambda f: 1),
    "element": (2, lambda f: (1, -1)),
    "column": (2, lambda f: (slice(None), 2)),
    "ellipsis and int": (2, lambda f: (..., 2)),
    "ellipsis of nothing": (2, lambda f: (1, ..., 2)),
    "None in between": (2, lambda f: (slice(None), None, 1)),
    "None at the end": (2, lambda f: (..., None)),
    "steps": (2, lambda f: (slice(None, None, 2), slice(1, None, 2))),
    "full mask": (2, lambda f: f.arange(12).reshape(3, 4) % 3 == 0),
    "mask of rows": (2, lambda f: f.tensor([True, False, True])),
    "mask of columns": (2, lambda f: (slice(None), f.tensor([True, False, True, True]))),
    "mask and int": (2, lambda f: (f.tensor([True, False, True]), 1)),
    "mask and list": (2, lambda f: (f.tensor([True, False, True]), [3, 0])),
    "rows": (2, lambda f: [2, 0]),
    "pairs": (2, lambda f: ([0, 2, 2], [1, 3, 3])),
    "outer": (2, lambda f: (f.tensor([[0], [2]]), f.tensor([1, 3, 0]))),
    "0-d and list": (2, lambda f: (f.tensor(1), [0, 2])),
    "True and int": (2, lambda f: (True, 1)),
    "list after True": (2, lambda f: (True, [0, 1])),
    "int and slice": (3, lambda f: (1, slice(None), slice(1, 3))),
    "ellipsis in between": (3, lambda f: (0, ..., 1)),
    "separated by slice": (3, lambda f: ([0, 1], slice(None), [1, 3])),
    "separated by None": (3, lambda f: ([0, 1], None, [1, 2])),
    "separated by ellipsis": (3, lambda f: ([0, 1, 1], ..., [1, 3, 3])),
    "adjacent at the end": (3, lambda f: (slice(None), [0, 2], [1, 3])),
    "int and list": (3, lambda f: (1, slice(None), [0, 3])),
    "list and int": (3, lambda f: ([0, 1], slice(None), 2)),
    "list in the middle": (3, lambda f: (slice(None), [2, 0, 0], slice(1, None, 2))),
    "partial mask": (3, lambda f: f.tensor([[True, False, True], [False, False, True]])),
    "trailing mask": (3, lambda f: (0, f.arange(12).reshape(3, 4) > 6)),
    "mask after slice": (3, lambda f: (slice(None), f.arange(12).reshape(3, 4) % 5 == 1)),
    "three lists": (3, lambda f: ([0, 1], [2, 1], [0, 3])),
    "empty among others": (3, lambda f: (slice(None), f.zeros(0, dtype=f.int64), 1)),
    "two apart of four": (4, lambda f: (slice(None), [0, 2], slice(None), [1, 3])),
    "two together of four": (4, lambda f: (slice(None), [0, 2], [1, 0], slice(None, 2))),
    "None first of four": (4, lambda f: (None, 1, ..., [0, 0, 2])),
    "mask of the middle": (4, lambda f: (1, f.arange(6).reshape(3, 2) % 2 == 0, slice(0, 2))),
    "broadcast across four": (4, lambda f: (f.tensor([[0], [1]]), [0, 2, 1], 1)),
}

CASES = [pytest.param(rank, index, id=name) for name, (rank, index) in TABLE.items()]

WRONG: dict[str, tuple[int, Index]] = {
    "scalar by int": (0, lambda f: 0),
    "scalar by slice": (0, lambda f: slice(None)),
    "too large": (1, lambda f: 5),
    "too small": (1, lambda f: -6),
    "too many": (1, lambda f: (0, 0)),
    "too many slices": (1, lambda f: (slice(None), slice(None))),
    "list outside": (1, lambda f: [0, 5]),
    "index outside": (1, lambda f: f.tensor([-6])),
    "float": (1, lambda f: 1.0),
    "float index": (1, lambda f: f.tensor([1.0])),
    "string": (1, lambda f: "a"),
    "int16 index": (1, lambda f: f.tensor([1], dtype=f.int16)),
    "negative step": (1, lambda f: slice(None, None, -1)),
    "zero step": (1, lambda f: slice(None, None, 0)),
    "float bound": (1, lambda f: slice(0.5, None)),
    "mask too long": (1, lambda f: f.ones(6, dtype=f.bool)),
    "mask of other shape": (2, lambda f: f.ones(3, 3, dtype=f.bool)),
    "mask of higher rank": (1, lambda f: f.ones(5, 1, dtype=f.bool)),
    "lists that do not broadcast": (2, lambda f: ([0, 1], [0, 1, 2])),
}


def base(f: Any, shape: tuple[int, ...], dtype: str = "float32") -> Any:
    """A tensor of different values."""
    return f.arange(prod(shape), dtype=getattr(f, dtype)).reshape(shape)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize(("rank", "index"), CASES)
def test_read(rank: int, index: Index, dtype: str) -> None:
    same(lambda f: base(f, SHAPES[rank], dtype)[index(f)], warned=False)


@pytest.mark.parametrize(("rank", "index"), CASES)
def test_read_of_a_strided_view(rank: int, index: Index) -> None:
    same(
        lambda f: base(f, SHAPES[rank][::-1]).permute(tuple(range(rank))[::-1])[index(f)],
        warned=False,
    )


# What holds a single bool (PyTorch casts a value that is written there), and the dims that are new.
BOOLS = ("scalar[True]", "scalar[mask]", "True")
NEW = ("scalar[None]", "scalar[None, ..., None]", "None at the end")


@pytest.mark.parametrize(("rank", "index"), CASES)
def test_write(rank: int, index: Index) -> None:
    def write(f: Any, value: Callable[[Any, Any], Any], dtype: str = "float32") -> Any:
        x = base(f, SHAPES[rank], dtype)
        x[index(f)] = value(f, x[index(f)])
        return x

    same(lambda f: write(f, lambda f, old: -7), warned=False)
    same(lambda f: write(f, lambda f, old: 2.75, "int64"), warned=False)
    same(lambda f: write(f, lambda f, old: f.tensor(-1.5)), warned=False)
    same(lambda f: write(f, lambda f, old: old * 2 + 1), warned=False)
    same(lambda f: write(f, lambda f, old: old[..., :1] if old.dim() else old), warned=False)


@pytest.mark.parametrize(
    ("rank", "index"), [pytest.param(*TABLE[n], id=n) for n in TABLE if n not in BOOLS]
)
def test_write_of_another_dtype(rank: int, index: Index) -> None:
    def write(f: Any) -> Any:
        x = base(f, SHAPES[rank], "int64")
        x[index(f)] = (x[index(f)] + 0.5).double()
        return x

    same(write, warned=False)


@pytest.mark.parametrize(("rank", "index"), CASES)
def test_add_in_place(rank: int, index: Index) -> None:
    def add(f: Any) -> Any:
        x = base(f, SHAPES[rank])
        x[index(f)] += 10
        return x

    same(add, warned=False)


@pytest.mark.parametrize(("rank", "index"), CASES)
def test_gradient_of_read(rank: int, index: Index) -> None:
    def read(f: Any) -> Any:
        x = base(f, SHAPES[rank]).requires_grad_()
        y = x[index(f)]
        (y * (base(f, tuple(y.shape)) + 1)).sum().backward()
        return y, x.grad

    same(read, warned=False)


@pytest.mark.parametrize(
    ("rank", "index"), [pytest.param(*TABLE[n], id=n) for n in TABLE if n not in (*BOOLS, *NEW)]
)
def test_gradient_of_write(rank: int, index: Index) -> None:
    def write(f: Any) -> Any:
        x = base(f, SHAPES[rank]).requires_grad_()
        y = x * 2
        with f.no_grad():
            value = (y[index(f)] * 0).clone()
        value.requires_grad_()
        y[index(f)] = value * 3
        # The same weight everywhere: which of repeated writes lasts is not defined.
        (y * 5).sum().backward()
        return y, x.grad, value.grad

    same(write, warned=False)


@pytest.mark.parametrize(("rank", "index"), [pytest.param(*w, id=n) for n, w in WRONG.items()])
def test_wrong_index(rank: int, index: Index) -> None:
    def write(f: Any) -> Any:
        x = base(f, SHAPES[rank])
        x[index(f)] = 1
        return x

    # A program that looks at the result: values are checked at the latest then.
    assert "Error" in same(lambda f: base(f, SHAPES[rank])[index(f)], text=False, warned=False)
    assert "Error" in same(write, text=False, warned=False)


@pytest.mark.parametrize("shape", [(2,), (4, 1), (2, 3, 4), (0,)])
def test_value_that_does_not_fit(shape: tuple[int, ...]) -> None:
    def write(f: Any, index: Any) -> Any:
        x = base(f, (3, 4))
        x[index] = f.ones(shape)
        return x

    same(lambda f: write(f, slice(None)), text=False)
    same(lambda f: write(f, [0, 2]), text=False)
    same(lambda f: write(f, (slice(None), [0, 1, 3])), text=False)


def parts(size: int) -> st.SearchStrategy[Index]:
    """An index of one dim."""
    ints = st.integers(-size, size - 1)
    bound = st.none() | st.integers(-size - 2, size + 2)
    slices = st.builds(slice, bound, bound, st.none() | st.integers(1, 3))
    lists = st.lists(ints, min_size=2, max_size=2)
    masks = st.lists(st.booleans(), min_size=size, max_size=size).filter(lambda m: sum(m) == 2)
    plain = (ints | slices | lists).map(lambda part: lambda f: part)
    tensors = (lists | ints).map(lambda part: lambda f: f.tensor(part))
    return plain | tensors | masks.map(lambda part: lambda f: f.tensor(part))


@st.composite
def expressions(draw: st.DrawFn) -> tuple[tuple[int, ...], Index]:
    """A shape and an index that fits it, with dims left out, None and an ellipsis anywhere."""
    shape = tuple(draw(st.lists(st.integers(2, 4), min_size=1, max_size=4)))
    used = draw(st.integers(0, len(shape)))
    gap = draw(st.integers(0, used))
    dims = [*shape[:gap], *shape[len(shape) - used + gap :]]
    chosen: list[Index] = [draw(parts(size)) for size in dims]
    chosen.insert(gap, lambda f: ...)
    for _ in range(draw(st.integers(0, 2))):
        chosen.insert(draw(st.integers(0, len(chosen))), lambda f: None)
    return shape, lambda f: tuple(part(f) for part in chosen)


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(expressions())
def test_random_expressions(case: tuple[tuple[int, ...], Index]) -> None:
    shape, index = case

    def program(f: Any) -> Any:
        x = base(f, shape).requires_grad_()
        y = x * 2
        read = y[index(f)]
        (read * (base(f, tuple(read.shape)) + 1)).sum().backward()
        z = base(f, shape)
        z[index(f)] = -1
        z[index(f)] += 3
        return read, x.grad, z

    same(program, warned=False)
