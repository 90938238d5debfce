"""Bounding boxes and key points: coordinates on a canvas."""

from __future__ import annotations

from enum import Enum
from typing import Any

from rushlight import Tensor

from .base import TVTensor, as_data


class BoundingBoxFormat(Enum):
    """What the numbers of a box are.

    ``XYXY`` two corners; ``XYWH`` corner and size; ``CXCYWH`` centre and size; with ``R``, an angle
    in degrees, counter-clockwise, about the corner or the centre; ``XYXYXYXY`` four corners.
    """

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


ROTATED = frozenset({"XYWHR", "CXCYWHR", "XYXYXYXY"})


def is_rotated_bounding_format(format: BoundingBoxFormat | str) -> bool:
    """Whether boxes of a format may stand at an angle.

    Raises:
        ValueError: ``format`` is neither a format nor a name.
    """
    if isinstance(format, BoundingBoxFormat):
        return format.value in ROTATED
    if isinstance(format, str):
        return format in ROTATED
    raise ValueError(f"format should be str or BoundingBoxFormat, got {type(format)}")


def as_format(format: BoundingBoxFormat | str) -> BoundingBoxFormat:
    """A format by name, in either case.

    Raises:
        KeyError: there is none of that name.
    """
    return BoundingBoxFormat[format.upper()] if isinstance(format, str) else format


class BoundingBoxes(TVTensor):
    """Boxes in pixels of a canvas.

    Args:
        data: (N, K), or (K,) for a single box; K is 4, or 5 and 8 for rotated formats.
        format: a :class:`BoundingBoxFormat` or its name.
        canvas_size: height and width of the image.
        clamping_mode: how boxes are kept on the canvas, for rotated ones ``"soft"`` or ``"hard"``;
            None: not at all.
    Raises:
        ValueError: another number of dimensions, an unknown mode, or rotated boxes of integers.
    Example:
        >>> from rushlight.vision import tv_tensors
        >>> tv_tensors.BoundingBoxes([0, 0, 2, 3], format="XYXY", canvas_size=(4, 4)).shape
        torch.Size([1, 4])
    """

    _metadata = ("format", "canvas_size", "clamping_mode")
    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None

    def __init__(
        self,
        data: Any,
        *,
        format: BoundingBoxFormat | str,
        canvas_size: tuple[int, int],
        clamping_mode: str | None = "soft",
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> None:
        tensor = as_data(data, dtype, device, requires_grad)
        if is_rotated_bounding_format(format) and not tensor.is_floating_point():
            raise ValueError(
                f"Rotated bounding boxes should be floating point tensors, got {tensor.dtype}."
            )
        if clamping_mode not in (None, "hard", "soft"):
            raise ValueError(f"clamping_mode must be None, hard or soft, got {clamping_mode}.")
        self._share(_rows(tensor), None, None, None)
        self.format = as_format(format)
        self.canvas_size = canvas_size
        self.clamping_mode = clamping_mode

    @classmethod
    def wrap(cls, tensor: Tensor, like: Any, **changed: Any) -> BoundingBoxes:
        """Boxes with the metadata of ``like``, but for what ``changed`` says."""
        if "format" in changed:
            changed["format"] = as_format(changed["format"])
        return super().wrap(_rows(tensor), like, **changed)


def _rows(boxes: Tensor) -> Tensor:
    if boxes.ndim not in (1, 2):
        raise ValueError(f"Expected a 1D or 2D tensor, got {boxes.ndim}D")
    return boxes[None] if boxes.ndim == 1 else boxes


class KeyPoints(TVTensor):
    """Points in pixels of a canvas.

    Args:
        data: (..., 2), x before y.
        canvas_size: height and width of the image.
    Raises:
        ValueError: the last dimension is not 2.
    """

    _metadata = ("canvas_size",)
    canvas_size: tuple[int, int]

    def __init__(
        self,
        data: Any,
        *,
        canvas_size: tuple[int, int],
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool | None = None,
    ) -> None:
        self._share(_pairs(as_data(data, dtype, device, requires_grad)), None, None, None)
        self.canvas_size = canvas_size

    @classmethod
    def wrap(cls, tensor: Tensor, like: Any, **changed: Any) -> KeyPoints:
        """Points with the metadata of ``like``, but for what ``changed`` says."""
        return super().wrap(_pairs(tensor), like, **changed)


def _pairs(points: Tensor) -> Tensor:
    points = points[None] if points.ndim == 1 else points
    if points.ndim == 0 or points.shape[-1] != 2:
        raise ValueError(f"Expected a tensor of shape (..., 2), not {points.shape}")
    return points
