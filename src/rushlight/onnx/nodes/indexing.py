"""What looks up or writes elements at places that are given as numbers."""

from __future__ import annotations

from typing import Any

import rushlight as rl

from .elements import Carried
from .registry import node


def _places(index: rl.Tensor, size: int) -> rl.Tensor:
    """Places from the front; ONNX counts negative ones from the end."""
    index = index.to(rl.int64)
    return rl.where(index < 0, index + size, index)


@node("Gather", carried="move")
def gather(x: rl.Tensor, index: rl.Tensor, *, axis: int = 0) -> rl.Tensor:
    axis %= x.ndim
    places = _places(index, x.shape[axis])
    found = x.index_select(axis, places.reshape(-1))
    return found.reshape(tuple(x.shape[:axis]) + tuple(index.shape) + tuple(x.shape[axis + 1 :]))


@node("GatherElements", carried="move")
def gather_elements(x: rl.Tensor, index: rl.Tensor, *, axis: int = 0) -> rl.Tensor:
    return x.gather(axis, _places(index, x.shape[axis]))


@node("GatherND", carried="move")
def gather_nd(x: rl.Tensor, index: rl.Tensor, *, batch_dims: int = 0) -> rl.Tensor:
    b, depth = batch_dims, index.shape[-1]
    batch = tuple(index.shape[:b])
    where: list[rl.Tensor] = []
    for at, size in enumerate(batch):  # each example looks into its own part
        sizes = [1] * (index.ndim - 1)
        sizes[at] = size
        where.append(rl.arange(size).reshape(sizes))
    where += [_places(index[..., at], x.shape[b + at]) for at in range(depth)]
    return x[tuple(where)]


@node("ScatterElements", "Scatter", carried="move")
def scatter_elements(
    x: rl.Tensor, index: rl.Tensor, updates: rl.Tensor, *, axis: int = 0, reduction: str = "none"
) -> rl.Tensor:
    places = _places(index, x.shape[axis])
    if reduction == "none":
        return x.scatter(axis, places, updates)
    return x.scatter_reduce(axis, places, updates, REDUCTIONS[reduction])


REDUCTIONS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@node("ScatterND", carried="move")
def scatter_nd(
    x: rl.Tensor, index: rl.Tensor, updates: rl.Tensor, *, reduction: str = "none"
) -> rl.Tensor:
    depth = index.shape[-1]
    rest = tuple(x.shape[depth:])
    rows = x.reshape((-1, *rest)) if depth else x.reshape((1, *rest))
    place = rl.zeros(index.shape[:-1], dtype=rl.int64)
    for at in range(depth):  # the number of a row among all rows
        place = place * x.shape[at] + _places(index[..., at], x.shape[at])
    place = place.reshape(-1)
    values = updates.reshape((place.shape[0], *rest))
    place = place.reshape((-1,) + (1,) * len(rest)).expand(values.shape)
    if reduction == "none":
        return rows.scatter(0, place, values).reshape(x.shape)
    return rows.scatter_reduce(0, place, values, REDUCTIONS[reduction]).reshape(x.shape)


@node("TensorScatter")
def tensor_scatter(
    past: rl.Tensor, update: rl.Tensor, where: rl.Tensor | None = None, *, axis: int = -2,
    mode: str = "linear",
) -> rl.Tensor:  # fmt: skip
    axis %= past.ndim
    size, count = past.shape[axis], update.shape[axis]
    place = rl.arange(count)[None]  # (1, L)
    place = place if where is None else place + where[:, None]
    place = place % size if mode == "circular" else place
    sizes = [1] * past.ndim
    sizes[0], sizes[axis] = place.shape[0], count
    return past.scatter(axis, place.reshape(sizes).expand(update.shape), update)


@node("NonZero")
def non_zero(x: rl.Tensor) -> rl.Tensor:
    return rl.nonzero(x).T.contiguous()


@node("Compress", carried="move")
def compress(x: rl.Tensor, condition: rl.Tensor, *, axis: int | None = None) -> rl.Tensor:
    if axis is None:
        x, axis = x.reshape(-1), 0
    return x.index_select(axis, rl.nonzero(condition).reshape(-1))


@node("OneHot", frozen=(2,))
def one_hot(index: rl.Tensor, depth: rl.Tensor, values: rl.Tensor, *, axis: int = -1) -> rl.Tensor:
    classes = int(depth.item())
    axis = axis % (index.ndim + 1)
    place = _places(index, classes).unsqueeze(axis)
    sizes = [1] * (index.ndim + 1)
    sizes[axis] = classes
    hot = place == rl.arange(classes).reshape(sizes)
    return rl.where(hot, values[1], values[0])


@node("Unique")
def unique(x: rl.Tensor, *, axis: int | None = None, sorted: int = 1) -> tuple[rl.Tensor, ...]:
    if axis is None:
        x, axis = x.reshape(-1), 0
    values, inverse, counts = rl.unique(x, return_inverse=True, return_counts=True, dim=axis)
    size = x.shape[axis]
    first = rl.full(counts.shape, size, dtype=rl.int64)
    first = first.scatter_reduce(0, inverse, rl.arange(size), "amin")
    if not sorted:  # in the order in which they come first
        order = rl.argsort(first)
        values, first, counts = values.index_select(axis, order), first[order], counts[order]
        inverse = rl.argsort(order)[inverse]
    return values, first, inverse, counts


@node("ArrayFeatureExtractor", domain="ai.onnx.ml")
def array_feature_extractor(x: rl.Tensor, index: rl.Tensor) -> rl.Tensor:
    return x.reshape(-1, x.shape[-1]).index_select(1, index.reshape(-1))


@node("Binarizer", domain="ai.onnx.ml")
def binarizer(x: rl.Tensor, *, threshold: float = 0.0) -> rl.Tensor:
    return (x > threshold).to(x.dtype)


@node("LabelEncoder", domain="ai.onnx.ml", since=2)
def label_encoder(x: rl.Tensor, **mapping: Any) -> rl.Tensor:
    """Numbers for numbers, by a table of the file."""
    keys, values = (_column(mapping, name) for name in ("keys", "values"))
    default = mapping.get("default_tensor")
    if isinstance(default, Carried) or default is None:
        plain = mapping.get("default_float", 0.0) if values.is_floating_point() else -1
        default = rl.tensor(mapping.get("default_int64", plain), dtype=values.dtype)
    hit = x.unsqueeze(-1) == keys  # (..., number of keys)
    if keys.is_floating_point():
        hit = hit | (rl.isnan(x).unsqueeze(-1) & rl.isnan(keys))
    found = values[hit.to(rl.int64).argmax(-1)]
    return rl.where(hit.any(-1), found, default.reshape(()).to(values.dtype))


def _column(mapping: dict[str, Any], name: str) -> rl.Tensor:
    if f"{name}_tensor" in mapping:
        return mapping[f"{name}_tensor"]
    if f"{name}_floats" in mapping:
        return rl.tensor(mapping[f"{name}_floats"])
    return rl.tensor(mapping[f"{name}_int64s"], dtype=rl.int64)
