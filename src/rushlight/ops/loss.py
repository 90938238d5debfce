"""Losses that compare an input with a target, element by element."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base import shapes
from rushlight.base.dtypes import COMPLEX, FLOATS, DType
from rushlight.base.errors import ArgValueError, GradError, NoKernelError, OperationError
from rushlight.base.promotion import Operand, result_type
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .origin import tell_of_sizes

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(
    loss: str, reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> str:
    """How a loss is reduced, from PyTorch's argument and the two that came before it.

    Raises:
        ValueError: there is no such reduction.
    """
    if size_average is not None or reduce is not None:
        mean = size_average is None or size_average
        reduction = ("mean" if mean else "sum") if reduce is None or reduce else "none"
        warnings.warn(
            "size_average and reduce args will be deprecated,"
            f" please use reduction='{reduction}' instead.",
            stacklevel=4,
        )
    if reduction not in REDUCTIONS:
        raise ArgValueError(loss, f"{reduction} is not a valid value for reduction")
    return reduction


def undifferentiated(loss: str, **inputs: Node | None) -> None:
    """Refuses gradients for inputs that have no rule, as PyTorch does."""
    for name, x in inputs.items():
        if x is not None and x.requires_grad and recording.grad:
            raise GradError(
                loss,
                f"The function '{loss}' is not differentiable with respect to argument '{name}'."
                " This input cannot have requires_grad True.",
                hint=f"Give {name}.detach().",
            )


def in_one_dtype(*nodes: Node | None) -> tuple[Any, ...]:
    """The nodes converted to the dtype that they promote to together."""
    first, *rest = given = [node for node in nodes if node is not None]
    if all(node.dtype is first.dtype for node in rest):
        return nodes
    dtype = result_type(*(Operand(node.dtype, "dim" if node.ndim else "zero") for node in given))
    return tuple(None if node is None else ops.cast(node, dtype) for node in nodes)


class ElementLoss(Op):
    """A loss for each element of an input and a target, then their mean or sum. Abstract.

    Inputs after the first two are named by the attribute ``given``; a loss may have attributes of
    its own behind that.
    """

    attrs: ClassVar[tuple[str, ...]] = ("reduction", "given")
    module = "nn.functional"
    autocast = "wide"
    dtypes: ClassVar[tuple[DType, ...]] = FLOATS
    ulp = 16

    def apply(self, x: Node, target: Node, reduction: str, **given: Node | None) -> Node:
        """Records the loss on an input and a target of one type."""
        rest = {name: value for name, value in given.items() if value is not None}
        return self.record((x, target, *rest.values()), reduction, tuple(rest))

    def infer(
        self, x: Spec, target: Spec, *rest: Spec,
        reduction: str, given: tuple[str, ...], **own: Any,
    ) -> Spec:  # fmt: skip
        sizes = [spec.shape for spec in (x, target, *rest)]
        shape = shapes.broadcast(self.name, *sizes)
        return x.with_shape(shape if reduction == "none" else ()).with_dtype(x.dtype.to_real())

    def losses(self, x: Any, target: Any, **given: Any) -> Any:
        """The loss of each element, in NumPy."""
        raise NotImplementedError

    def terms(self, x: Node, target: Node, **given: Node) -> Any:
        """The loss of each element, in simpler operations."""
        raise NotImplementedError

    def slopes(self, x: Node, target: Node, **given: Node) -> tuple[Node | None, Node | None]:
        """The derivatives of each element's loss for the input and for the target."""
        raise NotImplementedError

    def vjp(
        self, g: Node, y: Node, x: Node, target: Node, *rest: Node,
        reduction: str, given: tuple[str, ...], **own: Any,
    ) -> tuple[Node | None, ...]:  # fmt: skip
        shape = shapes.broadcast(self.name, x.shape, target.shape)
        if reduction == "mean":
            g = g / max(shapes.prod(shape), 1)
        if x.shape != target.shape:
            g = ops.expand(g, shape)
        slopes = self.slopes(x, target, **dict(zip(given, rest, strict=True)), **own)
        found = (None if slope is None else slope * g for slope in slopes)
        return (*found, *(None for _ in rest))

    def ref(
        self, x: Any, target: Any, *rest: Any,
        reduction: str, given: tuple[str, ...], **own: Any,
    ) -> Any:  # fmt: skip
        losses = self.losses(x, target, **dict(zip(given, rest, strict=True)), **own)
        if reduction == "none":
            return losses
        total = np.sum(losses, dtype=losses.dtype)
        return total if reduction == "sum" else total / losses.dtype.type(losses.size)

    def lowers(self, spec: Spec, *inputs: Spec) -> bool:
        return all(each.dtype.is_floating_point for each in inputs)

    def expand(
        self, x: Node, target: Node, *rest: Node,
        reduction: str, given: tuple[str, ...], **own: Any,
    ) -> Node:  # fmt: skip
        losses: Node = self.terms(x, target, **dict(zip(given, rest, strict=True)), **own)
        if reduction == "none":
            return losses
        total: Node = ops.sum(losses)
        return total if reduction == "sum" else total / losses.spec.numel

    def checked(self, dtype: DType) -> None:
        """Refuses a dtype that the loss is not for."""
        if dtype not in self.dtypes:
            raise NoKernelError(
                self.name, f'"{self.name}" not implemented for {ops.TORCH_NAMES[dtype.name]}'
            )


