"""Normalizing values by their own mean and variance: the arithmetic, once for arrays and nodes.

A normalization looks at its input in another shape, takes statistics over some dimensions of that,
and has weights that broadcast against it. Everything else is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from rushlight import ops
from rushlight.base.shapes import Shape, prod

Statistics = Literal["own", "scale", "given"]
"""By what is divided: the input's own mean and variance, its mean square alone, or given ones."""


class Layout(NamedTuple):
    """How a normalization looks at its input.

    Attributes:
        shape: the shape that it looks at.
        axes: the dimensions of that over which statistics are taken.
        affine: the shape in which weight and bias broadcast against it.
    """

    shape: Shape
    axes: Shape
    affine: Shape

    @property
    def kept(self) -> Shape:
        """The shape of the statistics."""
        return tuple(1 if axis in self.axes else n for axis, n in enumerate(self.shape))

    @property
    def uniform(self) -> bool:
        """Whether all elements of a statistic have one weight."""
        first = len(self.shape) - len(self.affine)
        return all(axis < first or self.affine[axis - first] == 1 for axis in self.axes)


class OnArrays:
    """What the arithmetic needs beyond the operators, for NumPy arrays."""

    @staticmethod
    def reshape(x: Any, shape: Shape) -> Any:
        return x.reshape(shape)

    @staticmethod
    def mean(x: Any, axes: Shape) -> Any:
        count = max(prod(x.shape[axis] for axis in axes), 1)  # of nothing it is 0
        return x.sum(axis=axes, keepdims=True, dtype=x.dtype) / x.dtype.type(count)

    @staticmethod
    def rsqrt(x: Any) -> Any:
        return 1 / np.sqrt(x)

    @staticmethod
    def sum_to(x: Any, shape: Shape) -> Any:
        return ops.sum_to.ref(x, shape=shape)


class OnNodes:
    """The same for nodes."""

    @staticmethod
    def reshape(x: Any, shape: Shape) -> Any:
        return ops.reshape(x, shape)

    @staticmethod
    def mean(x: Any, axes: Shape) -> Any:
        return ops.mean(x, axes, True) if x.spec.numel else ops.sum(x, axes, True)

    @staticmethod
    def rsqrt(x: Any) -> Any:
        return ops.rsqrt(x)

    @staticmethod
    def sum_to(x: Any, shape: Shape) -> Any:
        return ops.sum_to(x, shape)


class Scaled(NamedTuple):
    """A value less its mean, and what its deviation divides to."""

    centred: Any
    scale: Any


def scaled(
    xp: Any, x: Any, eps: Any, layout: Layout, statistics: Statistics, mean: Any, variance: Any
) -> Scaled:
    """The input in the layout's shape without its mean, and one over its deviation.

    Args:
        xp: :class:`OnArrays` or :class:`OnNodes`.
        mean, variance: the statistics where they are there already, else None.
    """
    x = xp.reshape(x, layout.shape)
    if mean is not None:
        x = x - xp.reshape(mean, layout.kept)
    elif statistics != "scale":
        x = x - xp.mean(x, layout.axes)
    if variance is None:
        variance = xp.mean(x * x, layout.axes)
    return Scaled(x, xp.rsqrt(xp.reshape(variance, layout.kept) + eps))


def normalized(xp: Any, parts: Scaled, layout: Layout, weight: Any, bias: Any) -> Any:
    """The normalized value in the layout's shape, scaled by the weight and moved by the bias."""
    scale = parts.scale
    if weight is not None:
        scale = scale * xp.reshape(weight, layout.affine)
    y = parts.centred * scale
    return y if bias is None else y + xp.reshape(bias, layout.affine)


def gradients(
    xp: Any,
    g: Any,
    parts: Scaled,
    layout: Layout,
    statistics: Statistics,
    weight: Any,
    wanted: Sequence[str],
) -> dict[str, Any]:
    """The gradients of input, weight and bias that are wanted, in the layout's shapes."""
    g = xp.reshape(g, layout.shape)
    unit = parts.centred * parts.scale
    if layout.uniform:
        return _uniform_gradients(xp, g, unit, parts.scale, layout, statistics, weight)
    found: dict[str, Any] = {}
    if "bias" in wanted:
        found["bias"] = xp.sum_to(g, layout.affine)
    if "weight" in wanted:
        found["weight"] = xp.sum_to(g * unit, layout.affine)
    if "input" in wanted:
        if weight is not None:
            g = g * xp.reshape(weight, layout.affine)
        moved = _moved(g, unit, statistics, xp.mean(g, layout.axes), xp.mean(g * unit, layout.axes))
        found["input"] = moved * parts.scale
    return found


def _uniform_gradients(
    xp: Any, g: Any, unit: Any, scale: Any, layout: Layout, statistics: Statistics, weight: Any
) -> dict[str, Any]:
    """The same where all elements of a statistic share one weight: so do their sums."""
    count = prod(layout.shape[axis] for axis in layout.axes)
    mean, slope = xp.mean(g, layout.axes), xp.mean(g * unit, layout.axes)
    if weight is not None:
        scale = scale * xp.reshape(weight, layout.affine)
    return {
        "bias": xp.sum_to(mean * count, layout.affine),
        "weight": xp.sum_to(slope * count, layout.affine),
        "input": _moved(g, unit, statistics, mean, slope) * scale,
    }


def _moved(g: Any, unit: Any, statistics: Statistics, mean: Any, slope: Any) -> Any:
    """A gradient without what moves or stretches all elements of a statistic together."""
    if statistics == "given":
        return g
    stretched = g - unit * slope
    return stretched - mean if statistics == "own" else stretched
