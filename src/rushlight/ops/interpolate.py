"""Images of another size: PyTorch's ``interpolate`` and its older names."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import FLOATS, int64, uint8
from rushlight.base.errors import (
    ArgTypeError,
    ArgValueError,
    MissingError,
    NoKernelError,
    ShapeError,
)  # fmt: skip
from rushlight.base.shapes import Shape
from rushlight.graph.node import Node, known
from rushlight.graph.op import Composite

from .resample import Rule, resample, resampled_bytes

Scales = tuple[float | None, ...]

# The kind of weights and the number of dimensions with batch and channel; None is any.
_MODES = {
    "nearest": ("nearest", None), "nearest-exact": ("exact", None), "area": ("area", None),
    "linear": ("linear", 3), "bilinear": ("linear", 4), "trilinear": ("linear", 5),
    "bicubic": ("cubic", 4), "lanczos": ("lanczos", 4),
}  # fmt: skip
_WIDE = ("bilinear", "bicubic", "lanczos")
_CORNERLESS = ("nearest", "nearest-exact", "area")


class Interpolate(Composite):
    """An image of another size, each of whose elements is made of those around its place.

    Args:
        size: the spatial sizes of the result, or one for all.
        scale_factor: how many times as large it is, instead; one number for all dimensions or one
            for each. Sizes are rounded down.
        mode: ``"nearest"`` (as OpenCV has it), ``"nearest-exact"``, ``"linear"``, ``"bilinear"``,
            ``"trilinear"`` (for 1, 2, 3 spatial dimensions), ``"bicubic"``, ``"area"`` (averages),
            ``"lanczos"`` (with ``antialias``).
        align_corners: whether the centers of the corners lie on each other, not the outer edges.
        recompute_scale_factor: whether places follow from the sizes, not from ``scale_factor``.
        antialias: whether a smaller image averages over all the elements that it stands for.
    Shape:
        input (N, C, L), (N, C, H, W) or (N, C, D, H, W) floating, or uint8 where the mode is a
        nearest one, bilinear, bicubic or lanczos; output the same with other spatial sizes.
    Raises:
        ValueError: arguments that contradict each other.
        NotImplementedError: a mode for another number of dimensions.
    Reference:
        Keys 1981, "Cubic convolution interpolation for digital image processing".
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([[[0.0, 4.0]]])
        >>> rl.nn.functional.interpolate(x, scale_factor=2, mode="linear")
        tensor([[[0., 1., 3., 4.]]])
    """

    name, module = "interpolate", "nn.functional"
    ulp = 64  # cubic weights lose digits where they are differences
    torch = (
        "interpolate(Tensor input, Any size=None, Any scale_factor=None, str mode='nearest',"
        " bool? align_corners=None, bool? recompute_scale_factor=None, bool antialias=False)"
        " -> Tensor"
    )

    def __call__(
        self, x: Node, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
        antialias: bool = False,
    ) -> Node:  # fmt: skip
        if mode in _CORNERLESS and align_corners is not None:
            raise ArgValueError(
                self.name,
                "align_corners option can only be set with the interpolating modes: linear |"
                " bilinear | bicubic | trilinear",
            )
        sizes, scales = self._sizes(x, size, scale_factor)
        if recompute_scale_factor and size is not None:
            raise ArgValueError(
                self.name, "recompute_scale_factor is not meaningful with an explicit size."
            )
        if recompute_scale_factor or mode == "area":
            scales = (None,) * len(scales)
        self._check(x, mode, bool(align_corners), antialias)
        if any(n < 1 for n in (*sizes, *x.shape[2:])) or (0 in x.shape[1:]):
            raise ShapeError(
                self.name,
                "Input and output sizes should be greater than 0, but got input"
                f" {tuple(x.shape[2:])} and output {sizes}; Non-empty {x.ndim}D data tensor"
                " expected but got a tensor with sizes"
                f" {list(x.shape)}",
            )
        return _resized(x, sizes, scales, mode, bool(align_corners), antialias)

    def _sizes(self, x: Node, size: Any, scale_factor: Any) -> tuple[Shape, Scales]:
        """The spatial sizes of the result, and the factors that they came from."""
        rank = x.ndim - 2
        if size is not None and scale_factor is not None:
            raise ArgValueError(self.name, "only one of size or scale_factor should be defined")
        if size is None and scale_factor is None:
            raise ArgValueError(self.name, "either size or scale_factor should be defined")
        given = scale_factor if size is None else size
        values = tuple(given) if isinstance(given, Sequence) else (given,) * rank
        if len(values) != rank:
            what = "scale_factor" if size is None else "output"
            raise ArgValueError(
                self.name,
                f"Input and {what} must have the same number of spatial dimensions, but got input"
                f" with spatial dimensions of {list(x.shape[2:])} and {given}",
                rule="An input is (N, C, d1, ...), with one number for each of d1, ...",
            )
        if size is None:
            scales = tuple(map(float, values))
            return tuple(int(n * s) for n, s in zip(x.shape[2:], scales, strict=True)), scales
        if not all(isinstance(n, (int, np.integer)) for n in values):
            raise ArgTypeError(
                self.name,
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int,"
                f" int, int], but got size with types {[type(n) for n in values]}",
            )
        return tuple(map(int, values)), (None,) * rank

    def _check(self, x: Node, mode: str, corners: bool, antialias: bool) -> None:
        if antialias and not (mode in _WIDE and x.ndim == 4):
            raise ArgValueError(
                self.name,
                "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and"
                " requires a 4-D tensor as input",
            )
        kind, rank = _MODES.get(mode, ("", None))
        if kind and x.ndim in (3, 4, 5) and rank not in (None, x.ndim):
            raise MissingError(
                self.name, f"Got {x.ndim}D input, but {mode} mode needs {rank}D input"
            )
        if not kind or x.ndim not in (3, 4, 5):
            raise MissingError(
                self.name,
                "Input Error: Only 3D, 4D and 5D input Tensors supported (got"
                f" {x.ndim}D) for the modes: {' | '.join(_MODES)} (got {mode})",
            )
        if kind == "lanczos" and (corners or not antialias):
            wrong = "does not support align_corners=True" if corners else "requires antialias=True"
            raise ArgValueError(self.name, f"Lanczos mode {wrong}")
        taken = FLOATS if kind == "area" or mode in ("linear", "trilinear") else (*FLOATS, uint8)
        if x.dtype not in taken:
            shown = ops.TORCH_NAMES[x.dtype.name]
            raise NoKernelError(self.name, f'"upsample_{mode}" not implemented for {shown}')

    def samples(self, make: Any) -> Any:
        image = make(2, 3, 4, 5)
        for mode in ("nearest", "nearest-exact", "area", "bilinear", "bicubic"):
            yield image, {"scale_factor": 2, "mode": mode}
            yield image, {"size": (3, 7), "mode": mode}
            yield make(3, 2, 5, 6).transpose(0, 1), {"scale_factor": (0.6, 1.7), "mode": mode}
        for mode, rank in (("linear", 1), ("bilinear", 2), ("trilinear", 3), ("bicubic", 2)):
            if mode != "linear" or rank == 1:
                yield make(1, 2, *(4,) * rank), 7, None, mode, True
        for mode in ("nearest", "nearest-exact", "area", "linear"):
            yield make(2, 2, 6), 3, None, mode
        yield make(1, 2, 3, 4, 2), None, (2.0, 1.3, 3.0), "nearest"
        yield make(1, 1, 7, 9), (3, 4), None, "bilinear", False, None, True
        yield make(1, 1, 7, 9), (3, 20), None, "bicubic", False, None, True
        yield make(1, 2, 5, 5), None, 1.5, "bilinear", False, True
        yield make(0, 2, 3, 3), 5
        image = make.int(2, 3, 11, 13, low=0, high=255, dtype=uint8)
        for mode in ("nearest", "bilinear", "bicubic"):
            yield image, (20, 9), None, mode
            yield image, None, (0.4, 2.1), mode

    def errors(self, make: Any) -> Any:
        call, x = make.call, make(1, 2, 4, 4)
        yield lambda: call(x), ValueError, "either size or scale_factor should be defined"
        yield lambda: call(x, 2, 2.0), ValueError, "only one of size or scale_factor"
        yield lambda: call(x, (2,)), ValueError, "same number of spatial dimensions"
        yield lambda: call(x, 1.5), TypeError, "expected size to be one of int"
        yield lambda: call(x, 2, align_corners=True), ValueError, "can only be set with the"
        yield lambda: call(x, 2, mode="linear"), NotImplementedError, "linear mode needs 3D input"
        yield lambda: call(x, 2, mode="cubic"), NotImplementedError, r"\(got cubic\)"
        yield lambda: call(x, 2, mode="area", antialias=True), ValueError, "Anti-alias option"
        yield lambda: call(x, 0), RuntimeError, "should be greater than 0"
        yield lambda: call(x > 0, 2), RuntimeError, "not implemented for 'Bool'"
        area = make.int(1, 1, 2, 2, dtype=uint8)
        yield lambda: call(area, 2, mode="area"), RuntimeError, "not implemented for 'Byte'"
        yield (
            lambda: call(x, 2, recompute_scale_factor=True),
            ValueError,
            "not meaningful with an explicit size",
        )


def _resized(
    x: Node, sizes: Shape, scales: Scales, mode: str, corners: bool, antialias: bool
) -> Node:
    kind, _ = _MODES[mode]
    if kind == "area":
        pools = (ops.adaptive_avg_pool1d, ops.adaptive_avg_pool2d, ops.adaptive_avg_pool3d)
        return pools[x.ndim - 3](x, sizes)
    # Bytes are rounded between dimensions, of which PyTorch takes the last one first.
    change = resampled_bytes if x.dtype is uint8 else resample
    for dim in reversed(range(2, x.ndim)) if x.dtype is uint8 else range(2, x.ndim):
        inputs, size, scale = x.shape[dim], sizes[dim - 2], scales[dim - 2]
        if kind in ("nearest", "exact"):
            x = _picked(x, dim, _nearest(inputs, size, scale, kind == "exact"))
        elif inputs != size or antialias:
            x = change(x, dim, Rule(kind, inputs, size, scale, corners, antialias))
    return ops.clone(x)


@lru_cache(maxsize=256)
def _nearest(inputs: int, outputs: int, scale: float | None, exact: bool) -> tuple[int, ...]:
    """Which element stands at each place; worked out in single precision, as PyTorch does."""
    single = np.float32
    step = single(1.0 / scale) if scale else single(inputs) / single(outputs)
    at = np.arange(outputs, dtype=np.float32) + single(0.5 if exact else 0)
    return tuple(np.minimum((at * step).astype(np.int64), inputs - 1).tolist())


def _picked(x: Node, dim: int, places: tuple[int, ...]) -> Node:
    """Elements along a dimension by their places; whole factors need no table."""
    inputs, count = x.shape[dim], len(places)
    if places == tuple(range(inputs)):
        return x
    if count % inputs == 0 and places == tuple(np.arange(count) // (count // inputs)):
        wide = ops.unsqueeze(x, dim + 1)
        shape = (*x.shape[: dim + 1], count // inputs, *x.shape[dim + 1 :])
        return ops.reshape(ops.expand(wide, shape), (*x.shape[:dim], count, *x.shape[dim + 1 :]))
    table = known(Buffer(np.asarray(places, np.int64), int64))
    return ops.index_select.record((x, table), dim)


class OlderUpsampling(Composite):
    """A function that ``interpolate`` replaces. Abstract."""

    module = "nn.functional"

    def warn(self) -> None:
        """Says what to use instead, at the user's line."""
        warnings.warn(
            f"`nn.functional.{self.name}` is deprecated. Use `nn.functional.interpolate` instead.",
            stacklevel=4,
        )

    def samples(self, make: Any) -> Any:
        yield make(1, 2, 3, 4), 5
        yield make(1, 2, 3, 4), None, 2

    def errors(self, make: Any) -> Any:
        yield lambda: make.call(make(1, 1, 2, 2)), ValueError, "either size or scale_factor"


