"""Activation functions.

Coarse where PyTorch's ``grad_fn`` has a name for it and the gradient has a short form; numbers such
as a slope are inputs, so that changing one makes no new program.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS, INTEGERS, DType
from rushlight.base.errors import NoKernelError, OperationError
from rushlight.graph.node import Node

from .binary import Arithmetic
from .elementwise import Elementwise
from .special import sigmoid_values
from .unary import Unary


class Relu(Unary):
    """``max(input, 0)``; a NaN stays one."""

    name = "relu"
    torch = "relu(Tensor self) -> Tensor"
    dtypes = (*FLOATS, *INTEGERS)
    onnx = "Relu"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        # From the output, so that the input need not be kept.
        return (gate.pair(g, y),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.maximum(x, 0)

    def ref(self, x: Any) -> Any:
        return np.maximum(x, 0)


class Gate(Arithmetic):
    """The first input where the second is positive or a NaN, else 0: the gradient of ``relu``."""

    name = "gate"
    dtypes = FLOATS

    def vjp(self, g: Node, y: Node, x: Node, by: Node) -> tuple[Node | None, ...]:
        return gate.pair(g, by), None

    def lower(self, b: Any, x: Any, by: Any) -> Any:
        return b.select(b.le(by, 0), 0, x)

    def ref(self, x: Any, by: Any) -> Any:
        return np.where(by <= 0, x.dtype.type(0), x)


class Activation(Elementwise):
    """An activation of ``torch.nn.functional``, maybe with numbers beside the input. Abstract."""

    module = "nn.functional"
    dtypes: ClassVar[tuple[DType, ...]] = FLOATS
    inplace = False

    def on(self, x: Node, *numbers: Any) -> Any:
        """Records the activation of ``x``, which has a type that is taken already."""
        if x.__class__ is Node and x.dtype not in self.dtypes:
            shown = ops.TORCH_NAMES[x.dtype.name]
            raise NoKernelError(self.name, f'"{self.name}_cpu" not implemented for {shown}')
        return Elementwise.__call__(self, x, *numbers)

    def __call__(self, x: Any) -> Any:
        return self.on(x)

    def samples(self, make: Any) -> Any:
        yield make(3, 4, low=-4, high=4)
        yield make(4, 3).T
        yield make()
        yield make(0)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call("x"), TypeError, "must be Tensor, not str"
        yield lambda: make.call(make.int(3)), RuntimeError, "not implemented for 'Long'"


class LeakyRelu(Activation):
    """``input`` where positive, ``negative_slope * input`` elsewhere."""

    name, joint = "leaky_relu", True
    torch = "leaky_relu(Tensor input, Scalar negative_slope=0.01, bool inplace=False) -> Tensor"

    def __call__(self, x: Any, slope: Any = 0.01) -> Any:
        return self.on(x, slope)

    def vjp(self, g: Node, y: Node, x: Node, slope: Node) -> tuple[Node | None, ...]:
        return ops.where(x > 0, g, g * slope), None

    def lower(self, b: Any, x: Any, slope: Any) -> Any:
        return b.select(b.gt(x, 0), x, b.mul(x, slope))

    def ref(self, x: Any, slope: Any) -> Any:
        return np.where(x > 0, x, x * slope)

    def onnx(self, to: Any, x: Any, slope: Any) -> Any:
        return to("LeakyRelu", x, alpha=float(to.number(slope)))


class Elu(Activation):
    """``input`` where positive, ``alpha * (exp(input) - 1)`` elsewhere.

    Reference: Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289.
    """

    name = "elu"
    torch = "elu(Tensor input, Scalar alpha=1.0, bool inplace=False) -> Tensor"

    def __call__(self, x: Any, alpha: Any = 1.0) -> Any:
        return self.on(x, alpha)

    def vjp(self, g: Node, y: Node, x: Node, alpha: Node) -> tuple[Node | None, ...]:
        return ops.where(x > 0, g, g * alpha * ops.exp(x)), None

    def lower(self, b: Any, x: Any, alpha: Any) -> Any:
        return b.select(b.gt(x, 0), x, b.mul(alpha, b.expm1(b.minimum(x, 0))))

    def ref(self, x: Any, alpha: Any) -> Any:
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))

    def onnx(self, to: Any, x: Any, alpha: Any) -> Any:
        return to("Elu", x, alpha=float(to.number(alpha)))


# Klambauer et al. 2017, "Self-Normalizing Neural Networks", arXiv:1706.02515, equation 14.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


class Selu(Activation):
    """A scaled ``elu`` whose outputs keep mean 0 and variance 1.

    Reference: Klambauer et al. 2017, arXiv:1706.02515.
    """

    name, backward = "selu", "Elu"
    torch = "selu(Tensor input, bool inplace=False) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        slope = ops.where(x > 0, SELU_SCALE, ops.exp(x) * (SELU_ALPHA * SELU_SCALE))
        return (g * slope,)

    def lower(self, b: Any, x: Any) -> Any:
        negative = b.mul(SELU_ALPHA, b.expm1(b.minimum(x, 0)))
        return b.mul(SELU_SCALE, b.select(b.gt(x, 0), x, negative))

    def ref(self, x: Any) -> Any:
        negative = SELU_ALPHA * np.expm1(np.minimum(x, 0))
        return x.dtype.type(SELU_SCALE) * np.where(x > 0, x, negative)

    def onnx(self, to: Any, x: Any) -> Any:
        return to("Selu", x)


class Celu(Activation):
    """``elu`` with a continuous slope: ``alpha * (exp(input / alpha) - 1)`` where negative.

    Reference: Barron 2017, arXiv:1704.07483.
    """

    name = "celu"
    torch = "celu(Tensor input, Scalar alpha=1.0, bool inplace=False) -> Tensor"

    def __call__(self, x: Any, alpha: Any = 1.0) -> Any:
        if alpha == 0:
            raise OperationError("celu", "ZeroDivisionError: alpha cannot be 0 for CELU")
        return self.on(x, alpha)

    def vjp(self, g: Node, y: Node, x: Node, alpha: Node) -> tuple[Node | None, ...]:
        return ops.where(x > 0, g, g * ops.exp(x / alpha)), None

    def lower(self, b: Any, x: Any, alpha: Any) -> Any:
        negative = b.mul(alpha, b.expm1(b.div(b.minimum(x, 0), alpha)))
        return b.select(b.gt(x, 0), x, negative)

    def ref(self, x: Any, alpha: Any) -> Any:
        return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(2), 0.0), RuntimeError, "alpha cannot be 0"


class Silu(Activation):
    """``input * sigmoid(input)``.

    Reference: Hendrycks & Gimpel 2016, arXiv:1606.08415; Ramachandran et al. 2017,
    arXiv:1710.05941.
    """

    name = "silu"
    torch = "silu(Tensor input, bool inplace=False) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        s = ops.sigmoid(x)
        return (g * s * (x * (1 - s) + 1),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.mul(x, b.sigmoid(x))

    def ref(self, x: Any) -> Any:
        return x * sigmoid_values(x)


class Mish(Activation):
    """``input * tanh(softplus(input))``.

    Reference: Misra 2019, arXiv:1908.08681.
    """

    name = "mish"
    torch = "mish(Tensor input, bool inplace=False) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        t = ops.tanh(ops.softplus(x))
        return (g * (t + x * ops.sigmoid(x) * (1 - t * t)),)

    def lower(self, b: Any, x: Any) -> Any:
        tail = b.log1p(b.exp(b.neg(b.abs(x))))
        return b.mul(x, b.tanh(b.add(b.maximum(x, 0), tail)))

    def ref(self, x: Any) -> Any:
        return x * np.tanh(np.logaddexp(x, x.dtype.type(0)))

    def onnx(self, to: Any, x: Any) -> Any:
        return to("Mish", x) if to.opset >= 18 else None


class Softplus(Activation):
    """``log(1 + exp(beta * input)) / beta``, the input itself where that is above ``threshold``."""

    name = "softplus"
    torch = "softplus(Tensor input, Scalar beta=1, Scalar threshold=20) -> Tensor"

    def __call__(self, x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
        return self.on(x, float(beta), float(threshold))

    def vjp(
        self, g: Node, y: Node, x: Node, beta: Node, threshold: Node
    ) -> tuple[Node | None, ...]:
        z = x * beta
        return ops.where(z > threshold, g, g * ops.sigmoid(z)), None, None

    def lower(self, b: Any, x: Any, beta: Any, threshold: Any) -> Any:
        z = b.mul(x, beta)
        bent = b.div(b.log1p(b.exp(b.minimum(z, threshold))), beta)
        return b.select(b.gt(z, threshold), x, bent)

    def ref(self, x: Any, beta: Any, threshold: Any) -> Any:
        z = x * beta
        return np.where(z > threshold, x, np.log1p(np.exp(np.minimum(z, threshold))) / beta)


class LogSigmoid(Activation):
    """``log(sigmoid(input))`` without loss of digits."""

    name = "logsigmoid"
    torch = "logsigmoid(Tensor input) -> Tensor"

    def vjp(self, g: Node, y: Node, x: Node) -> tuple[Node | None, ...]:
        return (g * ops.sigmoid(-x),)

    def lower(self, b: Any, x: Any) -> Any:
        return b.sub(b.minimum(x, 0), b.log1p(b.exp(b.neg(b.abs(x)))))

    def ref(self, x: Any) -> Any:
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))

    def grad_name(self, node: Node) -> str:
        return "LogSigmoidBackward0"


class Prelu(Activation):
    """The input where positive, a learned ``weight`` times it elsewhere, one per channel or one.

    Reference: He et al. 2015, arXiv:1502.01852.
    """

    autocast = "lower"
    name, module, backward, joint = "prelu", "", "PreluKernel", True
    torch = "prelu(Tensor self, Tensor weight) -> Tensor"

    def __call__(self, x: Any, weight: Any) -> Any:
        if weight.ndim > 1:
            raise OperationError(
                "prelu",
                "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim ="
                f" {weight.ndim}",
            )
        if weight.spec.numel != 1:
            channels = x.shape[1] if x.ndim > 1 else 1
            if weight.spec.numel != channels:
                raise OperationError(
                    "prelu",
                    "Mismatch of parameter numbers and input channel size. Found parameter numbers"
                    f" = {weight.spec.numel} and channel size = {channels}.",
                )
            weight = ops.reshape(weight, (channels, *(1,) * (x.ndim - 2)))
        elif x.ndim == 0:
            weight = ops.reshape(weight, ())
        return self.on(x, weight)

    def vjp(self, g: Node, y: Node, x: Node, weight: Node) -> tuple[Node | None, ...]:
        positive = x > 0
        return ops.where(positive, g, g * weight), ops.where(positive, 0.0, g * x)

    def lower(self, b: Any, x: Any, weight: Any) -> Any:
        return b.select(b.gt(x, 0), x, b.mul(weight, x))

    def ref(self, x: Any, weight: Any) -> Any:
        return np.where(x > 0, x, weight * x)

    def onnx(self, to: Any, x: Any, weight: Any) -> Any:
        """The weight is one for each channel, in dimension 1."""
        if weight.ndim and x.ndim > 2:
            weight = to("Reshape", weight, [-1, *(1,) * (x.ndim - 2)])
        return to("PRelu", x, weight)

    def samples(self, make: Any) -> Any:
        yield make(2, 3, 4), make(3)
        yield make(2, 3), make(1)
        yield make(0), make(1)

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(2, 3), make(2)), RuntimeError, "Mismatch of parameter numbers"
        yield lambda: make.call(make(2, 3), make(1, 3)), RuntimeError, "ndim = 2"


relu = Relu()
gate = Gate()
leaky_relu = LeakyRelu()
elu = Elu()
selu = Selu()
celu = Celu()
silu = Silu()
mish = Mish()
softplus = Softplus()
logsigmoid = LogSigmoid()
prelu = Prelu()
