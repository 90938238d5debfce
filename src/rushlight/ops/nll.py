"""Losses of class scores: negative log likelihood and cross entropy.

Both pick, for each sample, the log probability of its class. That is linear in the log
probabilities, so the likelihood's gradient :class:`NllLossGrad` has the likelihood itself for its
gradient. Cross entropy and its gradient are one operation each, since they end every training step
of a classifier; a gradient that will itself be differentiated is recorded in elementary operations.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import FLOATS
from rushlight.base.errors import DTypeError, NoKernelError, OperationError
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, number
from rushlight.graph.op import Op, recording
from rushlight.graph.spec import Spec

from .class_shares import Samples
from .classes import (
    Shares,
    check,
    check_known,
    class_count,
    class_dim,
    rows_of,
    sample_shape,
    unrows,
)
from .loss import REDUCTIONS, reduction_of, undifferentiated
from .origin import takes_logs, takes_probabilities, takes_scores
from .softmax import log_softmax_of, softmax_of


class ClassLoss(Op):
    """A loss of scores ``(N, C, *)`` for classes ``(N, *)``, or ``(C)`` for one class. Abstract.

    The inputs are the scores, the classes, the class that does not count, what part of a target
    goes to all classes alike, and weights of the classes if there are any. The attributes say
    whether that part is more than 0, and in how many dimensions the samples lie beside the first.
    """

    attrs: ClassVar[tuple[str, ...]] = ("reduction", "smooth", "spatial")
    autocast = "wide"
    ulp = 16

    def infer(
        self, x: Spec, target: Spec, ignored: Spec, smoothing: Spec, weight: Spec | None = None, *,
        reduction: str, smooth: bool, spatial: int,
    ) -> Spec:  # fmt: skip
        check(self.name, x, target, weight)
        return x.with_shape(sample_shape(x.shape) if reduction == "none" else ())

    def lowers(self, spec: Spec, *inputs: Spec) -> bool:
        return spec.dtype.is_floating_point

    def grad_name(self, node: Node) -> str:
        reduction, smooth, spatial = node.attrs
        if smooth:
            return "AddBackward0"
        if not spatial:
            return "NllLossBackward0"
        return "ViewBackward0" if reduction == "none" and spatial != 2 else "NllLoss2DBackward0"

    def apply(
        self, x: Node, target: Node, weight: Node | None, ignore_index: int, smoothing: float,
        reduction: str,
    ) -> Node:  # fmt: skip
        """Records the loss."""
        if weight is not None:
            undifferentiated("nll_loss_forward", weight=weight)
        rest = (target, number(int(ignore_index)), number(float(smoothing), x.dtype))
        inputs = (x, *rest) if weight is None else (x, *rest, weight)
        loss = self.record(inputs, reduction, smoothing > 0, max(x.ndim - 2, 0))
        check_known(self.name, target, class_count(x.shape), ignore_index)
        return loss

    def composed(
        self, logs: Node, target: Node, ignored: Node, smoothing: Node,
        weight: Node | None = None, *, reduction: str, smooth: bool, spatial: int,
    ) -> Node:  # fmt: skip
        """The loss of the logarithms of probabilities, in simpler operations."""
        samples = Samples(self.name, logs.spec, target, ignored, weight)
        own = samples.weights * samples.pick(logs)
        losses = -own
        if smooth:
            each = samples.class_weights * (smoothing / class_count(logs.shape))
            losses = (smoothing - 1) * own - ops.sum(logs * each, class_dim(logs))
            losses = ops.where(samples.kept, losses, 0.0)
        if reduction == "none":
            return losses
        total: Node = ops.sum(losses)
        return total if reduction == "sum" else total / ops.sum(samples.weights)

    def likelihood(self, logs: Any, *rest: Any, reduction: str, **form: Any) -> Any:
        """The loss of arrays, of the logarithms of probabilities."""
        shares = Shares(self.name, logs.shape, *rest)
        rows = rows_of(logs)
        losses = -shares.own * rows[shares.places, shares.classes]
        if shares.smooth is not None:
            losses -= (rows * shares.smooth).sum(axis=1)
        losses[shares.counts == 0] = 0
        if reduction == "none":
            return losses.reshape(sample_shape(logs.shape))
        total = losses.sum()
        return total if reduction == "sum" else total / shares.total


class NllLoss(ClassLoss):
    r"""Negative log likelihood: minus the score of each sample's class.

    Args:
        weight: a factor for each class; the mean is over the weights of the samples.
        ignore_index: a class that does not count, in the loss and in the mean.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each sample.
    Shape:
        input (N, C), (N, C, d1, ...) or (C), of log probabilities; target (N), (N, d1, ...) or (),
        int64; weight (C); output (), or that of the target with ``"none"``.
    Raises:
        IndexError: a target is not from 0 to C - 1.
        ValueError: numbers of samples differ, or another ``reduction``.
        RuntimeError: the target is not int64, or a shape does not fit.
    Example:
        >>> import rushlight as rl
        >>> scores = rl.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]).log()
        >>> rl.nn.functional.nll_loss(scores, rl.tensor([0, 1]))
        tensor(0.4581)
    """

    name, joint = "nll_loss", True
    module = "nn.functional"
    torch = (
        "nll_loss(Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None,"
        " int ignore_index=-100, bool? reduce=None, str reduction='mean') -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, weight: Node | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        takes_logs(self.name, x)
        return self.apply(x, target, weight, ignore_index, 0.0, reduction)

    def vjp(
        self, g: Node, y: Node, x: Node, *rest: Node, reduction: str, smooth: bool, spatial: int
    ) -> tuple[Node | None, ...]:
        gx = nll_loss_grad.record((g, *rest), x.shape, reduction, smooth, spatial)
        return gx, *(None for _ in rest)

    def ref(self, x: Any, *rest: Any, **form: Any) -> Any:
        return self.likelihood(x, *rest, **form)

    def expand(self, x: Node, *rest: Node, **form: Any) -> Node:
        return self.composed(x, *rest, **form)

    def samples(self, make: Any) -> Any:
        yield from _samples(make)

    def errors(self, make: Any) -> Any:
        yield from _errors(make)
        call, target = make.call, make.int(3, low=0, high=4)
        yield lambda: call(make(3, 5), target.float()), RuntimeError, "Long or Byte, but got Float"


class NllLossGrad(Op):
    """The gradient of :class:`NllLoss` for scores of ``shape``."""

    name = "nll_loss_grad"
    attrs = ("shape", *ClassLoss.attrs)

    def infer(self, g: Spec, *rest: Spec, shape: Shape, **form: Any) -> Spec:
        return g.with_shape(shape)

    def vjp(
        self, g: Node, y: Node, scale: Node, *rest: Node, shape: Shape, **form: Any
    ) -> tuple[Node | None, ...]:
        return nll_loss.record((g, *rest), *form.values()), *(None for _ in rest)

    def ref(self, g: Any, *rest: Any, shape: Shape, reduction: str, **form: Any) -> Any:
        shares = Shares("nll_loss", shape, *rest)
        g = g.reshape(-1) if reduction == "none" else g
        g = g / shares.total if reduction == "mean" else g
        g = np.where(shares.counts == 0, 0, g)
        rows = np.zeros((g.size, class_count(shape)), g.dtype)
        if shares.smooth is not None:
            rows -= shares.smooth * g.reshape(-1, 1)
        rows[shares.places, shares.classes] -= shares.own * g
        return unrows(rows, shape)

    def expand(
        self, g: Node, target: Node, ignored: Node, smoothing: Node, weight: Node | None = None,
        *, shape: Shape, reduction: str, smooth: bool, spatial: int,
    ) -> Node:  # fmt: skip
        samples = Samples("nll_loss", g.spec.with_shape(shape), target, ignored, weight)
        g = samples.shared(g, reduction)
        if not smooth:
            return -samples.place(g * samples.weights)
        each = samples.class_weights * (smoothing / class_count(shape))
        own = samples.place(g * samples.weights * (1 - smoothing))
        return -own - each * ops.unsqueeze(g, class_dim(own))


class CrossEntropyLoss(ClassLoss):
    r"""Cross entropy of class scores: the negative log likelihood of their softmax.

    .. math:: -\sum_c q_c\, w_c \log \operatorname{softmax}(x)_c

    where :math:`q` is 1 for the target's class, or the target's probabilities.

    Args:
        weight: a factor for each class; the mean over class targets is over the samples' weights.
        ignore_index: a class that does not count, in the loss and in the mean.
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each sample.
        label_smoothing: the part of each target that goes to all classes alike, from 0 to 1.
    Shape:
        input (N, C), (N, C, d1, ...) or (C); target (N), (N, d1, ...) or () of int64 classes, or
        the shape of input with floating point probabilities; weight (C); output (), or (N, d1, ...)
        with ``"none"``.
    Raises:
        IndexError: a class is not from 0 to C - 1.
        ValueError: numbers of samples differ, or another ``reduction``.
        RuntimeError: the target's dtype or a shape does not fit, or ``label_smoothing`` is not
            from 0 to 1.
    Reference:
        Szegedy et al. 2016, section 7, arXiv:1512.00567 (label smoothing).
    Example:
        >>> import rushlight as rl
        >>> scores = rl.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
        >>> rl.nn.functional.cross_entropy(scores, rl.tensor([0, 2]))
        tensor(1.2395)
    """

    name = "cross_entropy"
    module = "nn.functional"
    torch = (
        "cross_entropy(Tensor input, Tensor target, Tensor? weight=None, bool? size_average=None,"
        " int ignore_index=-100, bool? reduce=None, str reduction='mean',"
        " float label_smoothing=0.0) -> Tensor"
    )

    def __call__(
        self, x: Node, target: Node, weight: Node | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> Node:  # fmt: skip
        reduction = reduction_of(self.name, reduction, size_average, reduce)
        if not 0 <= label_smoothing <= 1:
            raise OperationError(
                self.name,
                f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}",
            )
        if x.dtype not in FLOATS:
            raise NoKernelError(
                self.name, f'"cross_entropy" not implemented for {ops.TORCH_NAMES[x.dtype.name]}'
            )
        takes_scores("softmax-before-loss", self.name, x, class_dim(x))
        if target.shape == x.shape:
            return _of_probabilities(x, target, weight, ignore_index, reduction, label_smoothing)
        return self.apply(x, target, weight, ignore_index, label_smoothing, reduction)

    def vjp(self, g: Node, y: Node, x: Node, *rest: Node, **form: Any) -> tuple[Node | None, ...]:
        return cross_entropy_grad(g, x, *rest, **form), *(None for _ in rest)

    def ref(self, x: Any, *rest: Any, **form: Any) -> Any:
        return self.likelihood(log_softmax_of(x, class_dim(x)), *rest, **form)

    def expand(self, x: Node, *rest: Node, **form: Any) -> Node:
        return self.composed(ops.log_softmax(x, class_dim(x)), *rest, **form)

    def samples(self, make: Any) -> Any:
        yield from _samples(make)
        classes = make.int(3, low=0, high=4)
        smooth = {"label_smoothing": 0.2}
        for reduction in REDUCTIONS:
            yield make(3, 5), classes, {"reduction": reduction, **smooth}
            yield make(3, 5), make(3, 5, low=0), {"reduction": reduction, **smooth}
        yield make(3, 5), classes, make(5, low=0.5).detach(), {"ignore_index": 2, **smooth}
        yield make(3, 5, 2), make(3, 5, 2, low=0), make(5, low=0.5).detach()
        yield make(5), make(5, low=0)

    def errors(self, make: Any) -> Any:
        yield from _errors(make)
        call, target = make.call, make.int(3, low=0, high=4)
        yield lambda: call(make(3, 5), target.int()), RuntimeError, "Long or Byte, but got Int"
        yield lambda: call(make(3, 5), target, label_smoothing=2), RuntimeError, "between 0.0 and 1"
        probabilities = make.int(3, 5)
        yield lambda: call(make(3, 5), probabilities), RuntimeError, "class probabilities, got Long"


class CrossEntropyGrad(Op):
    """The gradient of :class:`CrossEntropyLoss` for the scores."""

    name = "cross_entropy_grad"
    attrs = ClassLoss.attrs

    def __call__(self, g: Node, x: Node, *rest: Node, **form: Any) -> Node:
        if recording.grad:
            return self.expand(g, x, *rest, **form)
        return self.record((g, x, *rest), *form.values())

    def infer(self, g: Spec, x: Spec, *rest: Spec, **form: Any) -> Spec:
        return x

    def expand(self, g: Node, x: Node, *rest: Node, **form: Any) -> Node:
        """The same in operations that can be differentiated."""
        dim = class_dim(x)
        if not form["smooth"] and not recording.grad:
            return self._plain(g, x, *rest, reduction=form["reduction"])
        inner = nll_loss_grad.record((g, *rest), x.shape, *form.values())
        return inner - ops.softmax(x, dim) * ops.sum(inner, dim, True)

    def _plain(
        self, g: Node, x: Node, target: Node, ignored: Node, smoothing: Node,
        weight: Node | None = None, *, reduction: str,
    ) -> Node:  # fmt: skip
        """Without smoothing: what a sample's own class gets less is what all get together."""
        samples = Samples("cross_entropy", x.spec, target, ignored, weight)
        own = samples.shared(g, reduction) * samples.weights
        dim = class_dim(x)
        return ops.softmax(x, dim) * ops.unsqueeze(own, dim) - samples.place(own)

    def ref(self, g: Any, x: Any, *rest: Any, **form: Any) -> Any:
        dim = class_dim(x)
        inner = nll_loss_grad.ref(g, *rest, shape=x.shape, **form)
        return inner - softmax_of(x, dim) * inner.sum(axis=dim, keepdims=True)


