"""Functions that layers apply to what they computed."""

from __future__ import annotations

import rushlight as rl
from rushlight.nn import functional as F

from .registry import node


@node("Relu")
def relu(x: rl.Tensor) -> rl.Tensor:
    return F.relu(x)


@node("LeakyRelu")
def leaky_relu(x: rl.Tensor, *, alpha: float = 0.01) -> rl.Tensor:
    return F.leaky_relu(x, alpha)


@node("ThresholdedRelu")
def thresholded_relu(x: rl.Tensor, *, alpha: float = 1.0) -> rl.Tensor:
    return F.threshold(x, alpha, 0.0)


@node("PRelu")
def prelu_by_channel(x: rl.Tensor, slope: rl.Tensor) -> rl.Tensor:
    channel = (-1,) + (1,) * (x.ndim - 2)  # opsets below 7 do not broadcast
    return prelu(x, slope.reshape(channel) if slope.ndim == 1 and x.ndim > 1 else slope)


@node("PRelu", since=7)
def prelu(x: rl.Tensor, slope: rl.Tensor) -> rl.Tensor:
    return rl.where(x >= 0, x, slope * x)


@node("Elu")
def elu(x: rl.Tensor, *, alpha: float = 1.0) -> rl.Tensor:
    return F.elu(x, alpha)


@node("Celu")
def celu(x: rl.Tensor, *, alpha: float = 1.0) -> rl.Tensor:
    return F.celu(x, alpha)


@node("Selu")
def selu(
    x: rl.Tensor,
    *,
    alpha: float = 1.67326319217681884765625,
    gamma: float = 1.05070102214813232421875,
) -> rl.Tensor:
    return F.elu(x, alpha) * gamma


@node("Gelu")
def gelu(x: rl.Tensor, *, approximate: str = "none") -> rl.Tensor:
    return F.gelu(x, approximate=approximate)


@node("Mish")
def mish(x: rl.Tensor) -> rl.Tensor:
    return F.mish(x)


@node("Swish")
def swish(x: rl.Tensor, *, alpha: float = 1.0) -> rl.Tensor:
    return F.silu(x) if alpha == 1 else x * rl.sigmoid(alpha * x)


@node("HardSigmoid")
def hard_sigmoid(x: rl.Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> rl.Tensor:
    return rl.clamp(alpha * x + beta, 0.0, 1.0)


@node("HardSwish")
def hard_swish(x: rl.Tensor) -> rl.Tensor:
    return F.hardswish(x)


@node("Softplus")
def softplus(x: rl.Tensor) -> rl.Tensor:
    return F.softplus(x)


@node("Softsign")
def softsign(x: rl.Tensor) -> rl.Tensor:
    return F.softsign(x)


@node("Shrink")
def shrink(x: rl.Tensor, *, bias: float = 0.0, lambd: float = 0.5) -> rl.Tensor:
    below = rl.where(x < -lambd, (x + bias).to(x.dtype), rl.zeros_like(x))
    return rl.where(x > lambd, (x - bias).to(x.dtype), below)


def _flat(x: rl.Tensor, axis: int) -> rl.Tensor:
    """A matrix, as opsets below 13 see any input: rows before ``axis``, columns from it on."""
    return x.flatten(axis % max(x.ndim, 1)) if x.ndim else x


def _by_rows(function: object) -> object:
    def rows(x: rl.Tensor, *, axis: int = 1) -> rl.Tensor:
        return function(_flat(x, axis), -1).reshape(x.shape)  # type: ignore[operator]

    return rows


def _by_axis(function: object) -> object:
    def along(x: rl.Tensor, *, axis: int = -1) -> rl.Tensor:
        return function(x, axis)  # type: ignore[operator]

    return along


def _hardmax(x: rl.Tensor, dim: int) -> rl.Tensor:
    place = rl.argmax(x, dim, keepdim=True)
    return rl.zeros_like(x).scatter(dim, place, 1.0)


for _name, _function in {
    "Softmax": F.softmax, "LogSoftmax": F.log_softmax, "Hardmax": _hardmax,
}.items():  # fmt: skip
    node(_name)(_by_rows(_function))  # type: ignore[type-var]
    node(_name, since=13)(_by_axis(_function))  # type: ignore[type-var]
