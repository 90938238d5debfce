"""The default dtype, whenever it is set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from both import same

import rushlight as rl


@pytest.fixture(autouse=True)
def back_to_float32() -> Iterator[None]:
    yield
    for t in (rl, torch):
        t.set_default_dtype(t.float32)


@pytest.mark.parametrize("name", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize(
    "make",
    [
        lambda t: t.tensor([1.5]),
        lambda t: t.tensor([]),
        lambda t: t.zeros(2),
        lambda t: t.full((2,), 1.5),
        lambda t: t.arange(0.0, 1, 0.25),
        lambda t: t.linspace(0, 1, 3),
        lambda t: t.tensor([1, 4]).sqrt(),
        lambda t: t.tensor([1, 4]) / 2,
        lambda t: t.tensor([1, 4]) * 1.5,
        lambda t: t.tensor([True]) * 1.5,
        lambda t: t.tensor([1.5], dtype=t.float32) * 1.5,
        lambda t: t.nn.Linear(1, 1).weight.dtype,
    ],
)
def test_it_counts_for_what_was_recorded_before_too(name: str, make) -> None:
    for t in (rl, torch):
        make(t)
        t.set_default_dtype(getattr(t, name))
    assert str(rl.get_default_dtype()) == f"torch.{name}"
    same(lambda t: str(getattr(make(t), "dtype", make(t))))


@pytest.mark.parametrize("make", [lambda t: t.tensor([1j]), lambda t: t.tensor([1, 4]) * 1j])
def test_complex_numbers_follow(make) -> None:
    for t in (rl, torch):
        make(t)
        t.set_default_dtype(t.float64)
    same(lambda t: str(make(t).dtype))


@pytest.mark.parametrize("wrong", ["int64", "complex64", "bool"])
def test_only_floating_types(wrong: str) -> None:
    same(lambda t: t.set_default_dtype(getattr(t, wrong)))
