"""Looking up rows by number, and numbers as rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int32, int64
from rushlight.base.errors import DTypeError, Fault, OperationError, ShapeError
from rushlight.graph.node import Node
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .places import Indexing, known_bounds
from .rows import out_of_range


class Embedding(Indexing):
    """The rows of ``weight`` that ``indices`` name, in the shape of ``indices``.

    The row at ``padding_idx`` gets no gradient (-1 for none). With ``scale_grad_by_freq`` a row's
    gradient is divided by how often the row was named.

    Example:
        >>> import rushlight as rl
        >>> rl.embedding(rl.tensor([[1.0, 2.0], [3.0, 4.0]]), rl.tensor([1, 1]))
        tensor([[3., 4.],
                [3., 4.]])
    """

    name = "embedding"
    attrs = ("padding_idx", "scale_grad_by_freq")
    torch = (
        "embedding(Tensor weight, Tensor indices, int padding_idx=-1,"
        " bool scale_grad_by_freq=False, bool sparse=False) -> Tensor"
    )

    def __call__(
        self, weight: Node, indices: Node, padding_idx: int = -1,
        scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Node:  # fmt: skip
        if indices.dtype not in (int32, int64):
            found = ops.TORCH_NAMES[indices.dtype.name][1:-1]
            raise DTypeError(
                "embedding",
                "Expected tensor for argument #1 'indices' to have one of the following scalar"
                f" types: Long, Int; but got torch.{found}Tensor instead (while checking arguments"
                " for embedding)",
                hint="Convert it, as in indices.long().",
            )
        if weight.ndim != 2:
            raise ShapeError("embedding", "'weight' must be 2-D", rule=f"It is {weight.shape}.")
        self.foresee(indices, 0, weight.shape[0])
        places = ops.cast(indices, int64)
        return self.record((weight, places), int(padding_idx), bool(scale_grad_by_freq))

    def infer(self, weight: Spec, index: Spec, **attrs: Any) -> Spec:
        return weight.with_shape((*index.shape, weight.shape[1]))

    def vjp(
        self, g: Node, y: Node, weight: Node, index: Node, *,
        padding_idx: int, scale_grad_by_freq: bool,
    ) -> tuple[Node | None, ...]:  # fmt: skip
        zeros = ops.zeros(weight.spec)
        flat = ops.reshape(index, (-1,))
        rows = ops.reshape(g, (index.spec.numel, weight.shape[1]))
        if padding_idx >= 0:
            rows = ops.where(ops.unsqueeze(ops.eq(flat, padding_idx), 1), 0.0, rows)
        if scale_grad_by_freq:
            times = ops.full(weight.shape[:1], 0, weight.dtype)
            ones = ops.full(flat.shape, 1, weight.dtype)
            times = ops.index_add.record((times, flat, ones), 0)
            rows = rows / ops.unsqueeze(ops.index_select.record((times, flat), 0), 1)
        return ops.index_add.record((zeros, flat, rows), 0), None

    def ref(self, weight: Any, index: Any, **attrs: Any) -> Any:
        return weight[self.places(index, 0, weight.shape[0])]

    def element(self, b: Any, index: Any, weight: Any, places: Any, **attrs: Any) -> Any:
        row = self.place(b, places.at(*index[:-1]), weight.shape[0])
        return weight.at(row, index[-1])

    def outside(self, place: int, dim: int, size: int) -> Fault:
        return out_of_range("embedding", place, dim, size)

    def onnx(self, to: Any, weight: Any, index: Any, **attrs: Any) -> Any:
        return to("Gather", weight, index, axis=0)

    def samples(self, make: Any) -> Any:
        yield make(5, 3), make.int(2, 4, low=0, high=4)
        yield make.int(5, 3), make.int(6, low=0, high=4), 2
        yield make.int(5, 3), make.int(6, low=0, high=2), -1, True
        yield make(5, 3), make.int(low=0, high=4)
        yield make(5, 3), make.int(0, low=0, high=4)

    def errors(self, make: Any) -> Any:
        w = make(5, 3)
        yield lambda: make.call(w, make.int(1, low=5, high=6)), IndexError, "index out of range"
        yield lambda: make.call(w, make.int(1, low=-2, high=-1)), IndexError, "index out of range"
        yield lambda: make.call(w, make(1)), RuntimeError, "but got torch.FloatTensor instead"
        yield lambda: make.call(make(5), make.int(1)), RuntimeError, "'weight' must be 2-D"


class OneHot(Op):
    """A 1 at the place that each number names, in a new last dimension of known size."""

    name, attrs = "one_hot", ("num_classes",)
    differentiable = False

    def __call__(self, x: Node, num_classes: int) -> Node:
        if x.dtype is not int64:
            raise DTypeError(
                "one_hot",
                "one_hot is only applicable to index tensor of type LongTensor.",
                hint="Convert it, as in x.long().",
            )
        if not x.spec.numel and num_classes <= 0:
            raise OperationError(
                "one_hot", "Can not infer total number of classes from empty tensor."
            )
        if (bounds := known_bounds(x)) is not None:
            self._check(*bounds, num_classes)
        return self.record((x,), int(num_classes))

    def infer(self, x: Spec, *, num_classes: int) -> Spec:
        return x.with_shape((*x.shape, max(num_classes, 0)))

    def ref(self, x: Any, *, num_classes: int) -> Any:
        if x.size:
            self._check(int(x.min()), int(x.max()), num_classes)
        return (x[..., None] == np.arange(num_classes)).astype(np.int64)

    def element(self, b: Any, index: Any, x: Any, *, num_classes: int) -> Any:
        place = b.value(b.index(x.at(*index[:-1]), num_classes))
        return b.cast(b.eq(place, b.value(index[-1])), int64)

    def _check(self, low: int, high: int, num_classes: int) -> None:
        if low < 0:
            raise OperationError(
                "one_hot",
                "Class values must be non-negative.",
                rule=f"The smallest value is {low}.",
            )
        if high >= num_classes:
            raise OperationError(
                "one_hot",
                "Class values must be smaller than num_classes.",
                rule=f"There are {num_classes} classes, the largest value is {high}.",
            )

    def onnx(self, to: Any, x: Any, *, num_classes: int) -> Any:
        return to("OneHot", x, np.int64(num_classes), np.array([0, 1]), axis=-1)


embedding = Embedding()
one_hot = OneHot()
