"""Arithmetic, functions of one number, and products of matrices."""

from __future__ import annotations

import functools
from collections.abc import Callable

import rushlight as rl
from rushlight.nn import functional as F

from .registry import Here, node

FUNCTIONS: dict[str, Callable[[rl.Tensor], rl.Tensor]] = {
    "Acos": rl.acos, "Acosh": rl.acosh, "Asin": rl.asin, "Asinh": rl.asinh,
    "Atan": rl.atan, "Atanh": rl.atanh, "Ceil": rl.ceil, "Cos": rl.cos, "Cosh": rl.cosh,
    "Erf": rl.erf, "Exp": rl.exp, "Floor": rl.floor, "Log": rl.log,
    "Reciprocal": rl.reciprocal, "Round": rl.round, "Sigmoid": rl.sigmoid,
    "Sin": rl.sin, "Sinh": rl.sinh, "Sqrt": rl.sqrt, "Tan": rl.tan, "Tanh": rl.tanh,
}  # fmt: skip


def _of_one(function: Callable[[rl.Tensor], rl.Tensor]) -> Callable[[rl.Tensor], rl.Tensor]:
    return lambda x: function(x)


for _name, _function in FUNCTIONS.items():
    node(_name)(_of_one(_function))
for _name, _function in {"Abs": rl.abs, "Neg": rl.neg, "Sign": rl.sign}.items():
    node(_name, carried="fit")(_of_one(_function))
node("Det")(_of_one(rl.linalg.det))


def placed(a: rl.Tensor, b: rl.Tensor, axis: int | None) -> rl.Tensor:
    """The second operand as opsets below 7 place it: its dimensions begin at ``axis`` of ``a``."""
    if axis is None:
        return b
    after = a.ndim - (axis % a.ndim) - b.ndim
    return b.reshape(tuple(b.shape) + (1,) * after)


@node("Add", carried="fit")
def add(a: rl.Tensor, b: rl.Tensor, *, axis: int | None = None, broadcast: int = 1) -> rl.Tensor:
    return a + placed(a, b, axis)


@node("Sub", carried="fit")
def sub(a: rl.Tensor, b: rl.Tensor, *, axis: int | None = None, broadcast: int = 1) -> rl.Tensor:
    return a - placed(a, b, axis)


@node("Mul", carried="fit")
def mul(a: rl.Tensor, b: rl.Tensor, *, axis: int | None = None, broadcast: int = 1) -> rl.Tensor:
    return a * placed(a, b, axis)


@node("Div", carried="fit")
def div(a: rl.Tensor, b: rl.Tensor, *, axis: int | None = None, broadcast: int = 1) -> rl.Tensor:
    whole = not (a.is_floating_point() or a.is_complex())
    return rl.div(a, placed(a, b, axis), rounding_mode="trunc" if whole else None)


@node("Mod", carried="fit")
def mod(a: rl.Tensor, b: rl.Tensor, *, fmod: int = 0) -> rl.Tensor:
    return rl.fmod(a, b) if fmod else rl.remainder(a, b)


@node("Pow", carried="fit")
def power(a: rl.Tensor, b: rl.Tensor, *, axis: int | None = None, broadcast: int = 1) -> rl.Tensor:
    return rl.pow(a, placed(a, b, axis)).to(a.dtype)  # the result has the base's type


def _folded(function: Callable[[rl.Tensor, rl.Tensor], rl.Tensor]) -> Callable[..., rl.Tensor]:
    return lambda *inputs: functools.reduce(function, inputs)


node("Max", carried="fit")(_folded(rl.maximum))
node("Min", carried="fit")(_folded(rl.minimum))
node("Sum")(_folded(rl.add))


@node("Mean")
def mean(*inputs: rl.Tensor) -> rl.Tensor:
    return functools.reduce(rl.add, inputs) / len(inputs)


@node("Clip", carried="fit")
def clip_between(x: rl.Tensor, *, max: float | None = None, min: float | None = None) -> rl.Tensor:
    return x if max is None and min is None else rl.clamp(x, min, max)


@node("Clip", since=11, carried="fit", frozen=(1, 2))
def clip(x: rl.Tensor, low: rl.Tensor | None = None, high: rl.Tensor | None = None) -> rl.Tensor:
    return x if low is None and high is None else rl.clamp(x, low, high)


@node("MatMul", carried="fit")
def matmul(a: rl.Tensor, b: rl.Tensor) -> rl.Tensor:
    return rl.matmul(a, b)


@node("Gemm")
def gemm(
    a: rl.Tensor, b: rl.Tensor, c: rl.Tensor | None = None, *, alpha: float = 1.0,
    beta: float = 1.0, transA: int = 0, transB: int = 0, broadcast: int = 1,
) -> rl.Tensor:  # fmt: skip
    a = a.mT if transA else a
    if transB and alpha == beta == 1 and c is not None and c.ndim == 1 and len(c) == len(b):
        return F.linear(a, b, c)
    product = rl.matmul(a, b.mT if transB else b)
    whole = not a.is_floating_point()
    product = product if alpha == 1 else product * (int(alpha) if whole else alpha)
    if c is None or beta == 0:
        return product
    return product + (c if beta == 1 else c * (int(beta) if whole else beta))


@node("Einsum")
def einsum(*inputs: rl.Tensor, equation: str) -> rl.Tensor:
    return rl.einsum(equation, *inputs)


def _running(
    function: Callable[[rl.Tensor, int], rl.Tensor], first: int
) -> Callable[..., rl.Tensor]:
    def running(
        x: rl.Tensor, axis: rl.Tensor, *, exclusive: int = 0, reverse: int = 0
    ) -> rl.Tensor:
        dim = int(axis.item()) % x.ndim
        x = x.flip(dim) if reverse else x
        if exclusive:  # what stands before an element, itself left out
            begin = rl.full_like(x.narrow(dim, 0, 1), first)
            x = rl.cat([begin, x.narrow(dim, 0, x.shape[dim] - 1)], dim)
        result = function(x, dim).to(x.dtype)
        return result.flip(dim) if reverse else result

    return running


node("CumSum")(_running(lambda x, dim: rl.cumsum(x, dim), 0))
node("CumProd")(_running(lambda x, dim: rl.cumprod(x, dim), 1))


@node("Affine")
def affine(x: rl.Tensor, *, alpha: float = 1.0, beta: float = 0.0) -> rl.Tensor:
    return x * alpha + beta


@node("Scale")
def scale(x: rl.Tensor, *, scale: float = 1.0) -> rl.Tensor:
    return x * scale


@node("Identity", carried="move")
def identity(x: rl.Tensor) -> rl.Tensor:
    return x


@node("Dropout", frozen=(1, 2))
def dropout(
    x: rl.Tensor, share: rl.Tensor | None = None, training_mode: rl.Tensor | None = None, *,
    seed: int | None = None, is_test: int = 0, ratio: float = 0.5, here: Here,
) -> tuple[rl.Tensor, rl.Tensor]:  # fmt: skip
    p = ratio if share is None else float(share.item())
    drops = here.training or (training_mode is not None and bool(training_mode.item()))
    if not drops or p == 0:
        return x, rl.ones_like(x, dtype=rl.bool)
    if p >= 1:
        return rl.zeros_like(x), rl.zeros_like(x, dtype=rl.bool)
    if here.outputs == 1:
        return F.dropout(x, p, True), x
    kept = rl.rand(x.shape) >= p
    return x * kept / (1 - p), kept
