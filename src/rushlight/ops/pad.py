"""Room around the elements of a tensor, filled in one of four ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import int64
from rushlight.base.errors import MissingError, OperationError, ShapeError
from rushlight.graph.node import Node, known, number
from rushlight.graph.op import Composite, Op
from rushlight.graph.spec import Spec

from . import autocast
from .rows import IndexSelect
from .scalar import filling

Pairs = tuple[tuple[int, int], ...]


def pairs_of(pad: Sequence[int], rank: int) -> Pairs:
    """PyTorch's list, last dimension first, as (before, after) for every dimension in order."""
    given = [(int(pad[k]), int(pad[k + 1])) for k in range(0, len(pad), 2)]
    return ((0, 0),) * (rank - len(given)) + tuple(reversed(given))


class PadConstant(Op):
    """One number around a tensor; a negative width cuts off."""

    name, attrs, backward = "pad_constant", ("pairs",), "ConstantPadNd"

    def infer(self, x: Spec, value: Spec, *, pairs: Pairs) -> Spec:
        sizes = tuple(n + a + b for n, (a, b) in zip(x.shape, pairs, strict=True))
        kept = (n + min(a, 0) + min(b, 0) for n, (a, b) in zip(x.shape, pairs, strict=True))
        if any(n < 0 for n in kept):
            raise ShapeError(
                "pad",
                f"The input size {x.shape}, plus negative padding {pairs}, resulted in a negative"
                f" output size {sizes}, narrow(): length must be non-negative.",
            )
        return x.with_shape(sizes)

    def vjp(
        self, g: Node, y: Node, x: Node, value: Node, *, pairs: Pairs
    ) -> tuple[Node | None, ...]:
        back = tuple((-a, -b) for a, b in pairs)
        return self.record((g, number(0, g.dtype)), back), None

    def ref(self, x: Any, value: Any, *, pairs: Pairs) -> Any:
        sizes = [n + a + b for n, (a, b) in zip(x.shape, pairs, strict=True)]
        result = np.full(sizes, value, x.dtype)
        inner = tuple(slice(max(a, 0), n - max(b, 0)) for n, (a, b) in zip(sizes, pairs))
        kept = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pairs))
        result[inner] = x[kept]
        return result

    def element(self, b: Any, index: Any, x: Any, value: Any, *, pairs: Pairs) -> Any:
        places = [i - before for i, (before, _) in zip(index, pairs, strict=True)]
        inside = b.all([b.inside(i, 0, n) for i, n in zip(places, x.shape, strict=True)])
        return b.select(inside, x.at(*places, when=inside), value.at())

    def onnx(self, to: Any, x: Any, value: Any, *, pairs: Pairs) -> Any:
        if not x.ndim:
            return x
        return to("Pad", x, [*(a for a, _ in pairs), *(b for _, b in pairs)], value)


class EdgeSelect(IndexSelect):
    """Elements along a dimension and, around them, those that stand near its ends."""

    name, joint = "edge_select", True
    torch = ()  # type: ignore[assignment]  # no function of its own


