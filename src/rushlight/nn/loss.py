"""Losses as layers: what a model's output costs, given the target."""

from __future__ import annotations

from typing import Any

from rushlight.ops.loss import reduction_of
from rushlight.tensor.tensor import Tensor

from . import functional as F
from .module import Module


class _Loss(Module):
    """A loss with a ``reduction``. Abstract.

    Args:
        reduction: ``"mean"``, ``"sum"``, or ``"none"`` for the loss of each element or sample.
        size_average, reduce: what came before ``reduction``; they warn.
    """

    reduction: str

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = reduction_of(type(self).__name__, reduction, size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight for each class, or element, in the buffer ``weight``. Abstract."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    r"""Absolute error: :math:`|x - t|`, its mean or its sum.

    Shape:
        input (*); target (*) the same, or what broadcasts with it (which warns).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.L1Loss()(rl.tensor([1.0, 2.0]), rl.tensor([0.0, 4.0]))
        tensor(1.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    r"""Squared error: :math:`(x - t)^2`, its mean or its sum.

    Shape:
        input (*) floating; target (*) the same, or what broadcasts with it (which warns).
    Example:
        >>> import rushlight as rl
        >>> rl.nn.MSELoss()(rl.tensor([1.0, 2.0]), rl.tensor([0.0, 4.0]))
        tensor(2.5000)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    r"""Absolute error with its corner rounded off.

    .. math:: \tfrac12 d^2 / \beta \text{ if } |d| < \beta \text{ else } |d| - \tfrac12 \beta
       \quad\text{with } d = x - t

    Args:
        beta: where the one form becomes the other; 0 is ``L1Loss``.
    Reference:
        Girshick 2015, "Fast R-CNN", equation 3, arXiv:1504.08083.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.SmoothL1Loss(reduction="none")(rl.tensor([0.5, 3.0]), rl.zeros(2))
        tensor([0.1250, 2.5000])
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", beta: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    r"""Squared error near 0, absolute error beyond ``delta``: less moved by outliers.

    .. math:: \tfrac12 d^2 \text{ if } |d| \le \delta \text{ else } \delta(|d| - \tfrac12 \delta)
       \quad\text{with } d = x - t

    Reference:
        Huber 1964, "Robust estimation of a location parameter".
    Example:
        >>> import rushlight as rl
        >>> rl.nn.HuberLoss(reduction="none")(rl.tensor([0.5, 3.0]), rl.zeros(2))
        tensor([0.1250, 2.5000])
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of class scores: the negative log likelihood of their softmax.

    Args:
        weight: a factor for each class; the mean over class targets is over the samples' weights.
        ignore_index: a class that does not count, in the loss and in the mean.
        label_smoothing: the part of each target that goes to all classes alike, from 0 to 1.
    Shape:
        input (N, C), (N, C, d1, ...) or (C); target (N), (N, d1, ...) or () of int64 classes, or
        the shape of input with probabilities; output (), or (N, d1, ...) with ``"none"``.
    Raises:
        IndexError: a class is not from 0 to C - 1.
        ValueError: numbers of samples differ, or there is no such ``reduction``.
        RuntimeError: the target's dtype or a shape does not fit.
    Example:
        >>> import rushlight as rl
        >>> scores = rl.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
        >>> rl.nn.CrossEntropyLoss()(scores, rl.tensor([0, 2]))
        tensor(1.2395)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.cross_entropy(
            input, target, self.weight, None, self.ignore_index, None, self.reduction,
            self.label_smoothing,
        )  # fmt: skip


class NLLLoss(_WeightedLoss):
    """Negative log likelihood: minus the log probability of each sample's class.

    Args:
        weight: a factor for each class; the mean is over the samples' weights.
        ignore_index: a class that does not count, in the loss and in the mean.
    Shape:
        input (N, C), (N, C, d1, ...) or (C); target (N), (N, d1, ...) or (), int64; output (), or
        the target's with ``"none"``.
    Raises:
        IndexError: a class is not from 0 to C - 1.
        ValueError: numbers of samples differ, or there is no such ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> scores = rl.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]).log()
        >>> rl.nn.NLLLoss()(scores, rl.tensor([0, 1]))
        tensor(0.4581)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.nll_loss(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class BCELoss(_WeightedLoss):
    r"""Cross entropy of yes-or-no probabilities: :math:`-t \log x - (1 - t) \log(1 - x)`.

    Args:
        weight: a factor that broadcasts to the input.
    Shape:
        input (*) floating, from 0 to 1; target the same.
    Raises:
        ValueError: input and target differ in size, or there is no such ``reduction``.
        RuntimeError: dtypes differ, or an element is not from 0 to 1.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.BCELoss()(rl.tensor([0.9, 0.2]), rl.tensor([1.0, 0.0]))
        tensor(0.1643)
    """

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    r"""Cross entropy of yes-or-no scores: that of :math:`\sigma(x)`, exact for all ``x``.

    Args:
        weight: a factor that broadcasts to the input.
        pos_weight: a factor for the positive part, usually one for each class.
    Shape:
        input (*) floating; target the same, with elements from 0 to 1.
    Raises:
        ValueError: input and target differ in size, or there is no such ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.BCEWithLogitsLoss()(rl.tensor([2.0, -1.0]), rl.tensor([1.0, 0.0]))
        tensor(0.2201)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: bool | None = None,
        reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    r"""How far a distribution, given by its logarithms, is from the target distribution.

    .. math:: t\,(\log t - x) \quad\text{or, with log\_target,}\quad e^t (t - x)

    Args:
        reduction: ``"batchmean"`` is the divergence itself; ``"mean"``, ``"sum"`` and ``"none"``
            treat elements alone.
        log_target: whether the target too is given by its logarithms.
    Reference:
        Kullback & Leibler 1951, "On information and sufficiency".
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([[0.5, 0.5]]).log(), rl.tensor([[0.25, 0.75]])
        >>> rl.nn.KLDivLoss(reduction="batchmean")(x, t)
        tensor(0.1308)
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None,
        reduction: str = "mean", log_target: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Any:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class NLLLoss2d(NLLLoss):
    """:class:`NLLLoss` under the name that it had for images."""


class PoissonNLLLoss(_Loss):
    r"""Negative log likelihood of counts under a Poisson distribution.

    .. math:: e^x - t x \quad\text{or, without log\_input,}\quad x - t \log(x + \epsilon)

    Args:
        log_input: whether the input is the logarithm of the expected count.
        full: whether the rest of the likelihood is added, as Stirling's formula has it.
        eps: added to the input before its logarithm is taken.
    Example:
        >>> import rushlight as rl
        >>> rl.nn.PoissonNLLLoss()(rl.tensor([0.0, 1.0]), rl.tensor([1.0, 2.0]))
        tensor(0.8591)
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, size_average: bool | None = None,
        eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Any:
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps,
            reduction=self.reduction,
        )  # fmt: skip


class GaussianNLLLoss(_Loss):
    r"""Negative log likelihood under a normal distribution whose variance is predicted too.

    .. math:: \tfrac12 \left(\log v + \frac{(x - t)^2}{v}\right), \quad v = \max(var, \epsilon)

    Args:
        full: whether the constant :math:`\tfrac12 \log 2 \pi` is added.
        eps: the least variance.
    Shape:
        input (N, *); target the same or what broadcasts with it; var the same as input, or without
        its last dimension, or with 1 there, or a number.
    Raises:
        ValueError: a variance is negative, or ``var`` has another shape.
    Reference:
        Nix & Weigend 1994, "Estimating the mean and variance of the target probability
        distribution".
    Example:
        >>> import rushlight as rl
        >>> x, t = rl.tensor([0.0, 1.0]), rl.tensor([1.0, 1.0])
        >>> rl.nn.GaussianNLLLoss()(x, t, rl.ones(2))
        tensor(0.2500)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Any:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )
