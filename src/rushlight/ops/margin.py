"""Losses that want some score, or distance, to be better than another by a margin."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import ArgValueError, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .loss import REDUCTIONS, reduction_of

OLD_AND_NEW = "bool? size_average=None, bool? reduce=None, str reduction='mean'"


def reduced(losses: Node, reduction: str) -> Node:
    """The losses as they are, their mean, or their sum."""
    return losses if reduction == "none" else getattr(ops, reduction)(losses)


class MarginLoss(Composite):
    """A loss made of elementary operations. Abstract."""

    module = "nn.functional"
    ulp = 16

    def errors(self, make: Any) -> Any:
        args, kwargs = next(make.samples())
        kwargs = {**kwargs, "reduction": "all"}
        yield lambda: make.call(*args, **kwargs), ValueError, "all is not a valid value"


class MarginRankingLoss(MarginLoss):
    r"""Wants the first score above the second, or below: :math:`\max(0, -t(x_1 - x_2) + m)`.

    Args:
        target: 1 where ``input1`` should be higher, -1 where ``input2`` should be.
        margin: by how much.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each pair.
    Shape:
        input1, input2, target (N) or (); output (), or (N) with ``"none"``.
    Raises:
        RuntimeError: the numbers of dimensions differ, or the shapes do not broadcast.
        ValueError: another ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> a, b, t = rl.tensor([1.0, 2.0]), rl.tensor([0.5, 3.0]), rl.ones(2)
        >>> rl.nn.functional.margin_ranking_loss(a, b, t, reduction="none")
        tensor([0., 1.])
    """

    autocast = "wide"
    name = "margin_ranking_loss"
    torch = (
        "margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0,"
        f" {OLD_AND_NEW}) -> Tensor"
    )

    def __call__(
        self, x1: Node, x2: Node, target: Node, margin: float = 0,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if not x1.ndim == x2.ndim == target.ndim:
            sizes = (f"torch.Size({list(x.shape)})" for x in (x1, x2, target))
            found = ", ".join(f"{n}: {s}" for n, s in zip(("input1", "input2", "target"), sizes))
            raise ShapeError(
                self.name,
                "margin_ranking_loss : All input tensors should have same dimension but got sizes:"
                f" {found} ",
            )
        return reduced(ops.clamp_min(-target * (x1 - x2) + margin, 0), reduction)

    def samples(self, make: Any) -> Any:
        sign = make(3, low=1, high=1).detach()
        for reduction in REDUCTIONS:
            yield make(3), make(3), -sign, {"reduction": reduction, "margin": 0.3}
        yield make(), make(), sign[0]
        yield make(0), make(0), make(0), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        x = make(3)
        yield lambda: make.call(x, x, make(1, 3)), RuntimeError, "should have same dimension"
        yield lambda: make.call(x, make(2), x), RuntimeError, "must match the size"


class HingeEmbeddingLoss(MarginLoss):
    r"""Wants a distance small, or larger than a margin.

    .. math:: x \text{ where } t = 1, \quad \max(0, m - x) \text{ where } t = -1

    Args:
        target: 1 or -1.
        margin: the distance that is large enough.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
    Shape:
        input (*); target the same; output (), or (*) with ``"none"``.
    Reference:
        Hadsell, Chopra & LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping",
        with its distances squared.
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([0.5, 0.2]), rl.tensor([1, -1])
        >>> rl.nn.functional.hinge_embedding_loss(x, t, reduction="none")
        tensor([0.5000, 0.8000])
    """

    autocast = "wide"
    name = "hinge_embedding_loss"
    torch = (
        "hinge_embedding_loss(Tensor input, Tensor target, float margin=1.0,"
        f" {OLD_AND_NEW}) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, margin: float = 1.0,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        apart = ops.where(ops.ne(target, 1), ops.clamp_min(margin - x, 0), 0.0)
        near = ops.where(ops.ne(target, -1), x, 0.0)
        return reduced(apart + near, reduction)

    def samples(self, make: Any) -> Any:
        target = make.int(2, 3, low=0, high=1) * 2 - 1
        for reduction in REDUCTIONS:
            yield make(2, 3), target, {"reduction": reduction}
        yield make(2, 3), target, 0.5
        yield make(0), make(0), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), make(2)), RuntimeError, "must match the size"


class SoftMarginLoss(MarginLoss):
    r"""Wants scores of the target's sign: :math:`\log(1 + e^{-t x})`, exact for all ``x``.

    Args:
        target: 1 or -1.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element.
    Shape:
        input (*); target the same; output (), or (*) with ``"none"``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.soft_margin_loss(rl.tensor([0.0, 2.0]), rl.tensor([1, -1]))
        tensor(1.4100)
    """

    autocast = "wide"
    name = "soft_margin_loss"
    torch = f"soft_margin_loss(Tensor input, Tensor target, {OLD_AND_NEW}) -> Tensor"

    def __call__(
        self, x: Node, target: Node,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        return reduced(-ops.logsigmoid(target * x), reduction)

    def samples(self, make: Any) -> Any:
        target = (make.int(2, 3, low=0, high=1) * 2 - 1).to(make.dtype)
        for reduction in REDUCTIONS:
            yield make(2, 3), target, {"reduction": reduction}
        yield make(0), make(0).detach(), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        yield lambda: make.call(make(3), make(2)), RuntimeError, "must match the size"


class CosineEmbeddingLoss(MarginLoss):
    r"""Wants the angle between two vectors small, or their cosine below a margin.

    .. math:: 1 - \cos \text{ where } t = 1, \quad \max(0, \cos - m) \text{ where } t = -1

    Args:
        target: 1 or -1.
        margin: the cosine that is low enough, from -1 to 1.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each pair.
    Shape:
        input1, input2 (N, D) with target (N), or (D) with target (); output (), or the target's
        with ``"none"``.
    Raises:
        RuntimeError: the numbers of dimensions do not fit, or shapes do not broadcast.
    Example:
        >>> import rushlight as rl
        >>> a, b = rl.tensor([[1.0, 0.0]]), rl.tensor([[0.0, 1.0]])
        >>> rl.nn.functional.cosine_embedding_loss(a, b, rl.tensor([1]))
        tensor(1.)
    """

    autocast = "wide"
    name = "cosine_embedding_loss"
    torch = (
        "cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0,"
        f" {OLD_AND_NEW}) -> Tensor"
    )

    def __call__(
        self, x1: Node, x2: Node, target: Node, margin: float = 0,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if target.ndim > 1:
            raise ShapeError(
                self.name, "0D or 1D target tensor expected, multi-target not supported"
            )
        rank = target.ndim + 1
        if x1.ndim != rank or x2.ndim != rank:
            raise ShapeError(
                self.name,
                f"{rank - 1}D target tensor expects {rank}D input tensors, but found inputs with"
                f" sizes {list(x1.shape)} and {list(x2.shape)}.",
            )
        # As PyTorch, which adds this to the squared lengths.
        lengths = [ops.sum(x * x, -1) + 1e-12 for x in (x1, x2)]
        cosine = ops.sum(x1 * x2, -1) / ops.sqrt(lengths[0] * lengths[1])
        near = ops.where(ops.eq(target, 1), 1 - cosine, 0.0)
        apart = ops.where(ops.eq(target, -1), ops.clamp_min(cosine - margin, 0), 0.0)
        return reduced(near + apart, reduction)

    def samples(self, make: Any) -> Any:
        target = make.int(4, low=0, high=1) * 2 - 1
        for reduction in REDUCTIONS:
            yield make(4, 3), make(4, 3), target, {"reduction": reduction}
        yield make(4, 3), make(4, 3), -target, 0.1
        yield make(3), make(3), target[0]
        yield make(0, 3), make(0, 3), make(0).detach(), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        call, x, target = make.call, make(2, 3), make(2)
        yield lambda: call(x, x, make(2, 2)), RuntimeError, "multi-target not supported"
        yield lambda: call(x, make(3), target), RuntimeError, r"sizes \[2, 3\] and \[3\]\."
        yield lambda: call(x, make(2, 4), target), RuntimeError, "must match the size"


class TripletMarginLoss(MarginLoss):
    r"""Wants an anchor nearer to the positive than to the negative, by a margin.

    .. math:: \max(0, d(a, p) - d(a, n) + m)

    Args:
        p: the distance's norm.
        eps: added to each difference.
        swap: whether the positive's distance to the negative counts where it is smaller.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each triplet.
    Shape:
        anchor, positive, negative (N, D) or (D); output (), or (N) with ``"none"``.
    Raises:
        RuntimeError: the numbers of dimensions differ.
        ValueError: the margin is not positive.
    Reference:
        Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow
        convolutional neural networks".
    Example:
        >>> import rushlight as rl
        >>> a, p, n = rl.zeros(1, 2), rl.ones(1, 2), rl.tensor([[0.0, 1.0]])
        >>> rl.nn.functional.triplet_margin_loss(a, p, n)
        tensor(1.4142)
    """

    autocast = "wide"
    name = "triplet_margin_loss"
    torch = (
        "triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0,"
        f" float p=2, float eps=1e-06, bool swap=False, {OLD_AND_NEW}) -> Tensor"
    )

    def __call__(
        self, anchor: Node, positive: Node, negative: Node, margin: float = 1.0, p: float = 2,
        eps: float = 1e-6, swap: bool = False,
        size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if margin <= 0:
            raise ArgValueError(self.name, f"margin must be greater than 0, got {margin}")
        if not anchor.ndim == positive.ndim == negative.ndim:
            raise OperationError(
                self.name,
                "The anchor, positive, and negative tensors are expected to have the same number of"
                f" dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and"
                f" negative {negative.ndim}D inputs",
            )
        near = ops.pairwise_distance(anchor, positive, p, eps)
        far = ops.pairwise_distance(anchor, negative, p, eps)
        if swap:
            far = ops.minimum(far, ops.pairwise_distance(positive, negative, p, eps))
        return reduced(ops.clamp_min(margin + near - far, 0), reduction)

    def samples(self, make: Any) -> Any:
        for reduction in REDUCTIONS:
            yield make(3, 4), make(3, 4), make(3, 4), {"reduction": reduction}
        yield make(3, 4), make(3, 4), make(3, 4), 2.0, 1.0, 0.1, True
        yield make(3, 4), make(1, 4), make(3, 4)
        yield make(4), make(4), make(4)
        yield make(0, 4), make(0, 4), make(0, 4), {"reduction": "sum"}

    def errors(self, make: Any) -> Any:
        yield from super().errors(make)
        x = make(2, 3)
        yield lambda: make.call(x, make(3), x), RuntimeError, "anchor 2D, positive 1D, and neg"
        yield lambda: make.call(x, x, x, -1.0), ValueError, "must be greater than 0, got -1.0"
        yield lambda: make.call(x, x, make(2, 4)), RuntimeError, "must match the size"


margin_ranking_loss = MarginRankingLoss()
hinge_embedding_loss = HingeEmbeddingLoss()
soft_margin_loss = SoftMarginLoss()
cosine_embedding_loss = CosineEmbeddingLoss()
triplet_margin_loss = TripletMarginLoss()
