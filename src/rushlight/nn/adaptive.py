"""A softmax over very many classes, most of which are rare."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import rushlight as rl
from rushlight.base.device import device as Device
from rushlight.base.dtypes import DType
from rushlight.base.errors import OperationError, ShapeError
from rushlight.tensor.tensor import Tensor

from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .module import Module

_NAME = "AdaptiveLogSoftmaxWithLoss"


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of targets among many classes, computed for few of them.

    Classes are ordered by how frequent they are. The head gives the first ones, and clusters of the
    others; a cluster is looked into only for samples whose target is in it.

    Args:
        in_features: the size of the input.
        n_classes: how many classes there are.
        cutoffs: where each cluster begins, increasing.
        div_value: each cluster's inner size is this many times smaller than the one before.
        head_bias: whether the head has a bias.
    Shape:
        input (N, in_features) or (in_features); target (N) or (); output the same as the target,
        and the mean loss.
    Raises:
        ValueError: cutoffs are not increasing numbers between 1 and ``n_classes`` - 1.
        RuntimeError: a target is out of range, or shapes do not fit.
    Reference:
        Grave et al. 2017, "Efficient softmax approximation for GPUs", arXiv:1609.04309.
    Example:
        >>> import rushlight as rl
        >>> softmax = rl.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 10])
        >>> output, loss = softmax(rl.randn(8, 16), rl.arange(8))
        >>> output.shape, softmax.log_prob(rl.randn(8, 16)).shape
        (torch.Size([8]), torch.Size([8, 20]))
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Device | str | None = None, dtype: DType | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        increasing = all(a < b for a, b in pairwise(cutoffs))
        whole = all(int(c) == c for c in cutoffs)
        if not (increasing and whole and cutoffs[0] > 0 and cutoffs[-1] < n_classes):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing"
                " order, where each value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        kind: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **kind)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner = int(in_features // div_value ** (i + 1))
            classes = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, inner, bias=False, **kind),
                    Linear(inner, classes, bias=False, **kind),
                )
            )

    def reset_parameters(self) -> None:
        """Draws the parameters anew."""
        self.head.reset_parameters()
        for cluster in self.tail:
            for layer in cluster:
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        _check_shapes(input_, target_)
        is_batched = target_.dim() > 0
        input = input_ if is_batched else input_.unsqueeze(0)
        target = target_ if is_batched else target_.unsqueeze(0)
        self._check_range(target)
        places, output = target, rl.zeros(target.shape, dtype=input.dtype)
        for i, low in enumerate(self.cutoffs[:-1]):
            inside = (target >= low) & (target < self.cutoffs[i + 1])
            rows = inside.nonzero().squeeze(1)
            if rows.numel():
                logs = F.log_softmax(self.tail[i](input.index_select(0, rows)), dim=1)
                own = (target.index_select(0, rows) - low).unsqueeze(1)
                output = output.index_copy(0, rows, logs.gather(1, own).squeeze(1))
                places = places.masked_fill(inside, self.shortlist_size + i)
        head = F.log_softmax(self.head(input), dim=1)
        output = output + head.gather(1, places.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if is_batched else output.squeeze(0), loss)

    def _check_range(self, target: Tensor) -> None:
        if target.numel() and bool(((target < 0) | (target >= self.n_classes)).any()):
            raise OperationError(
                _NAME,
                f"Target values should be in [0, {self.n_classes - 1}], but values in range"
                f" [{target.min().item()}, {target.max().item()}] were found. ",
            )

    def log_prob(self, input: Tensor) -> Tensor:
        """The log-probabilities of all classes: input (N, in_features), output (N, n_classes)."""
        return self._all(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each sample: input (N, in_features), output (N)."""
        head = self.head(input)
        best = head.argmax(1)
        rare = best >= self.shortlist_size
        rows = rare.nonzero().squeeze(1)
        if not rows.numel():
            return best
        logs = self._all(input.index_select(0, rows), head.index_select(0, rows))
        return best.index_copy(0, rows, logs.argmax(1))

    def _all(self, input: Tensor, head: Tensor) -> Tensor:
        """The log-probabilities of all classes, given the head's output."""
        logs = F.log_softmax(head, dim=1)
        pieces = [logs[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            place = self.shortlist_size + i
            pieces.append(F.log_softmax(cluster(input), dim=1) + logs[:, place : place + 1])
        return rl.cat(pieces, 1)


def _check_shapes(input: Tensor, target: Tensor) -> None:
    if target.dim() > 1:
        raise ShapeError(_NAME, "0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and input.shape[0] != target.shape[0]:
        raise ShapeError(
            _NAME, "Input and target should have the same size in the batch dimension."
        )
    if input.dim() != target.dim() + 1:
        raise ShapeError(
            _NAME,
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors,"
            f" but found inputs with size {input.size()}",
        )
