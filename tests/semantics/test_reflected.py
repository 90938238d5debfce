"""Operators written out as methods, and functions given numbers where they want tensors."""

from __future__ import annotations

import pytest
import torch

import rushlight as rl

REFLECTED = ("add", "sub", "mul", "truediv", "div", "floordiv", "mod", "pow", "and", "or", "xor",
             "lshift", "rshift", "matmul")  # fmt: skip


@pytest.mark.parametrize("name", REFLECTED)
def test_reflected_methods_take_tensors(name: str) -> None:
    method = f"__r{name}__"
    ours = getattr(rl.Tensor, method)(rl.tensor([3, 5]), rl.tensor([7, 2]))
    theirs = getattr(torch.Tensor, method)(torch.tensor([3, 5]), torch.tensor([7, 2]))
    assert ours.tolist() == pytest.approx(theirs.tolist(), rel=3e-7)
    assert str(ours.dtype) == str(theirs.dtype)


@pytest.mark.parametrize("name", REFLECTED)
def test_reflected_methods_refuse_others(name: str) -> None:
    assert getattr(rl.Tensor, f"__r{name}__")(rl.ones(2), "two") is NotImplemented


def test_reflected_methods_belong_to_tensors() -> None:
    with pytest.raises(TypeError, match="must be Tensor, not int"):
        rl.Tensor.__radd__(2, rl.ones(2))


@pytest.mark.parametrize(
    "name", ["add", "sub", "mul", "div", "true_divide", "floor_divide", "multiply", "subtract"]
)
@pytest.mark.parametrize("numbers", [(7, 2), (7, 2.5), (3, 1.5)])
def test_arithmetic_takes_numbers_alone(name: str, numbers: tuple[float, float]) -> None:
    ours, theirs = getattr(rl, name)(*numbers), getattr(torch, name)(*numbers)
    assert str(ours.dtype) == str(theirs.dtype)
    assert ours.item() == pytest.approx(theirs.item(), rel=3e-7)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("pow", (2, 3)),
        ("remainder", (7, 2)),
        ("xlogy", (1, 2)),
        ("bitwise_and", (1, 2)),
        ("exp", (2.0,)),
        ("fmod", (7, "x")),
        ("fmod", (7, "x2")),
        ("maximum", ("x", 1)),
        ("eq", (1, "x")),
        ("logical_and", ("x", 1)),
        ("atan2", ("x", 1)),
        ("hypot", ("x", 1)),
        ("lerp", ("x", 2, 0.5)),
        ("clamp_min", (1, "x")),
    ],
)
def test_numbers_where_tensors_are_wanted(name: str, arguments: tuple[object, ...]) -> None:
    """``x`` stands for a tensor."""
    for library in (rl, torch):
        given = [library.ones(2) if isinstance(a, str) else a for a in arguments]
        with pytest.raises(TypeError):
            getattr(library, name)(*given)