class UpsampleNearest(OlderUpsampling):
    """:func:`interpolate` with the nearest elements."""

    name = "upsample_nearest"
    torch = "upsample_nearest(Tensor input, Any size=None, Any scale_factor=None) -> Tensor"

    def __call__(self, x: Node, size: Any = None, scale_factor: Any = None) -> Node:
        self.warn()
        return interpolate(x, size, scale_factor)


class UpsampleBilinear(OlderUpsampling):
    """:func:`interpolate` with bilinear weights and corners aligned."""

    name = "upsample_bilinear"
    torch = "upsample_bilinear(Tensor input, Any size=None, Any scale_factor=None) -> Tensor"

    def __call__(self, x: Node, size: Any = None, scale_factor: Any = None) -> Node:
        self.warn()
        return interpolate(x, size, scale_factor, "bilinear", True)


class Upsample(OlderUpsampling):
    """:func:`interpolate` under its older name."""

    name = "upsample"
    torch = (
        "upsample(Tensor input, Any size=None, Any scale_factor=None, str mode='nearest',"
        " bool? align_corners=None) -> Tensor"
    )

    def __call__(
        self, x: Node, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None,
    ) -> Node:  # fmt: skip
        self.warn()
        return interpolate(x, size, scale_factor, mode, align_corners)


interpolate = Interpolate()
upsample_nearest = UpsampleNearest()
upsample_bilinear = UpsampleBilinear()
upsample = Upsample()
