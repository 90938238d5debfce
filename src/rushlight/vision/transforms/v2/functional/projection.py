"""Perspective maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import rushlight as rl
from rushlight import Tensor
from rushlight.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask

from .borders import Fill, pil_fill
from .modes import BILINEAR, NEAREST, Interpolation, as_mode, pil_modes_mapping
from .registry import PIXELS, Picture, kernel, on_planes, serves
from .sample import check_sampling, grid_dtype, moved_boxes, sampled, with_ones

Points = Sequence[Sequence[int]] | None


def perspective(
    inpt: Any,
    startpoints: Points,
    endpoints: Points,
    interpolation: Interpolation = BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Any:
    """A view from elsewhere: four points go to four others.

    Args:
        startpoints, endpoints: four ``[x, y]`` in the image and in the result.
        coefficients: instead of points, ``a`` to ``h`` of the map from places in the result,
            ``((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1))``.
        fill: the value beyond the image, or one for each channel.
    Raises:
        ValueError: neither points nor coefficients, or both; other numbers of them.
        RuntimeError: boxes or points, and a map that has no inverse.
    """
    return kernel(perspective, inpt)(
        inpt,
        startpoints=startpoints,
        endpoints=endpoints,
        interpolation=interpolation,
        fill=fill,
        coefficients=coefficients,
    )


def perspective_coefficients(startpoints: Any, endpoints: Any) -> list[float]:
    """The eight coefficients of the map that takes ``endpoints`` to ``startpoints``.

    Raises:
        ValueError: not four points each.
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and"
            f" {len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    wanted = np.array(startpoints, np.float64).reshape(8)
    found = np.linalg.lstsq(np.array(rows, np.float64), wanted, rcond=None)[0]
    coefficients: list[float] = found.astype(np.float32).tolist()
    return coefficients


def _chosen(startpoints: Points, endpoints: Points, coefficients: Any) -> list[float]:
    both = startpoints is not None and endpoints is not None
    if coefficients is None:
        if not both:
            raise ValueError(
                "Either the startpoints/endpoints or the coefficients must have non `None` values."
            )
        return perspective_coefficients(startpoints, endpoints)
    if both:
        raise ValueError(
            "The startpoints/endpoints and the coefficients shouldn't be defined concurrently."
        )
    if len(coefficients) != 8:
        raise ValueError("Argument coefficients should have 8 float values")
    return list(coefficients)


def _grid(coefficients: list[float], height: int, width: int, dtype: Any) -> Tensor:
    x = rl.linspace(0.5, width - 0.5, width, dtype=dtype).expand(height, width)
    y = rl.linspace(0.5, height - 0.5, height, dtype=dtype)[:, None].expand(height, width)
    places = rl.stack((x, y, rl.ones_like(x)), dim=-1).view(1, -1, 3)
    over = rl.tensor(coefficients[:6], dtype=dtype).view(2, 3).T
    over = over / rl.tensor([0.5 * width, 0.5 * height], dtype=dtype)
    below = rl.tensor([*coefficients[6:], 1.0], dtype=dtype).view(3, 1)
    return ((places @ over) / (places @ below) - 1.0).view(1, height, width, 2)


@serves(perspective, *PIXELS)
def perspective_image(
    image: Tensor,
    startpoints: Points,
    endpoints: Points,
    interpolation: Interpolation = BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Tensor:
    """:func:`perspective` for tensors (..., C, H, W)."""
    found = _chosen(startpoints, endpoints, coefficients)
    mode = as_mode(interpolation)
    check_sampling(image, mode, fill)
    height, width = image.shape[-2:]
    return sampled(image, _grid(found, height, width, grid_dtype(image)), mode, fill)


@serves(perspective, Picture)
def _perspective_pil(
    image: Any,
    startpoints: Points,
    endpoints: Points,
    interpolation: Interpolation = BILINEAR,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Any:
    found = _chosen(startpoints, endpoints, coefficients)
    resample = pil_modes_mapping[as_mode(interpolation)]
    # Pillow's PERSPECTIVE is 2.
    return image.transform(image.size, 2, found, resample, fillcolor=pil_fill(fill, image))


@serves(perspective, Mask)
def perspective_mask(
    mask: Tensor,
    startpoints: Points,
    endpoints: Points,
    fill: Fill = None,
    coefficients: Sequence[float] | None = None,
) -> Tensor:
    """:func:`perspective` for masks (..., H, W), to the nearest pixel."""
    how = (startpoints, endpoints, NEAREST, fill, coefficients)
    return on_planes(perspective_image, mask, *how)


# Points and boxes --------------------------------------------------------------------------------


class _Forward:
    """The map of points: the inverse of that of places in the result."""

    def __init__(self, c: list[float], what: str) -> None:
        denominator = c[0] * c[4] - c[1] * c[3]
        if denominator == 0:
            raise RuntimeError(
                f"Provided perspective_coeffs {c} can not be inverted to transform {what}."
                f" Denominator is zero, denom={denominator}"
            )
        inverse = [
            c[4] - c[5] * c[7], -c[1] + c[2] * c[7], c[1] * c[5] - c[2] * c[4],
            -c[3] + c[5] * c[6], c[0] - c[2] * c[6], c[2] * c[3] - c[0] * c[5],
            -c[4] * c[6] + c[3] * c[7], -c[0] * c[7] + c[1] * c[6], denominator,
        ]  # fmt: skip
        self.rows = np.array(inverse).reshape(3, 3) / denominator

    def __call__(self, points: Tensor) -> Tensor:
        dtype = points.dtype if points.dtype.is_floating_point else rl.float32
        places = with_ones(points, dtype) @ rl.tensor(self.rows, dtype=dtype).T
        return places[:, :2] / places[:, 2:]


@serves(perspective, KeyPoints)
def perspective_keypoints(
    keypoints: Tensor,
    canvas_size: tuple[int, int],
    startpoints: Points,
    endpoints: Points,
    coefficients: Sequence[float] | None = None,
) -> Tensor:
    """:func:`perspective` for points (..., 2)."""
    if not keypoints.numel():
        return keypoints
    move = _Forward(_chosen(startpoints, endpoints, coefficients), "keypoints")
    return move(keypoints.reshape(-1, 2)).to(keypoints.dtype).reshape(keypoints.shape)


@serves(perspective, BoundingBoxes)
def perspective_bounding_boxes(
    bounding_boxes: Tensor,
    format: BoundingBoxFormat,
    canvas_size: tuple[int, int],
    startpoints: Points,
    endpoints: Points,
    coefficients: Sequence[float] | None = None,
    clamping_mode: str | None = "soft",
) -> Tensor:
    """:func:`perspective` for boxes: those around the corners."""
    if not bounding_boxes.numel():
        return bounding_boxes
    move = _Forward(_chosen(startpoints, endpoints, coefficients), "bounding boxes")
    found = moved_boxes(bounding_boxes, format, canvas_size, clamping_mode, move)
    return found.to(bounding_boxes.dtype)


perspective_video = perspective_image
