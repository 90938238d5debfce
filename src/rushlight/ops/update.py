"""A whole optimizer step on a group of parameters as one operation.

Every number that changes from step to step (the rate, the bias corrections, the decay) is an input,
so that no step is another program than the one before. Attributes hold what decides the form of the
computation. The rule of an algorithm is written once, for one parameter: on NumPy arrays it is the
reference, on nodes it is the step that gradients flow through (``differentiable=True``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import bfloat16
from rushlight.base.errors import DTypeError, MissingError, ShapeError
from rushlight.base.half import rounded
from rushlight.graph.node import Node, number
from rushlight.graph.op import Variadic
from rushlight.graph.spec import Spec


class OnArrays:
    """What a rule needs beyond the operators, for NumPy arrays."""

    sqrt = staticmethod(np.sqrt)
    abs = staticmethod(np.abs)
    maximum = staticmethod(np.maximum)
    clip = staticmethod(np.clip)
    where = staticmethod(np.where)
    matmul = staticmethod(np.matmul)

    @staticmethod
    def detach(x: Any) -> Any:
        """``x``, which has no history."""
        return x

    @staticmethod
    def sign(x: Any) -> Any:
        """-1, 0 or 1; 0 for a NaN."""
        return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)

    @staticmethod
    def mean(x: Any, dims: tuple[int, ...]) -> Any:
        """The mean over some dimensions, which stay with size 1."""
        return ops.mean.ref(x, dims=dims, keepdim=True)

    @staticmethod
    def bfloat16(x: Any) -> Any:
        """Rounded to what bfloat16 holds, as numbers of the same dtype."""
        return rounded(x, bfloat16).astype(x.dtype)

    @staticmethod
    def lerp(start: Any, end: Any, weight: Any) -> Any:
        """``start`` to ``end``, written so that weight 0 gives the one and 1 the other exactly."""
        if abs(weight) < 0.5:
            return start + weight * (end - start)
        return end - (end - start) * (1 - weight)


class OnNodes:
    """The same for nodes."""

    @staticmethod
    def sqrt(x: Any) -> Any:
        return ops.sqrt(x)

    @staticmethod
    def abs(x: Any) -> Any:
        return ops.abs(x)

    @staticmethod
    def maximum(x: Any, y: Any) -> Any:
        return ops.maximum(x, y)

    @staticmethod
    def clip(x: Any, low: Any, high: Any) -> Any:
        return ops.clamp(x, low, high)

    @staticmethod
    def where(condition: Any, x: Any, y: Any) -> Any:
        return ops.where(condition, x, y)

    @staticmethod
    def matmul(x: Any, y: Any) -> Any:
        return ops.matmul(x, y)

    @staticmethod
    def detach(x: Any) -> Any:
        return ops.detach(x)

    @staticmethod
    def sign(x: Any) -> Any:
        return ops.sign(x)

    @staticmethod
    def mean(x: Any, dims: tuple[int, ...]) -> Any:
        return ops.mean(x, dims, True)

    @staticmethod
    def bfloat16(x: Any) -> Any:
        return ops.cast(ops.cast(x, bfloat16), x.dtype)

    @staticmethod
    def lerp(start: Any, end: Any, weight: Any) -> Any:
        return ops.lerp(start, end, weight)


class Update(Variadic):
    """One step of an optimizer on a group of parameters. Abstract.

    The inputs are the numbers named by ``scalars``, then the value of each of ``count``
    parameters, the gradient of each, and each kind of state, of each. The results are the new
    values, then the new states, in the same order.

    Attributes:
        scalars: names of the numbers.
    """

    differentiable = False
    scalars: ClassVar[tuple[str, ...]] = ()

    def rule(self, xp: Any, *row: Any, **given: Any) -> tuple[Any, ...]:
        """The new value and the new states of one parameter.

        Args:
            xp: :class:`OnArrays` or :class:`OnNodes`.
            row: the parameter's value, its gradient and its states.
            given: the numbers and the attributes, by name.
        """
        raise NotImplementedError

    def __call__(self, *inputs: Any, **attrs: Any) -> Node:
        nodes = tuple(x if isinstance(x, Node) else number(float(x)) for x in inputs)
        return self.record(nodes, *(attrs[name] for name in self.attrs))

    def infer(self, specs: Any, *, count: int, **attrs: Any) -> tuple[Spec, ...]:
        values, *others = self._columns(specs, count)
        kept: list[Spec] = []
        for place, column in enumerate(others):
            fitting = values if place == 0 else [self.state(x, place - 1) for x in values]
            kept += fitting
            for index, (fit, other) in enumerate(zip(fitting, column, strict=True)):
                if other is not fit:
                    self._refuse(index, fit, other, is_gradient=place == 0)
        for value in values:
            if not value.dtype.is_differentiable:
                raise DTypeError(
                    self.name,
                    "For integral input tensors, argument alpha must not be a floating point "
                    f"number: a parameter is {value.dtype}.",
                    hint="An optimizer steps floating point and complex parameters.",
                )
        return tuple(kept)  # the values, which are as the gradients, and the states

    def state(self, value: Spec, place: int) -> Spec:
        """What the kind of state at some place is for a parameter of a type: as the parameter."""
        return value

    def _refuse(self, index: int, value: Spec, other: Spec, *, is_gradient: bool) -> None:
        fault = ShapeError if value.shape != other.shape else DTypeError
        raise fault(
            self.name,
            f"{'the gradient' if is_gradient else 'a state'} of parameter {index} is {other}, "
            f"but must be {value}.",
            rule="Parameter, gradient and state must fit in shape, dtype and device.",
            hint="" if is_gradient else "After changing a parameter's type make a new optimizer.",
        )

    def _columns(self, inputs: Sequence[Any], count: int) -> list[Sequence[Any]]:
        """Values, gradients, then each kind of state, of all parameters."""
        first = len(self.scalars)
        return [inputs[i : i + count] for i in range(first, len(inputs), count)]

    def ref(self, arrays: Any, *, count: int, **attrs: Any) -> tuple[Any, ...]:
        numbers = arrays[: len(self.scalars)]
        rows = zip(*self._columns(arrays, count), strict=True)
        done = [self._stepped(row, numbers, attrs) for row in rows]
        return tuple(chain.from_iterable(zip(*done, strict=True)))

    def _stepped(self, row: Any, numbers: Any, attrs: dict[str, Any]) -> list[Any]:
        """The rule on one parameter's arrays; the parts of complex numbers are stepped apart."""
        shape, dtype = row[0].shape, row[0].dtype
        if dtype.kind == "c":
            row = [x.reshape(-1).view(x.real.dtype) for x in row]
        kind = row[0].dtype.type
        given = {name: kind(x) for name, x in zip(self.scalars, numbers, strict=True)}
        done = self.rule(OnArrays, *row, **given, **attrs)
        return [np.asarray(x).view(dtype).reshape(shape) if dtype.kind == "c" else x for x in done]

    def parts(self, several: Node) -> list[Node]:
        """The results of a recorded step, which no gradient flows through."""
        part, site = ops.part, several.site
        specs: Any = several.spec
        return [Node(part, (several,), (i,), spec, False, site) for i, spec in enumerate(specs)]

    def before(self, several: Node, index: int) -> Node:
        """The input that result ``index`` of a recorded step is the new value of."""
        count: int = several.attrs[0]  # type: ignore[assignment]
        gradients = 0 if index < count else count
        return several.inputs[len(self.scalars) + gradients + index]

    def expand(self, *inputs: Any, count: int, **attrs: Any) -> tuple[Node, ...]:
        """The same step recorded as ordinary operations, through which gradients flow.

        Args:
            inputs: as for recording, with numbers either plain or nodes. Nodes are rounded to the
                parameter's type before anything is computed with them, as by the reference.
        Raises:
            NotImplementedError: a parameter is complex.
        """
        numbers = inputs[: len(self.scalars)]
        columns = self._columns(inputs, count)
        if any(value.dtype.is_complex for value in columns[0]):
            raise MissingError(
                self.name, "differentiable=True with complex parameters is not there yet"
            )
        done = []
        for row in zip(*columns, strict=True):
            fitted = [ops.cast(x, row[0].dtype) if isinstance(x, Node) else x for x in numbers]
            given = dict(zip(self.scalars, fitted, strict=True))
            done.append(self.rule(OnNodes, *row, **given, **attrs))
        return tuple(chain.from_iterable(zip(*done, strict=True)))

    def errors(self, make: Any) -> Iterator[Any]:
        sample: Any = next(iter(self.samples(make)))
        *inputs, attrs = sample
        gradient = len(self.scalars) + attrs["count"]
        inputs[gradient] = make(7)
        found = r"the gradient of parameter 0 is f32\[7\]"
        yield lambda: self(*inputs, **attrs), RuntimeError, found


