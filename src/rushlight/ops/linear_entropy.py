"""Cross entropy of scores that are a linear function of features."""

from __future__ import annotations

from typing import Any

from rushlight import ops
from rushlight.base.errors import OperationError, ShapeError
from rushlight.base.shapes import prod
from rushlight.graph.node import Node
from rushlight.graph.op import Composite

from .loss import REDUCTIONS


class LinearCrossEntropy(Composite):
    """``cross_entropy(linear(input, linear_weight, linear_bias), target, ...)``.

    Args:
        target: classes, or a probability for each class.
        linear_bias: of the linear function.
        weight, reduction, label_smoothing: those of :func:`cross_entropy`.
        ignore_index: a class that does not count; -100 when None.
        options: how PyTorch cuts the work into pieces. Nothing depends on it here.
    Shape:
        input (N, F) or (F); linear_weight (C, F) or (C, d1, ..., F); target (N, d1, ...), or
        (N, C, d1, ...) with probabilities; output (), or (N, d1, ...) with ``"none"``.
    Raises:
        RuntimeError: shapes that do not fit together.
        ValueError: another ``reduction``.
    Example:
        >>> import rushlight as rl
        >>> x, w = rl.tensor([[1.0, 2.0]]), rl.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> rl.nn.functional.linear_cross_entropy(x, w, rl.tensor([1]))
        tensor(0.3133)
    """

    name, module = "linear_cross_entropy", "nn.functional"
    ulp = 64
    torch = (
        "linear_cross_entropy(Tensor input, Tensor linear_weight, Tensor target, *,"
        " Tensor? linear_bias=None, Tensor? weight=None, str reduction='mean',"
        " int? ignore_index=None, float label_smoothing=0.0, Any options=None) -> Tensor"
    )

    def __call__(
        self, x: Node, linear_weight: Node, target: Node, *, linear_bias: Node | None = None,
        weight: Node | None = None, reduction: str = "mean", ignore_index: int | None = None,
        label_smoothing: float = 0.0, options: Any = None,
    ) -> Node:  # fmt: skip
        self._check(x, linear_weight, linear_bias)
        inner = linear_weight.shape[1:-1]
        shape = (*x.shape[:-1], linear_weight.shape[0], *inner)
        if target.shape == shape and ignore_index is not None:
            raise OperationError(
                self.name, "ignore_index cannot be specified when target contains probabilities"
            )
        if inner:
            count = linear_weight.shape[0] * prod(inner)
            linear_weight = ops.reshape(linear_weight, (count, x.shape[-1]))
            linear_bias = None if linear_bias is None else ops.reshape(linear_bias, (count,))
        scores = ops.reshape(ops.linear(x, linear_weight, linear_bias), shape)
        ignored = -100 if ignore_index is None else ignore_index
        return ops.cross_entropy(
            scores, target, weight, ignore_index=ignored, reduction=reduction,
            label_smoothing=label_smoothing,
        )  # fmt: skip

    def _check(self, x: Node, linear_weight: Node, linear_bias: Node | None) -> None:
        if x.ndim not in (1, 2):
            raise ShapeError(self.name, f"expected input with dimensionality 1 or 2, got {x.ndim}")
        if linear_weight.ndim < 2:
            raise ShapeError(
                self.name,
                f"expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}",
            )
        if x.shape[-1] != linear_weight.shape[-1]:
            raise ShapeError(
                self.name,
                "expected equal input and linear_weight last dimensions (in_features), got"
                f" {x.shape[-1]} and {linear_weight.shape[-1]}, respectively",
            )
        if linear_bias is not None and linear_bias.shape != linear_weight.shape[:-1]:
            raise ShapeError(
                self.name,
                f"expected linear_bias shape {linear_weight.shape[:-1]}, got {linear_bias.shape}",
            )
        if linear_weight.ndim > 2 and x.ndim == 1:
            raise ShapeError(
                self.name,
                f"K-dimensional loss defined by linear_weight shape {linear_weight.shape} requires"
                f" batched input, (N, {x.shape[-1]}), got unbatched input with shape {x.shape}",
            )

    def samples(self, make: Any) -> Any:
        target = make.int(3, low=0, high=4)
        for reduction in REDUCTIONS:
            yield make(3, 2), make(5, 2), target, {"reduction": reduction}
        options = {"linear_bias": make(5), "weight": make(5, low=0.1).detach(), "ignore_index": 2}
        yield make(3, 2), make(5, 2), target, options
        yield make(3, 2), make(5, 2), make(3, 5, low=0).detach(), {"label_smoothing": 0.1}
        yield make(2), make(5, 2), target[0]
        wide = make.int(3, 2, 2, low=0, high=4)
        yield make(3, 2), make(5, 2, 2, 2), wide, {"linear_bias": make(5, 2, 2)}

    def errors(self, make: Any) -> Any:
        call, x, w, t = make.call, make(3, 2), make(5, 2), make.int(3, low=0, high=4)
        yield lambda: call(make(1, 3, 2), w, t), RuntimeError, "dimensionality 1 or 2, got 3"
        yield lambda: call(x, make(2), t), RuntimeError, "dimensionality at least 2, got 1"
        yield lambda: call(x, make(5, 3), t), RuntimeError, "got 2 and 3, respectively"
        yield lambda: call(x, w, t, linear_bias=make(4)), RuntimeError, "expected linear_bias shape"
        yield lambda: call(make(2), make(5, 1, 2), t), RuntimeError, "requires batched input"
        yield lambda: call(x, w, make(3, 5), ignore_index=1), RuntimeError, "contains probabilities"
        yield lambda: call(x, w, t, reduction="all"), ValueError, "not a valid value"


linear_cross_entropy = LinearCrossEntropy()