def _of_probabilities(
    x: Node, target: Node, weight: Node | None, ignored: int, reduction: str, smoothing: float
) -> Node:
    """Cross entropy with probabilities for each class, in elementary operations."""
    if not target.dtype.is_floating_point:
        raise DTypeError(
            "cross_entropy",
            "Expected floating point type for target with class probabilities, got"
            f" {ops.TORCH_NAMES[target.dtype.name][1:-1]}",
            hint="Give the numbers of classes, as in target.argmax(1), or target.float().",
        )
    if ignored >= 0:
        raise OperationError(
            "cross_entropy", "ignore_index is not supported for floating point target"
        )
    dim, count = class_dim(x), class_count(x.shape)
    takes_probabilities("cross_entropy", target, count)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / count
    losses = ops.log_softmax(x, dim) * target
    if weight is not None:
        losses = losses * ops.reshape(weight, (count, *(1,) * (x.ndim - dim - 1)))
    if reduction == "none":
        return -ops.sum(losses, dim)
    total = -ops.sum(losses)
    return total if reduction == "sum" else total / (x.spec.numel // count)


def _samples(make: Any) -> Any:
    """Scores and classes that both losses take."""
    classes = make.int(3, low=0, high=4)
    for reduction in REDUCTIONS:
        yield make(3, 5), classes, {"reduction": reduction}
        weight = make(5, low=0.5, high=2).detach()
        yield make(3, 5), classes, weight, {"ignore_index": 2, "reduction": reduction}
        yield make(3, 5, 2, 2), make.int(3, 2, 2, low=0, high=4), {"reduction": reduction}
    yield make(5, 3).T, classes
    yield make(3, 5, 4), make.int(3, 4, low=0, high=4), make(5, low=0.5, high=2).detach()
    yield make(5), make.int(low=0, high=4)
    yield make(0, 5), make.int(0), {"reduction": "sum"}


def _errors(make: Any) -> Any:
    """Uses that both losses refuse."""
    call, x, classes = make.call, make(3, 5), make.int(3, low=0, high=4)
    yield lambda: call(x, classes + 5).item(), IndexError, r"Target \d+ is out of bounds\."
    yield lambda: call(x, classes - 5).item(), IndexError, r"Target -\d+ is out of bounds\."
    yield lambda: call(x, classes[:2]), ValueError, r"batch_size \(3\) to match target batch_size"
    yield lambda: call(make(3, 5, 2), make.int(3, 3)), RuntimeError, r"target size \[3, 2\], got"
    yield lambda: call(x, classes, make(4).detach()), RuntimeError, "for all 5 classes"
    yield lambda: call(x, classes, make(5).detach().double()), RuntimeError, "scalar type Float"
    yield lambda: call(x, classes, reduction="all"), ValueError, "not a valid value"
    yield lambda: call(x, classes, make(5).requires_grad_()), RuntimeError, "not differentiable"


nll_loss = NllLoss()
nll_loss_grad = NllLossGrad()
cross_entropy = CrossEntropyLoss()
cross_entropy_grad = CrossEntropyGrad()
