"""Where values belong in sorted sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.dtypes import int32, int64
from rushlight.base.errors import ArgTypeError, OperationError, ShapeError
from rushlight.base.promotion import default_dtype
from rushlight.graph.node import Node, number
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from .scan_onnx import places_in


class Searchsorted(Op):
    """The first place where each value could stand in a sorted sequence without disorder.

    ``right`` (or ``side="right"``) takes the last such place. A sequence with several dimensions
    holds one sequence for each row of values; ``sorter`` names the order of one that is not sorted.

    Example:
        >>> import rushlight as rl
        >>> rl.searchsorted(rl.tensor([1, 3, 5]), rl.tensor([3, 4]))
        tensor([1, 2])
        >>> rl.searchsorted(rl.tensor([1, 3, 5]), rl.tensor([3, 4]), right=True)
        tensor([2, 2])
    """

    name, attrs, differentiable = "searchsorted", ("right", "out_int32"), False
    torch = (
        "searchsorted(Tensor sorted_sequence, Any input, *, bool out_int32=False, bool right=False,"
        " str? side=None, Tensor? sorter=None) -> Tensor"
    )

    def __call__(
        self, sequence: Node, values: Any, *, out_int32: bool = False, right: bool = False,
        side: str | None = None, sorter: Node | None = None,
    ) -> Node:  # fmt: skip
        right = self._side(side, right)
        if not isinstance(values, Node):
            if not isinstance(values, (int, float)):
                raise ArgTypeError(
                    "searchsorted",
                    f"argument 'input' must be Tensor or Number, not {type(values).__name__}",
                )
            values = number(values, default_dtype() if isinstance(values, float) else None)
        if sorter is not None:
            if sorter.shape != sequence.shape or sorter.dtype is not int64:
                raise ShapeError(
                    "searchsorted",
                    "torch.searchsorted(): boundary and sorter must have the same size, but got"
                    f" boundary tensor {list(sequence.shape)}and got sorter tensor"
                    f" {list(sorter.shape)}",
                )
            sequence = ops.gather(sequence, -1, sorter)
        return self.record((sequence, values), right, bool(out_int32))

    def _side(self, side: str | None, right: bool) -> bool:
        if side is None:
            return bool(right)
        if side not in ("left", "right"):
            raise OperationError(
                "searchsorted",
                f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}",
            )
        if side == "left" and right:
            raise OperationError(
                "searchsorted",
                "torch.searchsorted(): side and right can't be set to opposites, got side of left"
                " while right was True",
            )
        return side == "right"

    def infer(self, sequence: Spec, values: Spec, *, right: bool, out_int32: bool) -> Spec:
        if not sequence.ndim:
            raise ShapeError(
                "searchsorted",
                "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0"
                " dimension",
            )
        if sequence.ndim > 1 and sequence.shape[:-1] != values.shape[:-1]:
            raise ShapeError(
                "searchsorted",
                "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1"
                " dimensions of boundaries tensor and input value tensor must match, but we got"
                f" boundaries tensor {list(sequence.shape)} and input value tensor"
                f" {list(values.shape)}",
            )
        return values.with_dtype(int32 if out_int32 else int64)

    def ref(self, sequence: Any, values: Any, *, right: bool, out_int32: bool) -> Any:
        side: Any = "right" if right else "left"
        if sequence.ndim == 1 or not values.size:
            return np.searchsorted(sequence.reshape(-1), values, side)
        if not sequence.size:
            return np.zeros(values.shape, np.int64)
        rows = sequence.reshape(-1, sequence.shape[-1])
        wanted = values.reshape(len(rows), values.shape[-1])
        found = [np.searchsorted(row, w, side) for row, w in zip(rows, wanted, strict=True)]
        return np.array(found, np.int64).reshape(values.shape)

    def onnx(self, to: Any, sequence: Any, values: Any, *, right: bool, out_int32: bool) -> Any:
        return places_in(to, sequence, values, right)

    def samples(self, make: Any) -> Any:
        line = make.int(9, low=0, high=5).sort()[0]
        yield line, make.int(3, 4, low=-1, high=6)
        yield line, make.int(4, low=-1, high=6), {"right": True, "out_int32": True}
        yield line, 3
        yield make(2, 5).sort()[0], make(2, 3)
        yield make(2, 5).sort()[0], make(2, 3), {"side": "right"}
        yield make(4).sort()[0], 0.5
        yield line, make.int(2), {"sorter": line.argsort(stable=True)}
        yield make(0), make(3)

    def errors(self, make: Any) -> Any:
        line = make(4)
        yield lambda: make.call(make(2, 4), make(3, 4)), RuntimeError, "first N-1 dimensions"
        yield lambda: make.call(make(), make(3)), RuntimeError, "should have positive dimension"
        yield lambda: make.call(line, line, side="up"), RuntimeError, "'left' or 'right' but got up"
        yield lambda: make.call(line, line, side="left", right=True), RuntimeError, "opposites"
        yield lambda: make.call(line, line, sorter=make.int(3)), RuntimeError, "the same size"


class Bucketize(Composite):
    """Between which two of some boundaries each value lies.

    Example:
        >>> import rushlight as rl
        >>> rl.bucketize(rl.tensor([0.5, 2.5]), rl.tensor([1.0, 2.0, 3.0]))
        tensor([0, 2])
    """

    name, differentiable = "bucketize", False
    torch = (
        "bucketize(Any input, Tensor boundaries, *, bool out_int32=False, bool right=False)"
        " -> Tensor"
    )

    def __call__(
        self, x: Any, boundaries: Node, *, out_int32: bool = False, right: bool = False
    ) -> Node:
        if boundaries.ndim != 1:
            raise ShapeError(
                "bucketize",
                f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})",
            )
        return ops.searchsorted(boundaries, x, out_int32=out_int32, right=right)

    def samples(self, make: Any) -> Any:
        yield make(3, 4), make(5).sort()[0]
        yield make.int(4), make.int(5).sort()[0], {"right": True}
        yield 0.5, make(5).sort()[0]

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(3), make(3, 3)), RuntimeError, "must be 1 dimension"


searchsorted = Searchsorted()
bucketize = Bucketize()
