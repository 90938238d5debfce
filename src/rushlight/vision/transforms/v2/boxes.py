"""Transforms of boxes and points themselves: formats, the canvas, leaving out bad ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight import Tensor
from rushlight.vision import tv_tensors
from rushlight.vision.tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask

from . import functional as F
from .functional.boxes import good_boxes, good_points
from .queries import (
    get_bounding_boxes,
    get_keypoints,
    label_tensors,
    labels_getter_of,
    leaves,
    rebuilt,
)
from .transform import Transform


class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format.

    Args:
        format: a ``BoundingBoxFormat`` or its name.
    """

    _transformed_types = (BoundingBoxes,)

    def __init__(self, format: str | BoundingBoxFormat) -> None:
        super().__init__()
        self.format = format

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.convert_bounding_box_format(inpt, new_format=self.format)


class ClampBoundingBoxes(Transform):
    """Boxes cut off at the canvas; see ``functional.clamp_bounding_boxes``."""

    _transformed_types = (BoundingBoxes,)

    def __init__(self, clamping_mode: str | None = "auto") -> None:
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)


class ClampKeyPoints(Transform):
    """Points moved to the nearest pixel of the canvas."""

    _transformed_types = (KeyPoints,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_keypoints(inpt)


class SetClampingMode(Transform):
    """Says how the boxes of a sample are kept on the canvas from here on.

    Args:
        clamping_mode: ``"soft"``, ``"hard"`` or None.
    Raises:
        ValueError: another mode.
    """

    _transformed_types = (BoundingBoxes,)

    def __init__(self, clamping_mode: str | None) -> None:
        super().__init__()
        if clamping_mode not in (None, "soft", "hard"):
            raise ValueError(f"clamping_mode must be soft, hard or None, got {clamping_mode}")
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return tv_tensors.wrap(inpt.clone(), like=inpt, clamping_mode=self.clamping_mode)


class _Sanitize(Transform):
    """Leaves out boxes or points, with their labels. Abstract."""

    # What a mistake calls them, and what is left out along with them.
    _things = ""
    _along: tuple[type, ...] = ()

    def __init__(self, labels_getter: Callable[[Any], Any] | str | None) -> None:
        super().__init__()
        self.labels_getter = labels_getter
        self._labels_getter = labels_getter_of(labels_getter)

    def _valid(self, flat_inputs: list[Any]) -> Tensor:
        """For each box or point whether it stays."""
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        """The sample without them."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        labels = label_tensors(self._labels_getter(sample))
        parts = leaves(sample)
        valid = self._valid(parts)
        for label in labels or ():
            if label.shape[0] != valid.shape[0]:
                raise ValueError(
                    f"Number of {self._things} ({valid.shape[0]}) must match the number of labels."
                    f" Found labels with shape={label.shape}."
                )
        params = {"valid": valid, "labels": labels}
        return rebuilt(sample, iter([self.transform(part, params) for part in parts]))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if any(inpt is label for label in params["labels"] or ()):
            return inpt[params["valid"]]
        fitting = isinstance(inpt, self._along) and inpt.shape[0] == params["valid"].shape[0]
        return tv_tensors.wrap(inpt[params["valid"]], like=inpt) if fitting else inpt


class SanitizeBoundingBoxes(_Sanitize):
    """Leaves out boxes that are small or reach beyond the canvas, with their masks and labels.

    Args:
        min_size: the least width and height, in pixels.
        min_area: the least area, in pixels.
        labels_getter: a function that finds the labels in the sample, ``"default"`` for the tensor
            or the entry called so, None for none.
    Raises:
        ValueError: sizes below 1; later, no boxes, or another number of labels.
    """

    _things, _along = "boxes", (BoundingBoxes, Mask)

    def __init__(
        self,
        min_size: float = 1.0,
        min_area: float = 1.0,
        labels_getter: Callable[[Any], Any] | str | None = "default",
    ) -> None:
        super().__init__(labels_getter)
        if min_size < 1:
            raise ValueError(f"min_size must be >= 1, got {min_size}.")
        if min_area < 1:
            raise ValueError(f"min_area must be >= 1, got {min_area}.")
        self.min_size = min_size
        self.min_area = min_area

    def _valid(self, flat_inputs: list[Any]) -> Tensor:
        boxes = get_bounding_boxes(flat_inputs)
        least = self.min_size, self.min_area
        return good_boxes(boxes, boxes.format, boxes.canvas_size, *least)


class SanitizeKeyPoints(_Sanitize):
    """Leaves out points that are not on the canvas, with their labels; groups as a whole.

    Args:
        labels_getter: as for :class:`SanitizeBoundingBoxes`.
    Raises:
        ValueError: no points, or another number of labels.
    """

    _things, _along = "keypoints", (KeyPoints,)

    def __init__(self, labels_getter: Callable[[Any], Any] | str | None = None) -> None:
        super().__init__(labels_getter)

    def _valid(self, flat_inputs: list[Any]) -> Tensor:
        points = get_keypoints(flat_inputs)
        return good_points(points, points.canvas_size)
