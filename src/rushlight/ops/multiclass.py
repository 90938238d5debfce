"""Margin losses of scores for several classes or labels."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.dtypes import int64
from rushlight.base.errors import ArgValueError, DTypeError, OperationError, ShapeError
from rushlight.graph.node import Node

from .loss import REDUCTIONS, reduction_of, undifferentiated
from .margin import OLD_AND_NEW, MarginLoss, reduced
from .origin import takes_scores
from .places import known_bounds


class MultiMarginLoss(MarginLoss):
    r"""Wants the target class's score above all others by a margin.

    .. math:: \tfrac1C \sum_{j \ne t} \max(0, m - x_t + x_j)^p

    Args:
        p: 1 or 2.
        weight: a factor for each class.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each sample.
    Shape:
        input (N, C) or (C); target (N) or (), int64; weight (C); output (), or the target's with
        ``"none"``.
    Raises:
        RuntimeError: a target is not a class, or a shape does not fit.
        ValueError: another ``p`` or ``reduction``.
    Reference:
        Crammer & Singer 2001, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
        Machines".
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([[0.1, 0.2, 0.4, 0.8]])
        >>> rl.nn.functional.multi_margin_loss(x, rl.tensor([3]))
        tensor(0.3250)
    """

    autocast = "wide"
    name = "multi_margin_loss"
    torch = (
        "multi_margin_loss(Tensor input, Tensor target, int p=1, float margin=1.0,"
        f" Tensor? weight=None, {OLD_AND_NEW}) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, p: int = 1, margin: float = 1.0, weight: Node | None = None,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if p not in (1, 2):
            raise ArgValueError(self.name, "only p == 1 and p == 2 supported")
        x = x if x.ndim else ops.reshape(x, (1,))  # one class
        self._check(x, target, weight)
        shape = x.shape[:-1] if reduction == "none" else ()
        C = x.shape[-1]
        x, target = ops.reshape(x, (-1, C)), ops.reshape(target, (-1, 1))
        short = ops.clamp_min(margin - ops.gather(x, 1, target) + x, 0)
        others = ops.ne(ops.arange(0, 1, C, int64), target)
        losses = ops.where(others, short if p == 1 else short * short, 0.0)
        if weight is not None:
            losses = losses * ops.reshape(ops.take(weight, target), (-1, 1))
        return ops.reshape(reduced(ops.sum(losses, 1) / C, reduction), shape)

    def _check(self, x: Node, target: Node, weight: Node | None) -> None:
        samples = x.shape[0] if x.ndim == 2 else 1
        if x.ndim not in (1, 2) or not x.shape[-1]:
            raise ShapeError(
                self.name,
                "Expected non-empty vector or matrix with optional 0-dim batch size, but got:"
                f" {list(x.shape)}",
            )
        if target.ndim > 1 or target.spec.numel != samples:
            raise ShapeError(
                self.name,
                "multi_margin_loss: target tensor should be 1-D with size equal to the number of"
                f" input samples (batch size). Expected target size [{samples}], but got"
                f" {list(target.shape)}. Input has shape {list(x.shape)}.",
            )
        if target.dtype is not int64:
            found = ops.TORCH_NAMES[target.dtype.name][1:-1]
            raise DTypeError(self.name, f"expected scalar type Long but found {found}")
        if weight is not None and weight.shape != x.shape[-1:]:
            raise ShapeError(
                self.name,
                f"inconsistent weight size, expected {x.shape[-1]} but got {list(weight.shape)}",
            )
        undifferentiated(self.name, weight=weight)
        bounds = known_bounds(target)
        if bounds is not None and not 0 <= bounds[0] <= bounds[1] + 1 <= x.shape[-1]:
            raise OperationError(
                self.name,
                "target out of range",
                rule=f"The classes are 0 to {x.shape[-1] - 1}.",
            )

    def samples(self, make: Any) -> Any:
        target = make.int(3, low=0, high=3)
        for reduction in REDUCTIONS:
            yield make(3, 4), target, {"reduction": reduction}
        yield make(3, 4), target, 1, 0.5, make(4, low=0.5).detach()
        yield make(3, 4).detach(), target, 2, 0.5, make(4, low=0.5).detach()
        yield make(4), target[0], {"reduction": "none"}
        yield make(), make.int(low=0, high=0), {"reduction": "none"}
        yield make(0, 4), target[:0], {"reduction": "none"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        call, x, target = make.call, make(3, 2), make.int(3, low=0, high=1)
        yield lambda: call(x, target + 2), RuntimeError, "target out of range|out of bounds"
        yield lambda: call(x, make.int(3, low=2, high=2)), RuntimeError, "target out of range"
        yield lambda: call(x, target[:2]), RuntimeError, r"Expected target size \[3\], but got \[2"
        yield lambda: call(x, target, 3), ValueError, "only p == 1 and p == 2"
        yield lambda: call(x, target, 1, 1.0, make(3)), RuntimeError, "inconsistent weight size"
        yield lambda: call(x, target.int()), RuntimeError, "scalar type Long but found Int"
        yield lambda: call(make(2, 2, 2), target), RuntimeError, "Expected non-empty vector"


class MultilabelMarginLoss(MarginLoss):
    r"""Wants the scores of all target classes above those of the others by 1.

    .. math:: \tfrac1C \sum_{i \in t} \sum_{j \notin t} \max(0, 1 - x_i + x_j)

    Args:
        target: class numbers; the first -1 ends a sample's list.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each sample.
    Shape:
        input (N, C) or (C); target the same, int64; output (), or (N) with ``"none"``.
    Raises:
        RuntimeError: a target is no class, or the shapes differ.
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([[0.1, 0.2, 0.4, 0.8]]), rl.tensor([[3, 0, -1, 1]])
        >>> rl.nn.functional.multilabel_margin_loss(x, t)
        tensor(0.8500)
    """

    autocast = "wide"
    name = "multilabel_margin_loss"
    torch = f"multilabel_margin_loss(Tensor input, Tensor target, {OLD_AND_NEW}) -> Tensor"

    def __call__(
        self, x: Node, target: Node,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        x, target = (y if y.ndim else ops.reshape(y, (1,)) for y in (x, target))  # one class
        self._check(x, target)
        shape = x.shape[:-1] if reduction == "none" else ()
        C = x.shape[-1]
        x, target = ops.reshape(x, (-1, C)), ops.reshape(target, (-1, C))
        listed = _before_the_first_end(target)
        classes = ops.where(listed, target, 0)
        wanted = ops.gather(x, 1, classes)  # (N, C), of which the listed ones count
        number = ops.arange(0, 1, C, int64)
        named = ops.logical_and(
            ops.eq(ops.unsqueeze(classes, 2), number), ops.unsqueeze(listed, 2)
        )  # (N, C listed, C classes)
        other = ops.eq(ops.sum(named, 1), 0)  # (N, C)
        short = ops.clamp_min(1 - ops.unsqueeze(wanted, 2) + ops.unsqueeze(x, 1), 0)
        counted = ops.logical_and(ops.unsqueeze(listed, 2), ops.unsqueeze(other, 1))
        losses = ops.sum(ops.where(counted, short, 0.0), (1, 2)) / C
        return ops.reshape(reduced(losses, reduction), shape)

    def _check(self, x: Node, target: Node) -> None:
        if x.ndim not in (1, 2) or not x.shape[-1]:
            raise ShapeError(
                self.name,
                "Expected non-empty vector or matrix with optional 0-dim batch size, but got:"
                f" {list(x.shape)}",
            )
        if target.shape != x.shape:
            raise ShapeError(
                self.name,
                f"inconsistent target size: {list(target.shape)} for input of size:"
                f" {list(x.shape)}",
            )
        bounds = known_bounds(target)
        if bounds is not None and not -1 <= bounds[0] <= bounds[1] + 1 <= x.shape[-1]:
            raise OperationError(
                self.name,
                "argument #2 'target' is out of range",
                rule=f"The classes are 0 to {x.shape[-1] - 1}; -1 ends a list.",
            )

    def samples(self, make: Any) -> Any:
        target = make.int(3, 4, low=0, high=3)
        target[0, 2] = target[1, 0] = -1
        for reduction in REDUCTIONS:
            yield make(3, 4), target, {"reduction": reduction}
        yield make(4), target[0]
        yield make(), make.int(low=0, high=0)
        yield make(), make.int(1, low=-1, high=-1), {"reduction": "none"}
        yield make(0, 4), target[:0], {"reduction": "none"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        call, x, target = make.call, make(2, 3), make.int(2, 3, low=3, high=3)
        yield lambda: call(x, target), RuntimeError, "'target' is out of range"
        low = make.int(2, 3, low=-2, high=-2)
        yield lambda: call(x, low), RuntimeError, "'target' is out of range"
        yield lambda: call(x, target[:, :2]), RuntimeError, r"target size: \[2, 2\] for input of"


def _before_the_first_end(target: Node) -> Node:
    """Which entries of each row (N, C) stand before the first negative one."""
    place = ops.arange(0, 1, target.shape[1], int64)
    end = ops.where(target < 0, place, target.shape[1])
    return ops.lt(place, ops.amin(end, 1, True))


class MultilabelSoftMarginLoss(MarginLoss):
    r"""Binary cross entropy of scores, averaged over the classes of each sample.

    .. math:: -\tfrac1C \sum_j t_j \log \sigma(x_j) + (1 - t_j) \log \sigma(-x_j)

    Args:
        target: 0 or 1 for each class.
        weight: a factor for each class.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each sample.
    Shape:
        input (*, C); target the same; output (), or (*) with ``"none"``.
    Raises:
        RuntimeError: shapes do not broadcast.
        ValueError: another ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([[2.0, -1.0]]), rl.tensor([[1.0, 0.0]])
        >>> rl.nn.functional.multilabel_soft_margin_loss(x, t)
        tensor(0.2201)
    """

    name = "multilabel_soft_margin_loss"
    torch = (
        "multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight=None,"
        f" {OLD_AND_NEW}) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, weight: Node | None = None,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        if reduction not in REDUCTIONS:
            raise ArgValueError(self.name, f"{reduction} is not valid")
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        takes_scores("sigmoid-before-loss", self.name, x)
        losses = -(target * ops.logsigmoid(x) + (1 - target) * ops.logsigmoid(-x))
        if weight is not None:
            losses = losses * weight
        return reduced(ops.mean(losses, -1), reduction)

    def samples(self, make: Any) -> Any:
        target = make(3, 4, low=0, high=1)
        for reduction in REDUCTIONS:
            yield make(3, 4), target, {"reduction": reduction}
        yield make(3, 4), target, make(4)
        yield make(0, 4), make(0, 4), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        x = make(2, 3)
        yield lambda: make.call(x, x, reduction="all"), ValueError, "all is not valid"
        yield lambda: make.call(x, make(2, 2)), RuntimeError, "must match the size"


multi_margin_loss = MultiMarginLoss()
multilabel_margin_loss = MultilabelMarginLoss()
multilabel_soft_margin_loss = MultilabelSoftMarginLoss()
