"""Steps of optimizers that treat a parameter as a matrix, as single operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Variadic
from rushlight.graph.spec import Spec

from .update import Update


class AdafactorStep(Update):
    """Adafactor: the mean squares of a matrix are kept as those of its rows and of its columns.

    The states are these two, or the mean squares themselves of parameters with fewer than two
    dimensions (not ``factored``).
    """

    name = "adafactor_step"
    attrs = ("count", "factored", "decays", "maximize")
    scalars = ("rate", "weight", "eps1", "eps2", "d", "decay")

    def rule(
        self, xp: Any, p: Any, g: Any, *means: Any,
        rate: Any, weight: Any, eps1: Any, eps2: Any, d: Any, decay: Any,
        factored: bool, decays: bool, maximize: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        g = -g if maximize else g
        rate = rate * xp.maximum(eps2, _root_mean_square(xp, p))
        p = p * decay if decays else p
        square = g * g
        if factored:
            rows = xp.lerp(means[0], xp.mean(square, (g.ndim - 1,)), weight)
            columns = xp.lerp(means[1], xp.mean(square, (g.ndim - 2,)), weight)
            means = rows, columns
            variance = rows * columns / xp.maximum(xp.mean(rows, (g.ndim - 2,)), eps1)
        else:
            variance = xp.lerp(means[0], square, weight)
            means = (variance,)
        change = g / xp.sqrt(xp.maximum(variance, eps1 * eps1))
        clipped = xp.maximum(_root_mean_square(xp, change) / d, 1.0)
        return p - rate / clipped * change, *means

    def infer(self, specs: Any, **attrs: Any) -> tuple[Spec, ...]:
        if any(spec.dtype.is_complex for spec in specs):
            raise OperationError(self.name, "Adafactor does not support complex parameters")
        return super().infer(specs, **attrs)

    def state(self, value: Spec, place: int) -> Spec:
        return value if value.ndim < 2 else value.with_shape(kept_shape(value.shape, place))

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.6, 1e-7, 1e-3, 1.0, 0.75)
        form = {"count": 1, "factored": True, "decays": False, "maximize": False}
        state = make(3, 1, low=0.5), make(1, 4, low=0.5)
        yield *numbers, make(3, 4), make(3, 4), *state, form
        state = make(2, 3, 1, low=0.5), make(2, 1, 4, low=0.5)
        form = {"count": 1, "factored": True, "decays": True, "maximize": True}
        yield *numbers, make(2, 3, 4), make(2, 3, 4), *state, form
        state = make(3, low=0.5), make(low=0.5)
        form = {"count": 2, "factored": False, "decays": True, "maximize": False}
        yield *numbers, make(3), make(), make(3), make(), *state, form


def kept_shape(shape: tuple[int, ...], place: int) -> tuple[int, ...]:
    """The shape of a matrix's mean squares, of its rows at place 0 and of its columns at 1."""
    last = len(shape) - 1 - place
    return (*shape[:last], 1, *shape[last + 1 :])


def _root_mean_square(xp: Any, x: Any) -> Any:
    dims = tuple(range(x.ndim))
    return xp.sqrt(xp.mean(x * x, dims) if dims else x * x)


