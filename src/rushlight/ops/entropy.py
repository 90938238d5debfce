"""Losses that compare probabilities: binary cross entropy and Kullback-Leibler divergence."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.errors import ArgValueError, DTypeError, OperationError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .loss import (
    REDUCTIONS,
    ElementLoss,
    in_one_dtype,
    reduction_of,
    undifferentiated,
)
from .origin import takes_logs, takes_scores


def _same_size_hint(x: Node, target: Node) -> str:
    """A way out when only a last dimension of size 1 is missing on one side."""
    if x.shape == (*target.shape, 1):
        return "Did you mean target.unsqueeze(-1)?"
    return "Did you mean target.squeeze(-1)?" if target.shape == (*x.shape, 1) else ""


class Probability(Op):
    """The input, which has to be from 0 to 1: the ``kind`` that binary_cross_entropy is given."""

    name, attrs = "probability", ("kind",)

    def infer(self, x: Spec, *, kind: str) -> Spec:
        return x

    def ref(self, x: Any, *, kind: str) -> Any:
        if not np.all((x >= 0) & (x <= 1)):
            raise OperationError(
                "binary_cross_entropy",
                f"all elements of {kind} should be between 0 and 1",
                rule=f"They are from {x.min():g} to {x.max():g}.",
                hint="Scores that are no probabilities go into binary_cross_entropy_with_logits."
                if kind == "input"
                else "",
            )
        return x

    def element(self, b: Any, index: Any, x: Any, *, kind: str) -> Any:
        number = x.at(*index)
        return b.checked(number, b.and_(b.ge(number, 0), b.le(number, 1)))


class BinaryCrossEntropy(ElementLoss):
    r"""Cross entropy of yes-or-no probabilities: :math:`-t \log x - (1 - t) \log(1 - x)`.

    Logarithms are taken as -100 where they are less. From scores rather than probabilities,
    :func:`binary_cross_entropy_with_logits` is exact.

    Args:
        weight: a factor that broadcasts to the input.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
    Shape:
        input (*) floating, from 0 to 1; target the same.
    Raises:
        ValueError: input and target differ in size, or another ``reduction``.
        RuntimeError: dtypes differ, an element is not from 0 to 1, the weight does not broadcast.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.binary_cross_entropy(rl.tensor([0.9, 0.2]), rl.tensor([1.0, 0.0]))
        tensor(0.1643)
    """

    name = "binary_cross_entropy"
    torch = (
        "binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None,"
        " bool? size_average=None, bool? reduce=None, str reduction='mean') -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, weight: Node | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if target.shape != x.shape:
            raise ArgValueError(
                self.name,
                f"Using a target size (torch.Size({list(target.shape)})) that is different to the"
                f" input size (torch.Size({list(x.shape)})) is deprecated. Please ensure they have"
                " the same size.",
                hint=_same_size_hint(x, target),
            )
        undifferentiated(self.name, weight=weight)
        self.checked(x.dtype)
        for other in (target, weight):
            if other is not None and other.dtype is not x.dtype:
                found, wanted = (ops.TORCH_NAMES[n.dtype.name][1:-1] for n in (other, x))
                raise DTypeError(
                    self.name,
                    f"Found dtype {found} but expected {wanted}",
                    hint=f"Convert it, as in target.to({x.dtype}).",
                )
        if weight is not None:
            weight = ops.expand(weight, x.shape)
        return self.apply(x, target, reduction, weight=weight)

    def losses(self, x: Any, target: Any, weight: Any = None) -> Any:
        x, target = probability.ref(x, kind="input"), probability.ref(target, kind="target")
        losses = (target - 1) * np.maximum(np.log1p(-x), -100) - target * np.maximum(
            np.log(x), -100
        )
        return losses if weight is None else losses * weight

    def terms(self, x: Node, target: Node, weight: Node | None = None) -> Any:
        x = probability.record((x,), "input")
        target = probability.record((target,), "target")
        no, yes = (ops.clamp_min(each, -100) for each in (ops.log1p(-x), ops.log(x)))
        losses: Node = (target - 1) * no - target * yes
        return losses if weight is None else losses * weight

    def slopes(
        self, x: Node, target: Node, weight: Node | None = None
    ) -> tuple[Node | None, Node | None]:
        sx = st = None
        if x.requires_grad:
            sx = (x - target) / ops.maximum(x * (1 - x), 1e-12)
            sx = sx if weight is None else sx * weight
        if target.requires_grad:
            st = ops.log(1 - x) - ops.log(x)
            st = st if weight is None else st * weight
        return sx, st

    def samples(self, make: Any) -> Any:
        def part(*shape: int) -> Any:
            return make(*shape, low=0.05, high=0.95)

        for reduction in REDUCTIONS:
            yield part(3, 4), part(3, 4), {"reduction": reduction}
            yield part(3, 4), part(3, 4), part(4).detach(), {"reduction": reduction}
        yield part(4, 3).T, part(3, 4)
        yield part(), part()
        yield part(0, 3), part(0, 3), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        def half(*shape: int) -> Any:
            return make(*shape, low=0.4, high=0.6)

        call = make.call
        yield lambda: call(half(3), half(2)), ValueError, "that is different to the input size"
        yield lambda: call(half(3), half(3).double()), RuntimeError, "Found dtype Double but"
        yield lambda: call(half(3) + 1, half(3)).item(), RuntimeError, "input should be between 0"
        yield lambda: call(half(3), half(3) + 1).item(), RuntimeError, "target should be between 0"
        yield lambda: call(half(3), half(3), reduction="all"), ValueError, "not a valid value"
        yield lambda: call(half(3), half(3), half(2)), RuntimeError, "must match"


class BinaryCrossEntropyWithLogits(ElementLoss):
    r"""Cross entropy of yes-or-no scores: that of :math:`\sigma(x)`, exact for all ``x``.

    .. math:: (1 - t)\,x + (1 + (p - 1)\,t)\,\log(1 + e^{-x})

    Args:
        weight: a factor that broadcasts to the input.
        pos_weight: the factor ``p`` for the positive part, usually one for each class.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
    Shape:
        input (*) floating; target the same, with elements from 0 to 1.
    Raises:
        ValueError: input and target differ in size, or another ``reduction``.
        RuntimeError: a dtype is not floating point, or a weight does not broadcast.
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([2.0, -1.0]), rl.tensor([1.0, 0.0])
        >>> rl.nn.functional.binary_cross_entropy_with_logits(x, t)
        tensor(0.2201)
    """

    name = "binary_cross_entropy_with_logits"
    torch = (
        "binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight=None,"
        " bool? size_average=None, bool? reduce=None, str reduction='mean',"
        " Tensor? pos_weight=None) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, weight: Node | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean", pos_weight: Node | None = None,
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if target.shape != x.shape:
            raise ArgValueError(
                self.name,
                f"Target size (torch.Size({list(target.shape)})) must be the same as input size"
                f" (torch.Size({list(x.shape)}))",
                hint=_same_size_hint(x, target),
            )
        undifferentiated(self.name, weight=weight, pos_weight=pos_weight)
        if not target.dtype.is_floating_point:
            given, wanted = (ops.TORCH_NAMES[n.dtype.name][1:-1] for n in (x, target))
            raise DTypeError(
                self.name, f"result type {given} can't be cast to the desired output type {wanted}"
            )
        takes_scores("sigmoid-before-loss", self.name, x)
        x, target, weight, pos_weight = in_one_dtype(x, target, weight, pos_weight)
        self.checked(x.dtype)
        if weight is not None:
            weight = ops.expand(weight, x.shape)
        if pos_weight is not None:
            pos_weight = ops.expand(pos_weight, x.shape)
        return self.apply(x, target, reduction, weight=weight, pos_weight=pos_weight)

    def losses(self, x: Any, target: Any, weight: Any = None, pos_weight: Any = None) -> Any:
        softplus = np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0)  # log(1 + exp(-x))
        if pos_weight is not None:
            softplus = softplus * (1 + (pos_weight - 1) * target)
        losses = (1 - target) * x + softplus
        return losses if weight is None else losses * weight

    def terms(
        self, x: Node, target: Node, weight: Node | None = None, pos_weight: Node | None = None
    ) -> Any:
        softplus = -ops.logsigmoid(x)
        if pos_weight is not None:
            softplus = softplus * (1 + (pos_weight - 1) * target)
        losses: Node = (1 - target) * x + softplus
        return losses if weight is None else losses * weight

    def slopes(
        self, x: Node, target: Node, weight: Node | None = None, pos_weight: Node | None = None
    ) -> tuple[Node | None, Node | None]:
        sx = st = None
        if x.requires_grad:
            positive = target if pos_weight is None else target * pos_weight
            whole = 1 if pos_weight is None else positive + 1 - target
            sx = ops.sigmoid(x) * whole - positive
            sx = sx if weight is None else sx * weight
        if target.requires_grad:
            st = -x
            if pos_weight is not None:
                st = (pos_weight - 1) * -ops.logsigmoid(x) - x
            st = st if weight is None else st * weight
        return sx, st

    def samples(self, make: Any) -> Any:
        for reduction in REDUCTIONS:
            yield make(3, 4), make(3, 4, low=0, high=1), {"reduction": reduction}
        factor = make(4, low=0.5, high=3).detach()
        yield make(3, 4), make(3, 4, low=0, high=1), {"pos_weight": factor}
        yield make(3, 4), make(3, 4, low=0, high=1), {"weight": factor, "pos_weight": factor}
        yield make(4, 3, low=-90, high=90).T, make(3, 4, low=0, high=1)
        yield make(), make(low=0, high=1)
        yield make(0, 3), make(0, 3), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        call = make.call
        yield lambda: call(make(3), make(2)), ValueError, "must be the same as input size"
        yield lambda: call(make(3), make(3), reduction="all"), ValueError, "not a valid value"
        yield lambda: call(make(3), make(3), make(2)), RuntimeError, "must match"
        yield lambda: call(make(3), make.int(3)), RuntimeError, "desired output type Long"


class KlDiv(ElementLoss):
    r"""How far a distribution ``x``, given by its logarithms, is from the target distribution.

    .. math:: t\,(\log t - x) \quad\text{or, with log\_target,}\quad e^t (t - x)

    Args:
        reduction: ``"batchmean"`` for the divergence (the sum over the first dimension's size),
            ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
        log_target: whether the target too is given by its logarithms.
    Shape:
        input (*) floating; target (*) the same or what broadcasts with it.
    Raises:
        ValueError: another ``reduction``.
        RuntimeError: shapes do not broadcast.
    Reference:
        Kullback & Leibler 1951, "On information and sufficiency".
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([[0.5, 0.5]]).log(), rl.tensor([[0.25, 0.75]])
        >>> rl.nn.functional.kl_div(x, t, reduction="batchmean")
        tensor(0.1308)
    """

    name = "kl_div"
    attrs = (*ElementLoss.attrs, "log_target")
    torch = (
        "kl_div(Tensor input, Tensor target, bool? size_average=None, bool? reduce=None,"
        " str reduction='mean', bool log_target=False) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", log_target: bool = False,
    ) -> Node:  # fmt: skip
        by_batch = reduction == "batchmean" and size_average is None and reduce is None
        reduction = reduction_of(self.name, "sum" if by_batch else reduction, size_average, reduce)
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support"
                " size.'batchmean' divides only by the batch size, and aligns with the KL div math"
                " definition.'mean' will be changed to behave the same as 'batchmean' in the next"
                " major release.",
                stacklevel=3,
            )
        takes_logs(self.name, x)
        x, target = in_one_dtype(x, target)
        self.checked(x.dtype)
        loss = self.record((x, target), reduction, (), bool(log_target))
        return loss / x.shape[0] if by_batch and x.ndim else loss

    def losses(self, x: Any, target: Any, log_target: bool) -> Any:
        if log_target:
            return np.exp(target) * (target - x)
        return np.where(target == 0, 0, target * np.log(target)) - target * x

    def terms(self, x: Node, target: Node, log_target: bool) -> Any:
        if log_target:
            return ops.exp(target) * (target - x)
        return ops.xlogy(target, target) - target * x

    def slopes(self, x: Node, target: Node, log_target: bool) -> tuple[Node | None, Node | None]:
        factor = ops.exp(target) if log_target else target
        sx = st = None
        if x.requires_grad:
            sx = -factor
        if target.requires_grad:
            st = factor * (target - x + 1) if log_target else ops.log(target) + 1 - x
        return sx, st

    def grad_name(self, node: Node) -> str:
        reduction, _, log_target = node.attrs
        each = "Mul" if log_target else "Sub"
        return {"none": each, "mean": "Mean", "sum": "Sum"}[str(reduction)] + "Backward0"

    def samples(self, make: Any) -> Any:
        for reduction in (*REDUCTIONS, "batchmean"):
            kind = {"reduction": reduction}
            yield make(high=0), make(low=0.1), kind
            yield make(3, 4), make(3, 4, low=0.1, high=1), kind
            yield make(3, 4), make(3, 4), {"log_target": True, **kind}
        yield make(3, 4), make(4, low=0.1, high=1)
        yield make(4, 3).T, make(3, 4, low=0.1, high=1)
        yield make(0, 3), make(0, 3), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        call = make.call
        yield lambda: call(make(3), make(3), reduction="all"), ValueError, "not a valid value"
        yield lambda: call(make(3), make(2)), RuntimeError, "must match the size of tensor b"


probability = Probability()
binary_cross_entropy = BinaryCrossEntropy()
binary_cross_entropy_with_logits = BinaryCrossEntropyWithLogits()
kl_div = KlDiv()
