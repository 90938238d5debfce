"""Weighted sums of a few elements along a dimension: what interpolation is made of.

Which elements and which weights stands in tables of one row for each element of the result. The
transpose of such an operation is another one with tables of its own, so each carries both.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import DType, float32, int32, int64, uint8
from rushlight.graph.node import Node, known
from rushlight.graph.op import Op
from rushlight.graph.spec import Spec

from .pool_onnx import product_along

SHARP, SOFT = -0.75, -0.5
"""Slopes of the cubic's outer parts: Keys 1981 (SOFT), and as most image libraries have it."""
WIDTHS = {"linear": 2, "cubic": 4, "lanczos": 6}
_UNROLLED = 4  # so many terms are written out rather than looped over


class Rule(NamedTuple):
    """How a dimension is resampled.

    Attributes:
        kind: ``linear``, ``cubic`` or ``lanczos``.
        inputs, outputs: its size before and after.
        scale: how far apart results lie in the input, when told rather than found from the sizes.
        corners: whether the outermost elements lie on each other.
        wide: whether a smaller result averages over all the elements that it stands for.
    """

    kind: str
    inputs: int
    outputs: int
    scale: float | None
    corners: bool
    wide: bool

    def step(self, kind: Any) -> Any:
        """From one result to the next, in elements of the input, as a number of a type."""
        if self.corners:
            return kind(self.inputs - 1) / kind(self.outputs - 1) if self.outputs > 1 else kind(0)
        if self.scale:
            return kind(1.0 / self.scale)
        return kind(self.inputs) / kind(self.outputs)


class Tables(NamedTuple):
    """Places ``(outputs, terms)``, -1 for none, their weights, and the same of the transpose."""

    places: Buffer
    weights: Buffer
    back_places: Buffer
    back_weights: Buffer


class Resample(Op):
    """Weighted sums of elements along ``dim``.

    Inputs are a tensor and :class:`Tables`, of which the last two are for the gradient.
    """

    name, attrs, backward = "resample", ("dim",), "Upsample"
    batched = "along"
    ulp = 16

    def __call__(self, x: Node, dim: int, rule: Rule) -> Node:
        made = tables(rule, float32 if x.dtype.is_half else x.dtype)
        return self.record((x, *map(known, made)), dim)

    def infer(self, x: Spec, places: Spec, *rest: Spec, dim: int) -> Spec:
        return x.with_shape((*x.shape[:dim], places.shape[0], *x.shape[dim + 1 :]))

    def vjp(
        self, g: Node, y: Node, x: Node, places: Node, weights: Node, back_places: Node,
        back_weights: Node, *, dim: int,
    ) -> tuple[Node | None, ...]:  # fmt: skip
        gx = self.record((g, back_places, back_weights, places, weights), dim)
        return gx, None, None, None, None

    def ref(self, x: Any, places: Any, weights: Any, *back: Any, dim: int) -> Any:
        shape = (*x.shape[:dim], places.shape[0], *x.shape[dim + 1 :])
        result = np.zeros(shape, x.dtype)
        along = (-1,) + (1,) * (x.ndim - dim - 1)
        for place, weight in zip(places.T, weights.T, strict=True):
            rows = place >= 0
            if rows.all():
                result += np.take(x, place, dim) * weight.reshape(along)
            else:
                here = (slice(None),) * dim + (rows,)
                result[here] += np.take(x, place[rows], dim) * weight[rows].reshape(along)
        return result

    def element(
        self, b: Any, index: Any, x: Any, places: Any, weights: Any, *back: Any, dim: int
    ) -> Any:
        def term(k: Any) -> Any:
            place, weight = places.at(index[dim], k), weights.at(index[dim], k)
            exists = b.ge(place, 0)
            here = b.index(b.maximum(place, 0), x.shape[dim])
            value = x.at(*index[:dim], here, *index[dim + 1 :], when=exists)
            return b.select(exists, b.mul(value, weight), 0)

        count = places.shape[1]
        if count > _UNROLLED:
            return b.reduce("sum", [count], term)
        total = term(0)
        for k in range(1, count):
            total = b.add(total, term(k))
        return total

    def onnx(self, to: Any, x: Any, places: Any, weights: Any, *back: Any, dim: int) -> Any:
        return resampled(to, x, places, weights, dim)