class MuonStep(Update):
    """Muon: momentum made orthogonal, by Newton and Schulz's iteration in bfloat16.

    ``adjust`` is how the rate follows a matrix's shape, ``turns`` how often the iteration goes
    round.
    """

    name = "muon_step"
    attrs = ("count", "nesterov", "turns", "adjust")
    scalars = ("lr", "momentum", "weight", "shrink", "eps", "a", "b", "c")

    def rule(
        self, xp: Any, p: Any, g: Any, buffer: Any, *,
        lr: Any, momentum: Any, weight: Any, shrink: Any, eps: Any, a: Any, b: Any, c: Any,
        nesterov: bool, turns: int, adjust: str,
    ) -> tuple[Any, ...]:  # fmt: skip
        buffer = xp.lerp(buffer, g, weight)
        change = xp.lerp(g, buffer, momentum) if nesterov else buffer
        change = _orthogonal(xp, change, turns, eps, (a, b, c))
        return p * shrink - lr * _share(p.shape, adjust) * change, buffer

    def infer(self, specs: Any, *, count: int, **attrs: Any) -> tuple[Spec, ...]:
        made = super().infer(specs, count=count, **attrs)
        for value in made[:count]:
            if value.dtype.is_complex:
                raise OperationError(self.name, "Muon does not support complex parameters")
            if value.ndim != 2:
                raise ShapeError(self.name, f"a parameter is no matrix: {value}")
        return made

    def samples(self, make: Any) -> Iterator[Any]:
        numbers = (0.01, 0.95, 0.05, 0.999, 1e-7, 3.4445, -4.775, 2.0315)
        for adjust, nesterov, shape in (
            ("original", True, (3, 4)), ("match_rms_adamw", False, (4, 3)), ("", True, (2, 2)),
        ):  # fmt: skip
            form = {"count": 1, "nesterov": nesterov, "turns": 2, "adjust": adjust}
            yield *numbers, make(*shape), make(*shape), make(*shape), form


def _orthogonal(xp: Any, x: Any, turns: int, eps: Any, coefficients: tuple[Any, Any, Any]) -> Any:
    """A matrix with the singular vectors of ``x`` and singular values near 1."""
    a, b, c = coefficients
    high = x.shape[0] > x.shape[1]
    x = xp.bfloat16(_turned(x) if high else x)
    length = xp.bfloat16(xp.sqrt(x.shape[0] * x.shape[1] * xp.mean(x * x, (0, 1))))
    x = xp.bfloat16(x / xp.maximum(length, eps))
    for _ in range(turns):
        gram = xp.bfloat16(xp.matmul(x, _turned(x)))
        change = xp.bfloat16(b * gram + c * xp.matmul(gram, gram))
        x = xp.bfloat16(a * x + xp.matmul(change, x))
    return _turned(x) if high else x


def _turned(x: Any) -> Any:
    return ops.transpose(x, 0, 1) if isinstance(x, Node) else x.T


def _share(shape: tuple[int, ...], adjust: str) -> float:
    """What the rate of a matrix is multiplied by."""
    rows, columns = shape
    if adjust == "original":
        return float(max(1, rows / columns) ** 0.5)
    return float(0.2 * max(rows, columns) ** 0.5) if adjust == "match_rms_adamw" else 1.0


class QuasiNewtonDirection(Variadic):
    """The direction of L-BFGS: minus the gradient times an estimate of the inverse Hessian.

    The inputs are the gradient, the estimate's scale, then ``count`` changes of the gradient, as
    many changes of the parameters and the reciprocals of their products. The results are the
    direction and the coefficients of the first loop. NumPy computes it: how long the chain of
    products is changes from step to step, and kernels of each length would cost more than they
    save.

    Reference:
        Nocedal & Wright 2006, Algorithm 7.4.
    """

    name = "quasi_newton_direction"
    attrs = ("count",)
    differentiable = False

    def __call__(self, *inputs: Node) -> tuple[Node, ...]:
        return ops.parts(self.record(inputs, (len(inputs) - 2) // 3))

    def infer(self, specs: Any, *, count: int) -> tuple[Spec, ...]:
        return (specs[0], *specs[2 + 2 * count :])

    def ref(self, arrays: Any, *, count: int) -> tuple[Any, ...]:
        gradient, scale, *past = arrays
        changes, moves, weights = past[:count], past[count : 2 * count], past[2 * count :]
        q, shares = -gradient, [None] * count
        for i in reversed(range(count)):
            shares[i] = np.dot(moves[i], q) * weights[i]
            q = q - shares[i] * changes[i]
        q = q * scale
        for i in range(count):
            q = q + (shares[i] - np.dot(changes[i], q) * weights[i]) * moves[i]
        return (q, *shares)


adafactor_step = AdafactorStep()
muon_step = MuonStep()
quasi_newton_direction = QuasiNewtonDirection()
