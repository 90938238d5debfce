"""Losses that are the negative log likelihood of a distribution a model predicts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import ArgValueError
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .loss import REDUCTIONS, reduction_of
from .margin import MarginLoss, reduced


class PoissonNllLoss(MarginLoss):
    r"""Negative log likelihood of counts under a Poisson distribution.

    .. math:: e^x - t x \quad\text{or, without log\_input,}\quad x - t \log(x + \epsilon)

    Args:
        log_input: whether the input is the logarithm of the expected count.
        full: whether the rest of the likelihood is added, as Stirling's formula has it.
        eps: added to the input before its logarithm is taken.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
    Shape:
        input (*); target the same; output (), or (*) with ``"none"``.
    Raises:
        RuntimeError: shapes do not broadcast.
        ValueError: another ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.poisson_nll_loss(rl.tensor([0.0, 1.0]), rl.tensor([1.0, 2.0]))
        tensor(0.8591)
    """

    autocast = "wide"
    name = "poisson_nll_loss"
    torch = (
        "poisson_nll_loss(Tensor input, Tensor target, bool log_input=True, bool full=False,"
        " bool? size_average=None, float eps=1e-08, bool? reduce=None, str reduction='mean')"
        " -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, log_input: bool = True, full: bool = False,
        size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
        reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        losses = ops.exp(x) - target * x if log_input else x - target * ops.log(x + eps)
        if full:
            losses = losses + _log_factorial(target)
        return reduced(losses, reduction)

    def samples(self, make: Any) -> Any:
        target = make(3, 4, low=2, high=6)
        for reduction in REDUCTIONS:
            yield make(3, 4), target, {"reduction": reduction}
        yield make(3, 4, low=0.1), target, False, True
        yield make(3, 4), make.int(3, 4, low=0, high=4), True, True
        yield make(0), make(0), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), make(2)), RuntimeError, "must match the size"


def _log_factorial(count: Node) -> Node:
    """Stirling's approximation of ``log(count!)``, which is 0 for 0 and 1."""
    large = count > 1
    count = ops.where(large, count, 1)
    value = count * ops.log(count) - count + 0.5 * ops.log(2 * math.pi * count)
    return ops.where(large, value, 0.0)  # type: ignore[no-any-return]


class LeastVariance(Op):
    """A variance, raised to a least value that its gradient does not notice."""

    name = "least_variance"

    def infer(self, var: Spec, least: Spec) -> Spec:
        return var

    def vjp(self, g: Node, y: Node, var: Node, least: Node) -> tuple[Node | None, ...]:
        return g, None

    def ref(self, var: Any, least: Any) -> Any:
        if np.any(var < 0):
            raise ArgValueError("gaussian_nll_loss", "var has negative entry/entries")
        return np.maximum(var, least)

    def element(self, b: Any, index: Any, var: Any, least: Any) -> Any:
        number = var.at(*index)
        return b.maximum(b.checked(number, b.not_(b.lt(number, 0))), least.at())


class GaussianNllLoss(MarginLoss):
    r"""Negative log likelihood under a normal distribution whose variance is predicted too.

    .. math:: \tfrac12 \left(\log v + \frac{(x - t)^2}{v}\right), \quad v = \max(var, \epsilon)

    Args:
        var: the variances, or one number.
        full: whether the constant :math:`\tfrac12 \log 2 \pi` is added.
        eps: the least variance.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
    Shape:
        input (N, *); target the same or what broadcasts with it; var the same, or without the
        last dimension, or with 1 there; output (), or that of input with ``"none"``.
    Raises:
        ValueError: a variance is negative, ``var`` has another shape, or another ``reduction``.
    Reference:
        Nix & Weigend 1994, "Estimating the mean and variance of the target probability
        distribution".
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([0.0, 1.0]), rl.tensor([1.0, 1.0])
        >>> rl.nn.functional.gaussian_nll_loss(x, t, rl.ones(2))
        tensor(0.2500)
    """

    name = "gaussian_nll_loss"
    torch = (
        "gaussian_nll_loss(Tensor input, Tensor target, Any var, bool full=False,"
        " float eps=1e-06, str reduction='mean') -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, var: Node | float, full: bool = False, eps: float = 1e-6,
        reduction: str = "mean",
    ) -> Node:  # fmt: skip
        if reduction not in REDUCTIONS:
            raise ArgValueError(self.name, f"{reduction} is not valid")
        if isinstance(var, Node):
            var = self._fitted(var, x)
        elif var < 0:
            raise ArgValueError(self.name, "var has negative entry/entries")
        else:
            var = ops.full(x.shape, var, x.dtype)
        var = least_variance.record((var, number(float(eps), var.dtype)))
        difference = x - target
        losses = 0.5 * (ops.log(var) + difference * difference / var)
        return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)

    def _fitted(self, var: Node, x: Node) -> Node:
        """The variances in a shape that broadcasts with the input's."""
        if var.shape == x.shape:
            return var
        if x.ndim and var.shape == x.shape[:-1]:
            return ops.unsqueeze(var, -1)
        if var.ndim == x.ndim:
            different = [v for n, v in zip(x.shape, var.shape, strict=True) if n != v]
            if sum(different) == 1:  # the same along one dimension
                return var
        raise ArgValueError(self.name, "var is of incorrect size")

    def samples(self, make: Any) -> Any:
        for reduction in REDUCTIONS:
            yield make(3, 4), make(3, 4), make(3, 4, low=0.5), {"reduction": reduction}
        yield make(3, 4), make(3, 4), make(3, low=0.5), True
        yield make(3, 4), make(3, 4), make(3, 1, low=0.5), {"eps": 1e-3}
        yield make(2, 3, 4), make(2, 3, 4), make(2, 1, 4, low=0.5)
        yield make(3, 4), make(1, 4), 2.0
        yield make(0, 4), make(0, 4), make(0, 4), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(3, 2)
        yield lambda: call(x, x, make(2)), ValueError, "var is of incorrect size"
        yield lambda: call(x, x, make(3, 1, low=-2, high=-1)), ValueError, "var has negative entry"
        yield lambda: call(x, x, -1.0), ValueError, "var has negative entry"
        yield lambda: call(x, x, make(3, 2), reduction="all"), ValueError, "all is not valid"


poisson_nll_loss = PoissonNllLoss()
least_variance = LeastVariance()
gaussian_nll_loss = GaussianNllLoss()