def resampled(to: Any, x: Any, places: Any, weights: Any, dim: int) -> Any:
    """ONNX's Resize where the tables are its, else a product with a matrix made of them.

    ``places`` and ``weights`` have ``tables``, one for each size at which a model was recorded.
    """
    if not places.tables or not weights.tables:
        return None
    counts = [len(each) for each in places.tables]
    sizes = getattr(x.shape[dim], "values", (x.shape[dim],) * len(counts))
    for kind, corners in (("linear", False), ("linear", True), ("cubic", False), ("cubic", True)):
        rules = [Rule(kind, n, m, None, corners, False) for n, m in zip(sizes, counts, strict=True)]
        tables_ = zip(rules, places.tables, weights.tables, strict=True)
        if all(_is_of(*each) for each in tables_) and x.dtype is float32 and 2 <= dim < x.ndim:
            return _resized(to, x, dim, to.result.shape, kind, corners)
    if places.array is None or not isinstance(x.shape[dim], int):
        return None
    matrix = np.zeros((x.shape[dim], len(places.array)), weights.array.dtype)
    rows = np.broadcast_to(np.arange(len(places.array))[:, None], places.array.shape)
    kept = places.array >= 0
    np.add.at(matrix, (places.array[kept], rows[kept]), weights.array[kept])
    return product_along(to, x, x.ndim, dim, matrix.astype(x.dtype.numpy))


def _is_of(rule: Rule, places: Any, weights: Any) -> bool:
    """Whether tables are those of a rule."""
    wanted, shares = _pointwise(rule, weights.dtype.type)
    same = wanted.shape == places.shape and bool((wanted == places).all())
    return same and bool(np.allclose(shares, weights, atol=1e-6))


def _resized(to: Any, x: Any, dim: int, shape: Any, kind: str, corners: bool) -> Any:
    """Resize along one dimension; of signals as of images of height 1."""
    signal = x.ndim == 3
    given = to("Unsqueeze", x, [2]) if signal else x
    sizes = [*shape[:2], 1, shape[2]] if signal else shape
    y = to(
        "Resize", given, None, None, sizes, mode=kind, cubic_coeff_a=SHARP,
        coordinate_transformation_mode="align_corners" if corners else "half_pixel",
    )  # fmt: skip
    return to("Squeeze", y, [2]) if signal else y


def resampled_bytes(x: Node, dim: int, rule: Rule) -> Node:
    """Bytes resampled in whole numbers, as Pillow and PyTorch do.

    Weights are multiples of a power of two that fit 16 bits, and the result is rounded to a byte.
    """
    places, weights, bits = _byte_tables(rule)
    total = resample.record((ops.cast(x, int32), known(places), known(weights)), dim)
    rounded = ops.bitwise_right_shift(total + (1 << bits >> 1), bits)
    return ops.cast(ops.clamp(rounded, 0, 255), uint8)


@lru_cache(maxsize=256)
def _byte_tables(rule: Rule) -> tuple[Buffer, Buffer, int]:
    """Places, weights as whole numbers, and of which power of two these are parts."""
    places, weights = (_widened if rule.wide else _pointwise)(rule, np.float64)
    for k in range(places.shape[1] - 1, 0, -1):  # what the border repeats is weighted once
        again = places[:, k] == places[:, k - 1]
        weights[:, k - 1] += np.where(again, weights[:, k], 0)
        places[again, k] = -1
    weights = np.where(places < 0, 0, weights)
    bits = next(k for k in range(23) if int(0.5 + weights.max() * (2 << k)) >= 1 << 15 or k == 22)
    scaled = weights * (1 << bits)
    whole = np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5)).astype(np.int32)
    return Buffer(places, int64), Buffer(whole, int32), bits