class Pad(Composite):
    """Room around a tensor: ``pad`` holds two widths for each dimension, the last dimension first.

    ``mode`` is ``"constant"``, ``"reflect"`` (the edge is not repeated), ``"replicate"`` (the edge
    is) or ``"circular"``; all but the first pad the last one, two or three dimensions behind batch
    and channel.

    Example:
        >>> import rushlight as rl
        >>> rl.nn.functional.pad(rl.tensor([1, 2]), (1, 2))
        tensor([0, 1, 2, 0, 0])
    """

    name, module = "pad", "nn.functional"
    torch = "pad(Tensor input, int[1] pad, str mode='constant', Any value=None) -> Tensor"

    def __call__(
        self, x: Node, pad: Sequence[int], mode: str = "constant", value: Any = None
    ) -> Node:
        if len(pad) % 2:
            raise OperationError("pad", "Padding length must be divisible by 2")
        if len(pad) // 2 > x.ndim:
            raise OperationError(
                "pad",
                "Padding length should be less than or equal to two times the input dimension but"
                f" got padding length {len(pad)} and input of dimension {x.ndim}",
            )
        if mode == "constant":
            fill = filling("pad", 0 if value is None else value, x.dtype)
            return pad_constant.record((x, fill), pairs_of(pad, x.ndim))
        if mode not in PLACES:
            raise MissingError("pad", f"Unrecognised padding mode {mode}")
        if value is not None:
            raise OperationError("pad", f'Padding mode "{mode}" doesn\'t take in value argument')
        dims = len(pad) // 2
        if not (1 <= dims <= 3 and x.ndim in (dims + 1, dims + 2)):
            raise MissingError(
                "pad",
                f"Padding size {len(pad)} is not supported for {x.ndim}D input tensor.",
                rule="Widths are for the 1, 2 or 3 dimensions behind (batch and) channel.",
            )
        if autocast.mode.dtype is not None and (mode, dims) in IN_FLOAT32:
            (x,) = autocast.converted("wide", x)
        if mode != "circular" and 0 in x.shape[x.ndim - dims - 1 :]:
            raise ShapeError(
                "pad",
                "Expected a tensor with possibly 0 batch size and other non-zero dimensions for"
                f" input, but got: {list(x.shape)}",
            )
        for dim, (before, after) in enumerate(pairs_of(pad, x.ndim)):
            if before or after:
                x = _extended(x, dim, before, after, mode)
        return x

    def samples(self, make: Any) -> Any:
        yield make(3, 4), (1, 2)
        yield make(2, 3, 4), (0, 1, 2, 0), "constant", 1.5
        yield make(4, 3).T, (-1, 2, 1, -1)
        yield make.int(3), (1, 1), {"value": 2}
        yield make(0, 3), (1, 1)
        for mode in PLACES:
            yield make(2, 3, 4), (1, 2), mode
            yield make(1, 2, 4, 5), (2, 1, 0, 3), mode
            yield make(2, 2, 5), (-2, 2), mode
            yield make(2, 3, 4, 5), (1, 1, 1, 1, 1, 1), mode

    def errors(self, make: Any) -> Any:
        x = make(2, 3, 4)
        yield lambda: make.call(x, (1,)), RuntimeError, "must be divisible by 2"
        yield lambda: make.call(x, (1,) * 8), RuntimeError, "less than or equal to two times"
        yield lambda: make.call(x, (-3, -3)), RuntimeError, "must be non-negative"
        yield lambda: make.call(x, (1, 1), "mirror"), NotImplementedError, "Unrecognised padding"
        yield lambda: make.call(x, (1, 1), "reflect", 1.0), RuntimeError, "doesn't take in value"
        infinite = float("inf")
        yield lambda: make.call(make.int(3), (1, 1), value=infinite), RuntimeError, "overflow"
        yield lambda: make.call(x, (4, 4), "reflect"), RuntimeError, "less than the corresponding"
        yield lambda: make.call(x, (5, 5), "circular"), RuntimeError, "wrapping around more than"
        yield lambda: make.call(x, (-2, 3), "circular"), RuntimeError, "wrapping around more than"
        yield lambda: make.call(x, (-5, 3)), RuntimeError, "must be non-negative"
        yield lambda: make.call(make(1, 0, 3), (1, 1), "reflect"), RuntimeError, "non-zero dimens"
        yield (
            lambda: make.call(make(3), (1, 1), "reflect"),
            NotImplementedError,
            "is not supported for 1D input tensor",
        )


def _extended(x: Node, dim: int, before: int, after: int, mode: str) -> Node:
    """A tensor padded along one dimension with elements of its own."""
    size = x.shape[dim]
    _check(x, dim, before, after, mode)
    places = PLACES[mode](before, after, size).astype(np.int64)
    if places.size and places.min() < 0:
        raise ShapeError("pad", "Padding value causes wrapping around more than once.")
    select = ops.index_select if mode == "circular" else edge_select
    return select.record((x, known(Buffer(places, int64))), dim)


def _check(x: Node, dim: int, before: int, after: int, mode: str) -> None:
    size = x.shape[dim]
    if mode == "reflect" and max(before, after) >= size:
        raise ShapeError(
            "pad",
            "Padding size should be less than the corresponding input dimension, but got: padding"
            f" ({before}, {after}) at dimension {dim} of input {list(x.shape)}",
        )
    if mode == "circular" and max(before, after) > size:
        raise ShapeError("pad", "Padding value causes wrapping around more than once.")
    if size + before + after < 0 or not size:
        raise ShapeError(
            "pad", f"padding ({before}, {after}) does not fit dimension {dim} of size {size}"
        )


def _reflected(before: int, after: int, size: int) -> Any:
    places = np.abs(np.arange(-before, size + after))
    return np.where(places >= size, 2 * (size - 1) - places, places)


def _replicated(before: int, after: int, size: int) -> Any:
    return np.clip(np.arange(-before, size + after), 0, size - 1)


def _wrapped(before: int, after: int, size: int) -> Any:
    """PyTorch's order: what is kept, then room before it, then room behind, from what is there."""
    first, last = max(before, 0), size + before + min(after, 0)
    places = np.full(size + before + after, -1)
    places[first:last] = np.arange(max(-before, 0), size + min(after, 0))
    if before > 0:
        places[:before] = places[last - before : last]
    if after > 0:
        places[len(places) - after :] = places[first : first + after]
    return places


IN_FLOAT32 = {("reflect", 1), ("reflect", 2), *(("replicate", dims) for dims in (1, 2, 3))}
"""The modes, and in how many dimensions, that are float32 in an autocast region."""

PLACES: dict[str, Callable[[int, int, int], Any]] = {
    "reflect": _reflected, "replicate": _replicated, "circular": _wrapped,
}  # fmt: skip
"""For each mode that repeats elements, which one stands where along a dimension."""

pad_constant = PadConstant()
edge_select = EdgeSelect()
pad = Pad()
