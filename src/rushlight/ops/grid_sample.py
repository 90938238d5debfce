"""Images read at places between their elements, and grids of such places.

Jaderberg et al. 2015, "Spatial Transformer Networks", arXiv:1506.02025. Places go from -1 to 1, in
the order x, y, z, which is that of the spatial dimensions reversed.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product
from operator import mul
from typing import Any, NamedTuple

import numpy as np

from rushlight import ops
from rushlight.base.buffer import Buffer
from rushlight.base.dtypes import FLOATS, DType, float32, int64
from rushlight.base.errors import (
    ArgValueError,
    DTypeError,
    MissingError,
    NoKernelError,
    OperationError,
    ShapeError,
)
from rushlight.base.shapes import Shape, prod
from rushlight.graph.node import Node, known
from rushlight.graph.op import Composite

from .resample import SHARP
from .structure import Transparent

_CORNERS = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0."
    " Please specify align_corners=True if the old behavior is desired."
)


class NearestAt(Transparent):
    """Elements read at the nearest places, which a small change of the grid leaves as they are."""

    name, joint, backward = "nearest_at", True, "GridSampler2D"

    def vjp(self, g: Node, y: Node, values: Node, grid: Node) -> tuple[Node | None, ...]:
        return g, ops.zeros(grid.spec) if grid.requires_grad else None


class GridSample(Composite):
    """The elements of an image at places that a grid names, interpolated.

    Args:
        grid: places from -1 to 1; beyond that lies what ``padding_mode`` says.
        mode: ``"bilinear"`` (of volumes trilinear), ``"nearest"`` or ``"bicubic"``.
        padding_mode: ``"zeros"``, ``"border"`` for the nearest element, or ``"reflection"``.
        align_corners: whether -1 and 1 are the centers of the outermost elements, or their edges.
    Shape:
        input (N, C, H, W), grid (N, Y, X, 2), output (N, C, Y, X); or with three spatial
        dimensions, and 3 numbers for each place.
    Raises:
        ValueError: another mode.
        RuntimeError: shapes or dtypes that do not fit.
    Reference:
        Jaderberg et al. 2015, arXiv:1506.02025.
    Example:
        >>> import rushlight as rl
        >>> x = rl.tensor([[[[0.0, 4.0]]]])
        >>> grid = rl.tensor([[[[0.0, 0.0], [1.0, 0.0]]]])
        >>> rl.nn.functional.grid_sample(x, grid, align_corners=True)
        tensor([[[[2., 4.]]]])
    """

    autocast = "wide"
    name, module = "grid_sample", "nn.functional"
    ulp = 256  # places are differences of numbers of the image's size
    torch = (
        "grid_sample(Tensor input, Tensor grid, str mode='bilinear', str padding_mode='zeros',"
        " bool? align_corners=None) -> Tensor"
    )

    def __call__(
        self, x: Node, grid: Node, mode: str = "bilinear", padding_mode: str = "zeros",
        align_corners: bool | None = None,
    ) -> Node:  # fmt: skip
        if mode not in ("bilinear", "nearest", "bicubic"):
            raise ArgValueError(
                self.name,
                "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or"
                f" 'bicubic', but got: '{mode}'",
            )
        if padding_mode not in ("zeros", "border", "reflection"):
            raise ArgValueError(
                self.name,
                "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or"
                f" 'reflection', but got: '{padding_mode}'",
            )
        if align_corners is None:
            warnings.warn(_CORNERS, stacklevel=3)
        self._check(x, grid, mode)
        wide = ops.cast(x, float32), ops.cast(grid, float32)
        inputs = wide if x.dtype.is_half else (x, grid)
        return ops.cast(_sampled(*inputs, mode, padding_mode, bool(align_corners)), x.dtype)

    def _check(self, x: Node, grid: Node, mode: str) -> None:
        rank = x.ndim - 2
        shapes = f"but got input with sizes {list(x.shape)} and grid with sizes {list(grid.shape)}"
        if grid.ndim and rank > 0 and grid.shape[-1] != rank:
            raise ShapeError(
                self.name,
                f"grid_sampler(): expected grid to have size {rank} in last dimension, but got"
                f" grid with sizes {list(grid.shape)}",
            )
        if rank not in (2, 3) or grid.ndim != x.ndim:
            raise ShapeError(
                self.name,
                "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions,"
                f" {shapes}",
            )
        if x.shape[0] != grid.shape[0]:
            raise ShapeError(
                self.name,
                f"grid_sampler(): expected grid and input to have same batch size, {shapes}",
            )
        for dim, size in enumerate(x.shape[2:], 2):
            if not size:
                raise ShapeError(
                    self.name,
                    "grid_sampler(): expected input to have non-empty spatial dimensions, but"
                    f" input has sizes {list(x.shape)} with dimension {dim} being empty",
                )
        if mode == "bicubic" and rank == 3:
            raise OperationError(
                self.name, "grid_sampler(): bicubic interpolation only supports 4D input"
            )
        if x.dtype is not grid.dtype:
            names = [ops.TORCH_NAMES[node.dtype.name][1:-1] for node in (x, grid)]
            raise DTypeError(self.name, f"expected scalar type {names[0]} but found {names[1]}")
        if x.dtype not in FLOATS:
            shown = ops.TORCH_NAMES[x.dtype.name]
            raise NoKernelError(self.name, f'"grid_sampler" not implemented for {shown}')

    def samples(self, make: Any) -> Any:
        modes = product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"))
        for k, (mode, padding) in enumerate(modes):
            yield make(2, 3, 4, 5), make(2, 3, 2, 2, low=-1.4, high=1.4), mode, padding, k % 2 > 0
        for k, padding in enumerate(("zeros", "border", "reflection")):
            grid = make(1, 2, 2, 3, 3, low=-1.4, high=1.4)
            yield make(1, 2, 3, 4, 2), grid, "bilinear", padding, k % 2 == 0
        volume = make(2, 2, 3, 2, 3).transpose(0, 1)
        yield volume, make(2, 1, 2, 1, 3, low=-1, high=1), "nearest", "zeros", False
        yield make(1, 1, 1, 1), make(1, 2, 2, 2), "bilinear", "reflection", True
        yield make(0, 1, 2, 2), make(0, 2, 2, 2), {"align_corners": False}

    def errors(self, make: Any) -> Any:
        x, grid = make(1, 1, 3, 3), make(1, 2, 2, 2)

        def call(*args: Any) -> Any:
            return make.call(*args, align_corners=False)

        yield lambda: call(x, grid, "cubic"), ValueError, "expected mode to be"
        yield lambda: call(x, grid, "nearest", "ones"), ValueError, "expected padding_mode"
        yield lambda: call(x, make(2, 2, 2, 2)), RuntimeError, "same batch size"
        yield lambda: call(x, make(1, 2, 2, 3)), RuntimeError, "size 2 in last dimension"
        yield lambda: call(make(1, 1, 0, 2), grid), RuntimeError, "with dimension 2 being empty"
        yield lambda: call(x, grid.double()), RuntimeError, "scalar type Float but found Double"
        volume = make(1, 1, 2, 2, 2), make(1, 2, 2, 2, 3)
        yield lambda: call(*volume, "bicubic"), RuntimeError, "only supports 4D input"
        yield lambda: call(make(3, 3), make(2, 2)), RuntimeError, "expected 4D or 5D input"


def _sampled(x: Node, grid: Node, mode: str, padding: str, corners: bool) -> Node:
    """The image at each place of the grid, in operations that can be differentiated."""
    size = x.shape[2:]
    dims = []
    for k, n in enumerate(size):
        place = ops.select(grid, -1, len(size) - 1 - k)
        at = (place + 1) / 2 * (n - 1) if corners else ((place + 1) * n - 1) / 2
        dims.append(list(_taps(at, n, mode, padding, corners)))
    image = ops.reshape(x, (*x.shape[:2], prod(size)))
    result: Any = None
    for taps in product(*dims):
        term = _elements(image, taps, size)
        weights = [tap.weight for tap in taps if tap.weight is not None]
        if weights:
            term = term * ops.unsqueeze(reduce(mul, weights), 1)
        result = term if result is None else result + term
    if mode == "nearest":
        result = nearest_at.record((result, grid))
    return result  # type: ignore[no-any-return]


class Tap(NamedTuple):
    """Whole places in one dimension, 0 for those beyond the image; and their weights."""

    place: Node
    exists: Node
    weight: Node | None


def _taps(at: Node, size: int, mode: str, padding: str, corners: bool) -> Iterator[Tap]:
    """The elements around each place in one dimension."""
    if mode == "bicubic":  # here the elements are brought into the image, and not the place
        low = ops.detach(ops.floor(at))
        for k, weight in enumerate(_cubic_weights(at - low), -1):
            yield _tap(_brought_in(low + k, size, padding, corners), size, weight)
        return
    at = _brought_in(at, size, padding, corners)
    if mode == "nearest":
        yield _tap(ops.round(at), size, None)
        return
    low = ops.detach(ops.floor(at))
    yield _tap(low, size, (low + 1) - at)
    yield _tap(low + 1, size, at - low)


def _tap(place: Node, size: int, weight: Node | None) -> Tap:
    place = ops.detach(place)
    exists = ops.logical_and(place >= 0, place <= size - 1)
    return Tap(ops.cast(ops.where(exists, place, 0.0), int64), exists, weight)


def _cubic_weights(t: Node) -> tuple[Node, ...]:
    """The weights of four elements, ``t`` behind the second of them; Keys 1981, equation 15."""

    def near(x: Node) -> Node:
        return ((SHARP + 2) * x - (SHARP + 3)) * x * x + 1

    def far(x: Node) -> Node:
        return ((SHARP * x - 5 * SHARP) * x + 8 * SHARP) * x - 4 * SHARP

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _brought_in(at: Node, size: int, padding: str, corners: bool) -> Node:
    """A place in one dimension, brought into the image unless there are zeros around it."""
    if padding == "zeros":
        return at
    if padding == "reflection":
        at = _reflected(at, *((0, 2 * (size - 1)) if corners else (-1, 2 * size - 1)))
    inside = ops.where(at < size - 1, at, float(size - 1))
    return ops.where(at > 0, inside, 0.0)  # type: ignore[no-any-return]


def _reflected(at: Node, low: int, high: int) -> Node:
    """A place reflected at both edges, which are given doubled, until it lies between them."""
    if low == high:
        return at * 0.0
    first, span = low / 2, (high - low) / 2
    distance = ops.abs(at - first)
    rest = ops.fmod(distance, span)
    turns = ops.detach(ops.floor(distance / span))
    even = ops.eq(ops.fmod(turns, 2.0), 0.0)
    return ops.where(even, rest, span - rest) + first  # type: ignore[no-any-return]


def _elements(image: Node, taps: tuple[Tap, ...], size: Shape) -> Node:
    """Elements of ``(N, C, elements)`` at whole places; zeros beyond the image."""
    exists = reduce(ops.logical_and, [tap.exists for tap in taps])
    flat: Any = taps[0].place
    for tap, n in zip(taps[1:], size[1:], strict=True):
        flat = flat * n + tap.place
    batch, channels, shape = *image.shape[:2], flat.shape[1:]
    index = ops.reshape(flat, (batch, 1, prod(shape)))
    index = ops.expand(index, (batch, channels, prod(shape)))
    found = ops.reshape(ops.joint_gather.record((image, index), 2), (batch, channels, *shape))
    return ops.where(ops.unsqueeze(exists, 1), found, 0.0)  # type: ignore[no-any-return]


class AffineGrid(Composite):
    """The grid of places at which an affinely transformed image reads its elements.

    Args:
        theta: matrices that are applied to places.
        size: of the image, with batch and channel.
        align_corners: whether -1 and 1 are the centers of the outermost elements, or their edges.
    Shape:
        theta (N, 2, 3) and size (N, C, H, W), output (N, H, W, 2); or (N, 3, 4), (N, C, D, H, W)
        and (N, D, H, W, 3).
    Raises:
        ValueError: matrices that do not fit, or an empty image.
    Reference:
        Jaderberg et al. 2015, arXiv:1506.02025, equation 1.
    Example:
        >>> import rushlight as rl
        >>> theta = rl.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
        >>> rl.nn.functional.affine_grid(theta, (1, 1, 1, 2), align_corners=True)
        tensor([[[[-1.,  0.],
                  [ 1.,  0.]]]])
    """

    name, module = "affine_grid", "nn.functional"
    ulp = 16
    torch = "affine_grid(Tensor theta, Any size, bool? align_corners=None) -> Tensor"

    def __call__(self, theta: Node, size: Sequence[int], align_corners: bool | None = None) -> Node:
        if align_corners is None:
            warnings.warn(_CORNERS, stacklevel=3)
        size = tuple(int(n) for n in size)
        if not theta.dtype.is_floating_point:
            raise ArgValueError(
                self.name, f"Expected theta to have floating point type, but got {theta.dtype}"
            )
        rank = len(size) - 2
        if rank not in (2, 3):
            raise MissingError(
                self.name,
                "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms,"
                f" respectively. Got size {size}.",
            )
        if theta.ndim != 3 or theta.shape[1:] != (rank, rank + 1):
            raise ArgValueError(
                self.name,
                f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size"
                f" {size}. Got {list(theta.shape)}.",
            )
        if min(size) <= 0:
            raise ArgValueError(self.name, f"Expected non-zero, positive output size. Got {size}")
        base = _places(size[2:], bool(align_corners), theta.dtype)
        grid = ops.matmul(base, ops.transpose(theta, 1, 2))
        return ops.reshape(grid, (theta.shape[0], *size[2:], rank))

    def samples(self, make: Any) -> Any:
        yield make(2, 2, 3), (2, 1, 3, 4), False
        yield make(1, 2, 3), (1, 3, 2, 1), True
        yield make(2, 4, 3).transpose(1, 2), (2, 1, 2, 3, 2), True
        yield make(1, 3, 4), (1, 1, 1, 2, 3), False

    def errors(self, make: Any) -> Any:
        def call(theta: Any, size: Any) -> Any:
            return make.call(theta, size, align_corners=False)

        x = make(1, 2, 3)
        yield lambda: call(make.int(1, 2, 3), (1, 1, 2, 2)), ValueError, "floating point type"
        yield lambda: call(x, (1, 1, 2, 2, 2)), ValueError, "of shape Nx3x4"
        yield lambda: call(x, (1, 1, 0, 2)), ValueError, "positive output size"
        yield lambda: call(x, (1, 2)), NotImplementedError, "only supports 4D and 5D sizes"


def _places(size: Shape, corners: bool, dtype: DType) -> Node:
    """The places of all elements of an image, ``(elements, rank + 1)``, with a 1 behind each."""
    axes = []
    for n in size:
        steps = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        axes.append(steps if corners else steps * (n - 1) / n)
    places = np.meshgrid(*axes, indexing="ij")
    columns = [place.reshape(-1) for place in reversed(places)]
    rows = np.stack((*columns, np.ones(prod(size))), 1)
    single = float32 if dtype.is_half else dtype
    return ops.cast(known(Buffer(rows.astype(single.numpy), single)), dtype)


nearest_at = NearestAt()
grid_sample = GridSample()
affine_grid = AffineGrid()