class SGDStep(Update):
    """Stochastic gradient descent; with ``momenta`` by a buffer of the gradients so far.

    In the ``first`` step the buffer given is not read: it becomes the gradient.
    """

    name = "sgd_step"
    attrs = ("count", "decays", "momenta", "nesterov", "maximize", "first")
    scalars = ("lr", "decay", "momentum", "undamped")

    def rule(
        self, xp: Any, p: Any, g: Any, buffer: Any = None, *,
        lr: Any, decay: Any, momentum: Any, undamped: Any,
        decays: bool, momenta: bool, nesterov: bool, maximize: bool, first: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        g = g + decay * p if decays else g
        if not momenta:
            return (p + -lr * g,)
        # PyTorch lets no gradient flow through the first buffer.
        buffer = xp.detach(g) if first else buffer * momentum + undamped * g
        g = g + momentum * buffer if nesterov else buffer
        return p + -lr * g, buffer

    def samples(self, make: Any) -> Iterator[Any]:
        plain = {"decays": False, "momenta": False, "nesterov": False, "maximize": False}
        yield 0.1, 0.0, 0.0, 1.0, make(3, 4), make(3, 4), {"count": 1, "first": False, **plain}
        full = dict.fromkeys(plain, True)
        two = (make(2, 3), make(), make(2, 3), make(), make(2, 3), make())
        yield 0.1, 0.2, 0.9, 1.0, *two, {"count": 2, "first": False, **full}
        yield 0.1, 0.2, 0.9, 0.5, make(0), make(0), make(0), {"count": 1, "first": True, **full}


class AdamStep(Update):
    """Adam, and AdamW with ``decays="weight"``.

    ``decays`` is ``"gradient"`` where ``decay`` times the value is added to the gradient, and
    ``"weight"`` where the value is multiplied by ``decay``, then ``1 - lr * weight_decay``.
    """

    name = "adam_step"
    attrs = ("count", "decays", "amsgrad", "maximize")
    scalars = ("step_size", "correction", "weight1", "beta2", "weight2", "eps", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, average: Any, square: Any, top: Any = None, *,
        step_size: Any, correction: Any, weight1: Any, beta2: Any, weight2: Any, eps: Any,
        decay: Any, decays: str, amsgrad: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        if decays == "weight":
            p = p * decay
        elif decays == "gradient":
            g = g + decay * p
        average = xp.lerp(average, g, weight1)
        square = square * beta2 + weight2 * g * g
        if not amsgrad:
            scale = xp.sqrt(square) / correction + eps
            return p + -step_size * average / scale, average, square
        top = xp.maximum(top, square)
        scale = xp.sqrt(top) / correction + eps
        return p + -step_size * average / scale, average, square, top

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.5, 0.1, 0.999, 0.001, 1e-8, 0.9)
        form = {"decays": "", "amsgrad": False, "maximize": False}
        yield *numbers, make(3, 4), make(3, 4), make(3, 4), make(3, 4, low=0), {"count": 1, **form}
        form = {"decays": "gradient", "amsgrad": True, "maximize": True}
        squares = [make(2, low=0), make(low=0), make(2, low=0), make(low=0)]
        yield *numbers, *(make(2), make()) * 3, *squares, {"count": 2, **form}
        form = {"decays": "weight", "amsgrad": False, "maximize": False}
        yield *numbers, make(0), make(0), make(0), make(0), {"count": 1, **form}


class RMSpropStep(Update):
    """RMSprop: the gradient over the root of its mean square, or of its variance if ``centered``.

    The states are the mean square, then with ``momenta`` the momentum's buffer, then with
    ``centered`` the mean gradient.
    """

    name = "rmsprop_step"
    attrs = ("count", "decays", "momenta", "centered", "maximize")
    scalars = ("lr", "alpha", "weight", "eps", "decay", "momentum")

    def rule(
        self, xp: Any, p: Any, g: Any, square: Any, *state: Any,
        lr: Any, alpha: Any, weight: Any, eps: Any, decay: Any, momentum: Any,
        decays: bool, momenta: bool, centered: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        g = g + decay * p if decays else g
        square = square * alpha + weight * g * g
        variance: Any = square
        means: tuple[Any, ...] = ()
        if centered:
            mean = xp.lerp(state[-1], g, weight)
            variance, means = square - mean * mean, (mean,)
        scale = xp.sqrt(variance) + eps
        if not momenta:
            return p + -lr * g / scale, square, *means
        buffer = state[0] * momentum + g / scale
        return p + -lr * buffer, square, buffer, *means

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.99, 0.01, 1e-8, 0.1, 0.9)
        plain = {"decays": False, "momenta": False, "centered": False, "maximize": False}
        yield *numbers, make(3, 4), make(3, 4), make(3, 4, low=0), {"count": 1, **plain}
        full = dict.fromkeys(plain, True)
        # The mean square is above the square of the mean, as it is in a run.
        state = make(2, 3, low=4, high=9), make(2, 3), make(2, 3)
        yield *numbers, make(2, 3), make(2, 3), *state, {"count": 1, **full}
        yield *numbers, *(make(0) for _ in range(5)), {"count": 1, **full}


class AdagradStep(Update):
    """Adagrad: the gradient over the root of the sum of all squares so far."""

    name = "adagrad_step"
    attrs = ("count", "decays", "maximize")
    scalars = ("lr", "eps", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, total: Any, *,
        lr: Any, eps: Any, decay: Any, decays: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        g = g + decay * p if decays else g
        total = total + g * g
        return p + -lr * g / (xp.sqrt(total) + eps), total

    def samples(self, make: Any) -> Iterator[Any]:
        plain = {"decays": False, "maximize": False}
        yield 0.1, 1e-10, 0.0, make(3, 4), make(3, 4), make(3, 4, low=0), {"count": 1, **plain}
        full = {"decays": True, "maximize": True}
        two = make(2, 3), make(0), make(2, 3), make(0), make(2, 3, low=0), make(0)
        yield 0.1, 1e-10, 0.5, *two, {"count": 2, **full}


sgd_step = SGDStep()
adam_step = AdamStep()
rmsprop_step = RMSpropStep()
adagrad_step = AdagradStep()