class PairLoss(ElementLoss):
    """A loss of the difference of two tensors, which broadcast and promote. Abstract."""

    def __call__(
        self, x: Node, target: Node, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", weight: Node | None = None,
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        x, target = self.pair(x, target)
        if weight is not None:
            return self.weighted(x, target, weight, reduction)
        return self.apply(x, target, reduction)

    def pair(self, x: Node, target: Node) -> tuple[Node, Node]:
        """The two tensors in one dtype; warns where they broadcast, which is seldom meant."""
        if x.shape != target.shape:
            tell_of_sizes(self.name, x, target)
        x, target = in_one_dtype(x, target)
        self.checked(x.dtype)
        return x, target

    def weighted(self, x: Node, target: Node, weight: Node, reduction: str, **given: Any) -> Node:
        """The loss with a weight for each element; the mean is over the weights."""
        losses = self.apply(x, target, "none", **given)
        if weight.shape != x.shape:
            raise ArgValueError(self.name, "Weights and input must have the same size.")
        losses = losses * weight
        if reduction == "none":
            return losses
        total = ops.sum(losses)
        return total if reduction == "sum" else total / ops.sum(weight)

    def samples(self, make: Any) -> Any:
        for reduction in REDUCTIONS:
            yield make(3, 4), make(3, 4), {"reduction": reduction}
        yield make(4, 3).T, make(3, 4)
        yield make(), make()
        yield make(0, 3), make(0, 3), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        bad = lambda: make.call(make(3), make(3), reduction="all")
        yield bad, ValueError, "all is not a valid value for reduction"
        yield (
            lambda: make.call(make.int(3), make.int(3)),
            RuntimeError,
            "not implemented for 'Long'",
        )
        yield lambda: make.call(make(3), make(2)), RuntimeError, "must match the size of tensor b"


class MseLoss(PairLoss):
    r"""Squared error: :math:`(x - t)^2`, its mean or its sum.

    Args:
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
        weight: a factor for each element; the mean is then over the weights.
    Shape:
        input (*) floating; target (*) the same, or what broadcasts with it (which warns).
    Raises:
        ValueError: another ``reduction``, or a weight of another size.
        RuntimeError: shapes that do not broadcast, or dtypes that are not floating point.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.mse_loss(rl.tensor([1.0, 2.0]), rl.tensor([0.0, 4.0]))
        tensor(2.5000)
    """

    name = "mse_loss"
    torch = (
        "mse_loss(Tensor input, Tensor target, bool? size_average=None, bool? reduce=None,"
        " str reduction='mean', Tensor? weight=None) -> Tensor"
    )

    def losses(self, x: Any, target: Any) -> Any:
        return np.square(x - target)

    def terms(self, x: Node, target: Node) -> Any:
        return ops.square(x - target)

    def slopes(self, x: Node, target: Node) -> tuple[Node | None, Node | None]:
        return _both(2 * (x - target), x, target)


def _both(slope: Node, x: Node, target: Node) -> tuple[Node | None, Node | None]:
    """The slopes of a function of ``x - target``."""
    return slope if x.requires_grad else None, -slope if target.requires_grad else None


class L1Loss(PairLoss):
    r"""Absolute error: :math:`|x - t|`, its mean or its sum.

    Arguments, shapes and faults are those of :func:`mse_loss`; complex dtypes are taken too.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.l1_loss(rl.tensor([1.0, 2.0]), rl.tensor([0.0, 4.0]))
        tensor(1.5000)
    """

    name = "l1_loss"
    torch = (
        "l1_loss(Tensor input, Tensor target, bool? size_average=None, bool? reduce=None,"
        " str reduction='mean', Tensor? weight=None) -> Tensor"
    )
    dtypes = (*FLOATS, *COMPLEX)

    def losses(self, x: Any, target: Any) -> Any:
        return np.abs(x - target)

    def terms(self, x: Node, target: Node) -> Any:
        return ops.abs(x - target)

    def slopes(self, x: Node, target: Node) -> tuple[Node | None, Node | None]:
        return _both(ops.sgn(x - target), x, target)

    def grad_name(self, node: Node) -> str:
        return {"none": "Abs", "mean": "Mean", "sum": "Sum"}[str(node.attrs[0])] + "Backward0"


class HuberLoss(PairLoss):
    r"""Squared error near 0, absolute error beyond: less moved by outliers.

    .. math:: \tfrac12 d^2 \text{ if } |d| \le \delta \text{ else } \delta(|d| - \tfrac12 \delta)
       \quad\text{with } d = x - t

    Args:
        delta: where the one form becomes the other.
        weight: a factor for each element.
    Shape:
        input (*) floating; target (*) the same, or what broadcasts with it (which warns).
    Raises:
        ValueError: another ``reduction``.
        RuntimeError: ``delta`` is not positive, or shapes do not broadcast.
    Reference:
        Huber 1964, "Robust estimation of a location parameter".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.huber_loss(rl.tensor([0.5, 3.0]), rl.zeros(2), reduction="none")
        tensor([0.1250, 2.5000])
    """

    name = "huber_loss"
    torch = (
        "huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0,"
        " Tensor? weight=None) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, reduction: str = "mean", delta: float = 1.0,
        weight: Node | None = None,
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction)
        if not delta > 0:
            raise OperationError(
                self.name, "huber_loss does not support non-positive values for delta."
            )
        x, target = self.pair(x, target)
        width = number(float(delta), x.dtype)
        if weight is None:
            return self.apply(x, target, reduction, delta=width)
        losses = self.weighted(x, target, weight, "none", delta=width)
        return losses if reduction == "none" else getattr(ops, reduction)(losses)

    def losses(self, x: Any, target: Any, delta: Any) -> Any:
        d = np.abs(x - target)
        return np.where(d <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))

    def terms(self, x: Node, target: Node, delta: Node) -> Any:
        d = ops.abs(x - target)
        return ops.where(ops.le(d, delta), 0.5 * d * d, delta * (d - 0.5 * delta))

    def slopes(self, x: Node, target: Node, delta: Node) -> tuple[Node | None, Node | None]:
        d = x - target
        return _both(ops.where(ops.abs(d) <= delta, d, delta * ops.sgn(d)), x, target)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(3, 4), make(3, 4), "sum", 0.3

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), make(3), delta=0.0), RuntimeError, "non-positive values"