@lru_cache(maxsize=256)
def tables(rule: Rule, dtype: DType) -> Tables:
    """The tables of a rule, whose weights are of a type."""
    places, weights = (_widened if rule.wide else _pointwise)(rule, dtype.numpy.type)
    back = _transposed(places, weights, rule.inputs)
    numbers = (Buffer(np.ascontiguousarray(a), int64) for a in (places, back[0]))
    factors = (Buffer(np.ascontiguousarray(a, dtype.numpy), dtype) for a in (weights, back[1]))
    (forth, behind), (weight, behind_weight) = numbers, factors
    return Tables(forth, weight, behind, behind_weight)


def _pointwise(rule: Rule, kind: Any) -> tuple[Any, Any]:
    """Elements around the point that each result stands for."""
    at = np.arange(rule.outputs).astype(kind)
    if rule.inputs == rule.outputs:
        source = at
    elif rule.corners:
        source = rule.step(kind) * at
    else:
        source = rule.step(kind) * (at + kind(0.5)) - kind(0.5)
    last = rule.inputs - 1
    if rule.kind == "linear":
        source = np.maximum(source, 0)
        first = np.minimum(source.astype(np.int64), last)
        part = np.clip(source - first.astype(kind), 0, 1)
        return np.stack((first, np.minimum(first + 1, last)), 1), np.stack((1 - part, part), 1)
    first = np.minimum(np.floor(source), last).astype(np.int64)
    part = np.clip(source - first.astype(kind), 0, 1)
    taps = np.arange(-1, 3)
    places = np.clip(first[:, None] + taps, 0, last)
    return places, _cubic(part[:, None] - taps.astype(kind), SHARP)


def _widened(rule: Rule, kind: Any) -> tuple[Any, Any]:
    """All elements that each result stands for."""
    step = rule.step(kind)
    support = kind(WIDTHS[rule.kind] / 2) * max(step, kind(1))
    center = step * (np.arange(rule.outputs).astype(kind) + kind(0.5))
    low = np.maximum((center - support + kind(0.5)).astype(np.int64), 0)
    high = np.minimum((center + support + kind(0.5)).astype(np.int64), rule.inputs)
    count = ceil(support) * 2 + 1
    high = np.minimum(high, low + count)
    places = low[:, None] + np.arange(count)
    weights = _FILTERS[rule.kind]((places - center[:, None] + kind(0.5)) / max(step, kind(1)))
    weights = np.where(places < high[:, None], weights, 0)
    total = weights.sum(axis=1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    return np.where(places < high[:, None], places, -1), weights


def _cubic(x: Any, slope: float) -> Any:
    """Keys 1981, "Cubic convolution interpolation for digital image processing", equation 15."""
    x = np.abs(x)
    near = ((slope + 2) * x - (slope + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * slope
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Any) -> Any:
    """Duchon 1979, "Lanczos filtering in one and two dimensions", with three lobes."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


_FILTERS: dict[str, Any] = {
    "linear": lambda x: np.maximum(1 - np.abs(x), 0),
    "cubic": lambda x: _cubic(x, SOFT),
    "lanczos": _lanczos,
}


def _transposed(places: Any, weights: Any, inputs: int) -> tuple[Any, Any]:
    """The tables of the transpose: for each element, the results that have it."""
    rows, taps = np.nonzero(places >= 0)
    order = np.argsort(places[rows, taps], kind="stable")
    rows, taps = rows[order], taps[order]
    where = places[rows, taps]
    counts = np.bincount(where, minlength=inputs)
    column = np.arange(len(where)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = max(1, int(counts.max(initial=0)))
    back = np.full((inputs, width), -1, np.int64)
    factors = np.zeros((inputs, width), weights.dtype)
    back[where, column] = rows
    factors[where, column] = weights[rows, taps]
    return back, factors


resample = Resample()
