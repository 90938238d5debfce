"""Pooling of regions as a linear map: each result is a weighted sum over a rectangle of pixels.

The weights of the pooled kinds are products of one for the row and one for the column, so a region
is two small matrix products on its part of the feature map. The map's gradient is its transpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor

Pair = tuple[int, int]


def pair(size: int | tuple[int, ...] | list[int]) -> Pair:
    """Height and width of one number for both, or of two."""
    if isinstance(size, int):
        return size, size
    height, width = size
    return height, width


def regions(boxes: Tensor | list[Tensor] | tuple[Tensor, ...]) -> Tensor:
    """Boxes as (K, 5): the image's index, then x1, y1, x2, y2.

    Raises:
        AssertionError: another shape; the type is torchvision's.
    """
    if isinstance(boxes, Tensor):
        if boxes.dim() != 2 or boxes.shape[1] != 5:
            raise AssertionError("The boxes tensor shape is not correct as Tensor[K, 5]")
        return boxes
    if not isinstance(boxes, list | tuple):
        raise AssertionError("boxes is expected to be a Tensor[L, 5] or a List[Tensor[K, 4]]")
    if any(one.dim() != 2 or one.shape[1] != 4 for one in boxes):
        raise AssertionError(
            "The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]"
        )
    numbers = [rl.full_like(one[:, :1], i) for i, one in enumerate(boxes)]
    return rl.cat((rl.cat(numbers), rl.cat(list(boxes))), dim=1)


@dataclass(frozen=True)
class Axis:
    """For K regions with P bins each, which pixels of one axis count how much.

    ``weights`` (K, P, S) are of the pixels from ``starts`` (K,) on; ``lengths`` (K,) of them count.
    """

    starts: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray

    def part(self, k: int) -> tuple[slice, np.ndarray]:
        """The pixels of region ``k`` and their weights (P, S)."""
        length = self.lengths[k]
        return slice(self.starts[k], self.starts[k] + length), self.weights[k, :, :length]


def axis(places: np.ndarray, weights: np.ndarray, size: int) -> Axis:
    """The axis on which bins sum pixels at ``places`` (K, P, J) times ``weights`` (K, P, J)."""
    K, P, J = places.shape
    counts = weights != 0
    first = np.where(counts, places, size).min((1, 2), initial=size)
    last = np.where(counts, places, -1).max((1, 2), initial=-1)
    lengths = np.maximum(last - first + 1, 0)
    starts = np.where(lengths > 0, first, 0)
    span = int(lengths.max(initial=0))
    dense = np.zeros((K, P, span + 1), weights.dtype)  # the last column takes what does not count
    where = np.where(counts, places - starts[:, None, None], span)
    bins = np.broadcast_to(np.arange(K * P).reshape(K, P, 1), (K, P, J))
    np.add.at(dense.reshape(K * P, span + 1), (bins, where), weights)
    return Axis(starts, lengths, dense[:, :, :span])


@dataclass(frozen=True)
class Plan:
    """What is pooled: for each region its image, its rows and its columns.

    ``own_channels`` says that each bin has a channel of its own, as position-sensitive pooling.
    """

    images: np.ndarray
    rows: Axis
    columns: Axis
    shape: tuple[int, ...]  # of the feature map, (N, C, H, W)
    own_channels: bool

    @property
    def bins(self) -> Pair:
        return self.rows.weights.shape[1], self.columns.weights.shape[1]

    def pool(self, maps: np.ndarray) -> np.ndarray:
        """(K, C, P, Q) of (N, C, H, W)."""
        P, Q = self.bins
        C = self.shape[1] // (P * Q) if self.own_channels else self.shape[1]
        out = np.zeros((len(self.images), C, P, Q), maps.dtype)
        for k, image in enumerate(self.images):
            (ys, wy), (xs, wx) = self.rows.part(k), self.columns.part(k)
            part = maps[image, :, ys, xs]
            if self.own_channels:
                part = part.reshape(C, P, Q, *part.shape[1:])
                out[k] = np.einsum("cpqyx,py,qx->cpq", part, wy, wx, optimize=True)
            else:
                out[k] = np.matmul(wy, part @ wx.T)
        return out

    def spread(self, pooled: np.ndarray) -> np.ndarray:
        """The transpose of :meth:`pool`: (N, C, H, W) of (K, C, P, Q)."""
        maps = np.zeros(self.shape, pooled.dtype)
        for k, image in enumerate(self.images):
            (ys, wy), (xs, wx) = self.rows.part(k), self.columns.part(k)
            if self.own_channels:
                part = np.einsum("cpq,py,qx->cpqyx", pooled[k], wy, wx, optimize=True)
                part = part.reshape(self.shape[1], *part.shape[3:])
            else:
                part = np.matmul(wy.T, pooled[k] @ wx)
            maps[image, :, ys, xs] += part
        return maps


class Pooled(rl.autograd.Function):
    """Pooling by a plan."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, plan: Plan) -> Tensor:
        ctx.plan = plan
        return rl.tensor(plan.pool(maps.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return Spread.apply(gradient, ctx.plan), None


class Spread(rl.autograd.Function):
    """The gradient of :class:`Pooled`, whose gradient is that again."""

    @staticmethod
    def forward(ctx: Any, pooled: Tensor, plan: Plan) -> Tensor:
        ctx.plan = plan
        return rl.tensor(plan.spread(pooled.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return Pooled.apply(gradient, ctx.plan), None


def pooled(maps: Tensor, plan: Plan) -> Tensor:
    """``maps`` (N, C, H, W) pooled by ``plan``, differentiable; half types in float32."""
    wide = maps if maps.dtype in (rl.float32, rl.float64) else maps.float()
    result: Tensor = Pooled.apply(wide, plan)
    return result.to(maps.dtype)


def coordinates(rois: Tensor, maps: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The images of regions, and their (K, 4) corners as floats that weights are worked out in.

    Raises:
        RuntimeError: ``maps`` is not (N, C, H, W), or a region names an image that is not there.
    """
    if maps.dim() != 4:
        raise RuntimeError(f"expected feature maps (N, C, H, W), but got {tuple(maps.shape)}")
    wide = rois.detach()
    values = (wide.double() if maps.dtype == rl.float64 else wide.float()).numpy()
    images = values[:, 0].astype(np.int64)
    if len(images) and not (images.min() >= 0 and images.max() < maps.shape[0]):
        raise RuntimeError(
            f"a region is of image {images.max() if images.min() >= 0 else images.min()}, "
            f"and there are {maps.shape[0]}"
        )
    return images, values[:, 1:]
