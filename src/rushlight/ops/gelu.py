"""The Gaussian error linear unit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import NoKernelError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .special import erf_values

_ROOT_HALF = math.sqrt(0.5)
# The paper's tanh form of Phi, Hendrycks & Gimpel 2016, section 2.
_TANH_SCALE, _TANH_CUBE = math.sqrt(2 / math.pi), 0.044715


class Gelu(Op):
    r"""Gaussian error linear unit.

    .. math:: \mathrm{GELU}(x) = x \, \Phi(x)

    Args:
        approximate: ``"none"`` uses erf, ``"tanh"`` the paper's tanh form.
    Shape:
        input (*) floating; output (*) same dtype. Half types are computed in float32.
    Raises:
        RuntimeError: ``approximate`` is neither ``"none"`` nor ``"tanh"``; the type is torch's.
    Reference:
        Hendrycks & Gimpel 2016, section 2, arXiv:1606.08415. Both forms match torch.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.gelu(rl.tensor([-1.0, 0.0, 1.0]))
        tensor([-0.1587,  0.0000,  0.8413])
    """

    name = "gelu"
    batched = "front"
    torch = "gelu(Tensor input, *, str approximate='none') -> Tensor"
    module = "nn.functional"
    attrs = ("approximate",)
    ulp = 8

    def __call__(self, x: Node, *, approximate: str = "none") -> Node:
        if approximate not in ("none", "tanh"):
            raise OperationError("gelu", "approximate argument must be either none or tanh.")
        if not x.dtype.is_floating_point:
            name = ops.TORCH_NAMES[x.dtype.name]
            raise NoKernelError("gelu", f'"GeluKernelImpl" not implemented for {name}')
        return self.record((x,), approximate)

    def infer(self, x: Spec, *, approximate: str) -> Spec:
        return x

    def vjp(self, g: Node, y: Node, x: Node, *, approximate: str) -> tuple[Node | None, ...]:
        if approximate == "none":
            density = ops.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
            return (g * ((ops.erf(x * _ROOT_HALF) + 1) * 0.5 + x * density),)
        square = x * x
        t = ops.tanh(x * (square * _TANH_CUBE + 1) * _TANH_SCALE)
        slope = (square * (3 * _TANH_CUBE) + 1) * _TANH_SCALE
        return (g * ((t + 1) * 0.5 + x * (1 - t * t) * slope * 0.5),)

    def element(self, b: Any, index: Any, x: Any, *, approximate: str) -> Any:
        x = x.at(*index)
        if approximate == "none":
            curve = b.erf(b.mul(x, _ROOT_HALF))
        else:
            cube = b.mul(b.mul(b.mul(_TANH_CUBE, x), x), x)
            curve = b.tanh(b.mul(_TANH_SCALE, b.add(x, cube)))
        return b.mul(b.mul(x, 0.5), b.add(1, curve))

    def ref(self, x: Any, *, approximate: str) -> Any:
        if approximate == "none":
            return x * 0.5 * (1 + erf_values(x * _ROOT_HALF))
        return x * 0.5 * (1 + np.tanh(_TANH_SCALE * (x + _TANH_CUBE * x * x * x)))

    def onnx(self, to: Any, x: Any, *, approximate: str) -> Any:
        return to("Gelu", x, approximate=approximate) if to.opset >= 20 else None

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-4, high=4)
        yield make(4, 3).T, {"approximate": "tanh"}
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2), approximate="x"), RuntimeError, "either none or tanh"
        yield lambda: make.call(make.int(2)), RuntimeError, "not implemented for 'Long'"


gelu = Gelu()