class SmoothL1Loss(PairLoss):
    r"""Absolute error with its corner rounded off: :func:`huber_loss` over ``beta``.

    .. math:: \tfrac12 d^2 / \beta \text{ if } |d| < \beta \text{ else } |d| - \tfrac12 \beta
       \quad\text{with } d = x - t

    Args:
        beta: where the one form becomes the other; 0 is :func:`l1_loss`.
    Shape:
        input (*) floating; target (*) the same, or what broadcasts with it (which warns).
    Raises:
        ValueError: another ``reduction``.
        RuntimeError: ``beta`` is negative, or shapes do not broadcast.
    Reference:
        Girshick 2015, "Fast R-CNN", equation 3, arXiv:1504.08083.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.smooth_l1_loss(rl.tensor([0.5, 3.0]), rl.zeros(2), reduction="none")
        tensor([0.1250, 2.5000])
    """

    name = "smooth_l1_loss"
    torch = (
        "smooth_l1_loss(Tensor input, Tensor target, bool? size_average=None,"
        " bool? reduce=None, str reduction='mean', float beta=1.0) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", beta: float = 1.0,
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if beta < 0:
            raise OperationError(
                self.name, "smooth_l1_loss does not support negative values for beta."
            )
        x, target = self.pair(x, target)
        if beta == 0:
            return l1_loss.apply(x, target, reduction)
        return self.apply(x, target, reduction, beta=number(float(beta), x.dtype))

    def losses(self, x: Any, target: Any, beta: Any) -> Any:
        d = np.abs(x - target)
        return np.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)

    def terms(self, x: Node, target: Node, beta: Node) -> Any:
        d = ops.abs(x - target)
        return ops.where(ops.lt(d, beta), 0.5 * d * d / beta, d - 0.5 * beta)

    def slopes(self, x: Node, target: Node, beta: Node) -> tuple[Node | None, Node | None]:
        d = x - target
        return _both(ops.where(ops.abs(d) < beta, d / beta, ops.sgn(d)), x, target)

    def samples(self, make: Any) -> Any:
        yield from super().samples(make)
        yield make(3, 4), make(3, 4), {"beta": 0.3}
        yield make(3, 4), make(3, 4), {"beta": 0.0, "reduction": "none"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), make(3), beta=-1.0), RuntimeError, "negative values"


mse_loss = MseLoss()
l1_loss = L1Loss()
huber_loss = HuberLoss()
smooth_l1_loss = SmoothL1Loss()
